import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { addressedStream, onStream } from '../address.ts';
import type { KinesisState } from '../model.ts';
import { streamArn, streamId, streamName, tagMap, TARGET } from '../shapes.ts';
import { checkTags } from '../tags.ts';

const input = s.struct({
  StreamName: s.optional(streamName),
  Tags: tagMap,
  StreamARN: s.optional(streamArn),
  StreamId: s.optional(streamId),
});

/** Adds tags, or gives those that are there another value. */
export const addTagsToStream = operation<KinesisState>()({
  name: 'AddTagsToStream',
  target: TARGET,
  input,
  errors: ['InvalidArgumentException', 'ResourceNotFoundException'],
  plane: 'control',
  doc: 'Adds tags (50 a stream), or gives those that are there another value.',
  async handle(request, { state }) {
    const stream = addressedStream(state, request);
    await onStream(state, stream, async () => {
      await state.records.update(stream.name, (current) => {
        const tags = { ...current.tags, ...request.Tags };
        checkTags(state, stream.name, tags);
        return { tags };
      });
    });
    return undefined;
  },
});
