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

/** Keeps records for a shorter time, at least 24 hours; what is older is gone when the answer comes. */
export const decreaseStreamRetentionPeriod = operation<KinesisState>()({
  name: 'DecreaseStreamRetentionPeriod',
  target: TARGET,
  input,
  errors: ['InvalidArgumentException', 'LimitExceededException', 'ResourceInUseException', 'ResourceNotFoundException'],
  plane: 'control',
  doc: 'Keeps records for a shorter time, at least 24 hours; what is older is gone when the answer comes.',
  async handle(request, { state }) {
    const stream = addressedStream(state, request);
    await changeRetention(state, stream, request.RetentionPeriodHours, 'Decrease');
    return undefined;
  },
});
