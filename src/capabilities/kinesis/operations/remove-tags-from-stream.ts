import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { addressedStream, onStream } from '../address.ts';
import type { KinesisState } from '../model.ts';
import { streamArn, streamName, tagKey, TARGET } from '../shapes.ts';

const input = s.struct({
  StreamName: s.optional(streamName),
  TagKeys: s.list(tagKey, { min: 1, max: 50 }),
  StreamARN: s.optional(streamArn),
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
    const gone = new Set(request.TagKeys);
    await onStream(state, stream, async () => {
      await state.records.update(stream.name, ({ tags }) => {
        return { tags: Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.has(key))) };
      });
    });
    return undefined;
  },
});
