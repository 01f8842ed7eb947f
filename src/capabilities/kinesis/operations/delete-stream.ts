import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { addressedStream, onStream } from '../address.ts';
import type { KinesisState } from '../model.ts';
import { TARGET, streamArn, streamName } from '../shapes.ts';

const input = s.struct({
  StreamName: s.optional(streamName),
  EnforceConsumerDeletion: s.optional(s.boolean()),
  StreamARN: s.optional(streamArn),
});

/** Deletes a stream with its records; it is gone when the answer comes. */
export const deleteStream = operation<KinesisState>()({
  name: 'DeleteStream',
  target: TARGET,
  input,
  errors: ['InvalidArgumentException', 'ResourceNotFoundException'],
  plane: 'control',
  doc: 'Deletes a stream with its records; gone when the answer comes.',
  async handle(request, { state }) {
    const stream = addressedStream(state, request);
    await onStream(state, stream, async () => await state.records.delete(stream.name));
    return undefined;
  },
});
