import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { StreamExists, type StreamMode } from '../../../ports/records.ts';
import { kinesisError } from '../errors.ts';
import { kinesisLimits } from '../limits.ts';
import { checkTags } from '../tags.ts';
import { checkQuota, overLimit, streamSpec, type KinesisState } from '../model.ts';
import { TARGET, distributionStrategy, streamModeDetails, streamName, tagMap } from '../shapes.ts';
import { checkWarmThroughput } from '../warm-throughput.ts';

const input = s.struct({
  StreamName: streamName,
  ShardCount: s.optional(s.integer({ min: 1 })),
  StreamModeDetails: s.optional(streamModeDetails),
  Tags: s.optional(tagMap),
  WarmThroughputMiBps: s.optional(s.integer({ min: 0 })),
  MaxRecordSizeInKiB: s.optional(s.integer({ min: kinesisLimits.recordKibMin, max: kinesisLimits.recordKibMax })),
  RecordDistributionStrategy: s.optional(distributionStrategy),
});

/** Creates a stream; it is ACTIVE when the answer comes. */
export const createStream = operation<KinesisState>()({
  name: 'CreateStream',
  target: TARGET,
  input,
  errors: ['InvalidArgumentException', 'LimitExceededException', 'ResourceInUseException', 'ValidationException'],
  plane: 'control',
  doc: 'Creates a stream, provisioned or on-demand (4 shards); ACTIVE when the answer comes.',
  async handle(request, { state }) {
    const mode = request.StreamModeDetails?.StreamMode === 'ON_DEMAND' ? 'ON_DEMAND' : 'PROVISIONED';
    if (mode === 'ON_DEMAND' && request.ShardCount !== undefined) {
      const sentence = 'ShardCount cannot be provided for a stream in ON_DEMAND mode.';
      throw kinesisError('InvalidArgumentException', sentence);
    }
    if (mode === 'PROVISIONED' && request.ShardCount === undefined) {
      const sentence = 'ShardCount must be provided for a stream in PROVISIONED mode.';
      throw kinesisError('InvalidArgumentException', sentence);
    }
    if ((request.ShardCount ?? 0) > kinesisLimits.shardsPerStreamMax) {
      throw overLimit(state, 'shard', kinesisLimits.shardsPerStreamMax);
    }
    const { Tags: tags = {}, WarmThroughputMiBps: warmThroughputMiBps } = request;
    checkTags(state, request.StreamName, tags);
    checkStrategy(mode, request.RecordDistributionStrategy);
    checkWarmThroughput(state, mode, warmThroughputMiBps);
    checkQuota(state, mode, request.ShardCount ?? 0);
    const shape = {
      mode,
      shardCount: request.ShardCount,
      maxRecordKib: request.MaxRecordSizeInKiB,
      tags,
      warmThroughputMiBps,
    } as const;
    try {
      await state.records.create(streamSpec(request.StreamName, shape));
    } catch (error) {
      if (!(error instanceof StreamExists)) throw error;
      const sentence = `Stream ${request.StreamName} under account ${state.identity.account} already exists.`;
      throw kinesisError('ResourceInUseException', sentence);
    }
    return undefined;
  },
});

/** Records go where their partition keys say: the one strategy that is built, and AWS's default. */
function checkStrategy(mode: StreamMode, strategy: string | undefined): void {
  if (strategy === undefined || (strategy === 'USER_PARTITION_KEY' && mode === 'ON_DEMAND')) return;
  const sentence =
    mode === 'ON_DEMAND'
      ? 'RecordDistributionStrategy AUTO is not built yet: leave it out.'
      : 'RecordDistributionStrategy can only be set for a stream in ON_DEMAND mode.';
  throw kinesisError('InvalidArgumentException', sentence);
}
