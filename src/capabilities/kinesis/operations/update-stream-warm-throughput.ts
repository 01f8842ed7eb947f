import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { addressedStream } from '../address.ts';
import type { KinesisState } from '../model.ts';
import { refuseBusy } from '../resharding.ts';
import { changeStream, packSettings } from '../settings.ts';
import { streamArn, streamId, streamName, TARGET, warmThroughput } from '../shapes.ts';
import { checkWarmThroughput, describeWarmThroughput } from '../warm-throughput.ts';

const input = s.struct({
  StreamARN: s.optional(streamArn),
  StreamName: s.optional(streamName),
  StreamId: s.optional(streamId),
  WarmThroughputMiBps: s.integer({ min: 0 }),
});

const output = s.struct({
  StreamARN: s.optional(streamArn),
  StreamName: s.optional(streamName),
  WarmThroughput: s.optional(warmThroughput),
});

/** Notes how much an on-demand stream is to be ready for. */
export const updateStreamWarmThroughput = operation<KinesisState>()({
  name: 'UpdateStreamWarmThroughput',
  target: TARGET,
  input,
  output,
  errors: [
    'InvalidArgumentException',
    'LimitExceededException',
    'ResourceInUseException',
    'ResourceNotFoundException',
    'ValidationException',
  ],
  plane: 'control',
  doc: 'Notes and reports how much an on-demand stream is to be ready for; its shards stay as they are.',
  async handle(request, { state }) {
    const stream = addressedStream(state, request);
    const { WarmThroughputMiBps: warmThroughputMiBps } = request;
    refuseBusy(state, stream);
    await changeStream(state, stream, ({ mode }, kept) => {
      checkWarmThroughput(state, mode, warmThroughputMiBps);
      return packSettings({ ...kept, warmThroughputMiBps });
    });
    return {
      StreamARN: stream.arn,
      StreamName: stream.name,
      WarmThroughput: describeWarmThroughput(warmThroughputMiBps),
    };
  },
});
