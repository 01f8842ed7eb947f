import type { Identity } from '../../ports/capability.ts';
import type { Environment } from '../../ports/environment.ts';
import type { Records, ShardInfo, StreamInfo, StreamSpec } from '../../ports/records.ts';
import type { StreamsOptions } from './config.ts';
import { kinesisLimits } from './limits.ts';

/** What Kinesis actions work with. */
export interface KinesisState {
  readonly records: Records;
  readonly identity: Identity;
  readonly environment: Environment;
  /** Streams that the config file names. */
  named: ReadonlySet<string>;
}

/** What a stream is asked to be, in AWS's words. */
export interface StreamRequest {
  readonly mode: 'ON_DEMAND' | 'PROVISIONED';
  readonly shardCount?: number | undefined;
  readonly retentionHours?: number | undefined;
  readonly maxRecordKib?: number | undefined;
}

/** The stream that a request describes; absent values are AWS's defaults. */
export function streamSpec(name: string, request: StreamRequest): StreamSpec {
  const { mode, retentionHours = kinesisLimits.retentionHoursMin } = request;
  return {
    name,
    mode,
    shardCount: mode === 'ON_DEMAND' ? kinesisLimits.onDemandShards : (request.shardCount ?? 1),
    retentionMs: retentionHours * kinesisLimits.hourMs,
    maxRecordBytes: request.maxRecordKib === undefined ? kinesisLimits.recordBytesDefault : request.maxRecordKib * 1024,
  };
}

/** The stream that an entry of the config file describes. */
export function configuredSpec(name: string, options: StreamsOptions[string]): StreamSpec {
  return streamSpec(name, {
    mode: options.StreamModeDetails?.StreamMode === 'ON_DEMAND' ? 'ON_DEMAND' : 'PROVISIONED',
    shardCount: options.ShardCount,
    retentionHours: options.RetentionPeriodHours,
    maxRecordKib: options.MaxRecordSizeInKiB,
  });
}

/** Names of what differs between a stream and what the file asks for. */
export function drift(stream: StreamInfo, wanted: StreamSpec): string[] {
  const members = ['mode', 'shardCount', 'retentionMs', 'maxRecordBytes'] as const;
  return members.filter((member) => stream[member] !== wanted[member]);
}

/** A shard as AWS describes it. */
export function describeShard(shard: ShardInfo): Record<string, unknown> {
  return {
    ShardId: shard.id,
    ...(shard.parentShardId === undefined ? {} : { ParentShardId: shard.parentShardId }),
    ...(shard.adjacentParentShardId === undefined ? {} : { AdjacentParentShardId: shard.adjacentParentShardId }),
    HashKeyRange: {
      StartingHashKey: shard.startingHashKey.toString(),
      EndingHashKey: shard.endingHashKey.toString(),
    },
    SequenceNumberRange: {
      StartingSequenceNumber: shard.startingSequenceNumber,
      ...(shard.endingSequenceNumber === undefined ? {} : { EndingSequenceNumber: shard.endingSequenceNumber }),
    },
  };
}

/** Whether the shard still takes records. */
export function isOpen(shard: ShardInfo): boolean {
  return shard.endingSequenceNumber === undefined;
}

/** What DescribeStream and DescribeStreamSummary both say of a stream. */
export function describeCommon(stream: StreamInfo): Record<string, unknown> {
  return {
    StreamName: stream.name,
    StreamARN: stream.arn,
    StreamStatus: 'ACTIVE',
    StreamModeDetails: { StreamMode: stream.mode },
    RetentionPeriodHours: stream.retentionMs / kinesisLimits.hourMs,
    StreamCreationTimestamp: stream.createdAt,
    EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
    EncryptionType: 'NONE',
  };
}
