import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { addressedStream } from '../address.ts';
import type { KinesisState } from '../model.ts';
import { changeRetention } from '../retention.ts';
import { streamArn, streamId, streamName, TARGET } from '../shapes.ts';

const input = s.struct({
  StreamName: s.optional(streamName),
  RetentionPeriodHours: s.integer(),
  StreamARN: s.optional(streamArn),
  StreamId: s.optional(streamId),
});

/** Keeps records longer, up to 8,760 hours. */
export const increaseStreamRetentionPeriod = operation<KinesisState>()({
  name: 'IncreaseStreamRetentionPeriod',
  target: TARGET,
  input,
  errors: ['InvalidArgumentException', 'LimitExceededException', 'ResourceInUseException', 'ResourceNotFoundException'],
  plane: 'control',
  doc: 'Keeps records longer, up to 8,760 hours.',
  async handle(request, { state }) {
    const stream = addressedStream(state, request);
    await changeRetention(state, stream, request.RetentionPeriodHours, 'Increase');
    return undefined;
  },
});
