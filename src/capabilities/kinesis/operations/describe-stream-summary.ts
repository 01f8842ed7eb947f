import { isOpen, type StreamInfo } from '../../../ports/records.ts';
import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { addressedStream } from '../address.ts';
import { kinesisLimits } from '../limits.ts';
import { describeCommon, type KinesisState } from '../model.ts';
import {
  TARGET,
  describedStream,
  distributionStrategy,
  streamArn,
  streamId,
  streamName,
  warmThroughput,
} from '../shapes.ts';
import { settingsOf } from '../settings.ts';
import { describeWarmThroughput } from '../warm-throughput.ts';

const input = s.struct({
  StreamName: s.optional(streamName),
  StreamARN: s.optional(streamArn),
  StreamId: s.optional(streamId),
});

const count = s.integer({ min: 0, max: 1_000_000 });
const output = s.struct({
  StreamDescriptionSummary: s.struct({
    ...describedStream,
    StreamId: s.optional(streamId),
    OpenShardCount: count,
    ConsumerCount: s.optional(count),
    WarmThroughput: s.optional(warmThroughput),
    MaxRecordSizeInKiB: s.optional(s.integer({ min: kinesisLimits.recordKibMin, max: kinesisLimits.recordKibMax })),
    ChannelCount: s.optional(count),
    RecordDistributionStrategy: s.optional(distributionStrategy),
    QueueCount: s.optional(count),
  }),
});

/** Describes a stream without its shards. */
export const describeStreamSummary = operation<KinesisState>()({
  name: 'DescribeStreamSummary',
  target: TARGET,
  input,
  output,
  errors: ['InvalidArgumentException', 'ResourceNotFoundException'],
  plane: 'control',
  doc: 'Describes a stream without its shards.',
  async handle(request, { state }) {
    const stream = addressedStream(state, request);
    return {
      StreamDescriptionSummary: {
        ...describeCommon(stream),
        OpenShardCount: stream.shards.filter(isOpen).length,
        ConsumerCount: state.consumers.list(stream).length,
        MaxRecordSizeInKiB: stream.maxRecordBytes / 1024,
        ChannelCount: 0,
        QueueCount: 0,
        ...onDemandMembers(stream),
      },
    };
  },
});

/** What AWS says of on-demand streams only. */
function onDemandMembers(stream: StreamInfo): Record<string, unknown> {
  if (stream.mode !== 'ON_DEMAND') return {};
  const { warmThroughputMiBps } = settingsOf(stream);
  return {
    ...(warmThroughputMiBps !== undefined && { WarmThroughput: describeWarmThroughput(warmThroughputMiBps) }),
    RecordDistributionStrategy: 'USER_PARTITION_KEY',
  };
}
