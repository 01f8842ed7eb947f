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
    const { RetentionPeriodHours: hours } = request;
    await changeRetention(state, stream, hours, (current) => {
      const currentHours = current.retentionMs / kinesisLimits.hourMs;
      if (!(hours < currentHours)) return;
      const sentence =
        `Requested retention period (${hours} hours) for stream ${stream.name} can not be shorter than existing ` +
        `retention period (${currentHours} hours). Use DecreaseRetentionPeriod API.`;
      throw kinesisError('InvalidArgumentException', sentence);
    });
    return undefined;
  },
});
