import * as s from '../../../kernel/schema/declare.ts';
import { withoutTags } from '../../../kernel/tags.ts';
import { operation } from '../../../ports/operation.ts';
import { addressedStream, onStream } from '../address.ts';
import type { KinesisState } from '../model.ts';
import { streamArn, streamId, streamName, tagKeys, TARGET } from '../shapes.ts';

const input = s.struct({
  StreamName: s.optional(streamName),
  TagKeys: tagKeys,
  StreamARN: s.optional(streamArn),
  StreamId: s.optional(streamId),
});

/** Removes tags; those that are not there are fine. */
export const removeTagsFromStream = operation<KinesisState>()({
  name: 'RemoveTagsFromStream',
  target: TARGET,
  input,
  errors: ['InvalidArgumentException', 'ResourceNotFoundException'],
  plane: 'control',
  doc: 'Removes tags; those that are not there are fine.',
  async handle(request, { state }) {
    const stream = addressedStream(state, request);
    await onStream(state, stream, async () => {
      await state.records.update(stream.name, ({ tags }) => ({ tags: withoutTags(tags, request.TagKeys) }));
    });
    return undefined;
  },
});
