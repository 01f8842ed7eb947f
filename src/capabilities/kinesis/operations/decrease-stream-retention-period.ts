import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { addressedStream } from '../address.ts';
import { kinesisError } from '../errors.ts';
import type { KinesisState } from '../model.ts';
import { changeRetention } from '../retention.ts';
import { kinesisLimits } from '../limits.ts';
import { streamArn, streamName, TARGET } from '../shapes.ts';

const input = s.struct({
  StreamName: s.optional(streamName),
  RetentionPeriodHours: s.integer(),
  StreamARN: s.optional(streamArn),
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
    const { RetentionPeriodHours: hours } = request;
    await changeRetention(state, stream, hours, (current) => {
      const currentHours = current.retentionMs / kinesisLimits.hourMs;
      if (!(hours > currentHours)) return;
      const sentence =
        `Requested retention period (${hours} hours) for stream ${stream.name} can not be longer than existing ` +
        `retention period (${currentHours} hours). Use IncreaseRetentionPeriod API.`;
      throw kinesisError('InvalidArgumentException', sentence);
    });
    return undefined;
  },
});
