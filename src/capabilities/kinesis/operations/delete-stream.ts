import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { StreamNotFound } from '../../../ports/records.ts';
import { addressedStream } from '../address.ts';
import { streamNotFound } from '../errors.ts';
import type { KinesisState } from '../model.ts';
import { streamArn, streamName } from '../shapes.ts';
import { TARGET } from './target.ts';

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
    const { name } = addressedStream(state, request);
    try {
      await state.records.delete(name);
    } catch (error) {
      // Somebody else was faster.
      if (error instanceof StreamNotFound) throw streamNotFound(name, state.identity.account);
      throw error;
    }
    return undefined;
  },
});
