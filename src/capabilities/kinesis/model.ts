import { canonicalJson } from '../../kernel/json.ts';
import type { Identity } from '../../ports/capability.ts';
import type { Environment } from '../../ports/environment.ts';
import type { Records, ShardInfo, StreamChange, StreamInfo, StreamSpec } from '../../ports/records.ts';
import { shardKey } from '../../ports/stream-store.ts';
import type { AnswerMemory } from './answer-memory.ts';
import type { StreamsOptions } from './config.ts';
import type { Consumers } from './consumers.ts';
import type { FanOut } from './fan-out.ts';
import { kinesisLimits } from './limits.ts';

/** What Kinesis actions work with. */
export interface KinesisState {
  readonly records: Records;
  readonly consumers: Consumers;
  readonly fanOut: FanOut;
  readonly identity: Identity;
  readonly environment: Environment;
  readonly memory: AnswerMemory;
  /** Streams that the config file names. */
  named: ReadonlySet<string>;
}

/** What a stream is asked to be, in AWS's words. */
export interface StreamRequest {
  readonly mode: 'ON_DEMAND' | 'PROVISIONED';
  readonly shardCount?: number | undefined;
  readonly retentionHours?: number | undefined;
  readonly maxRecordKib?: number | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

/** The stream that a request describes; absent values are AWS's defaults. */
export function streamSpec(name: string, request: StreamRequest): StreamSpec {
  const { mode, retentionHours = kinesisLimits.retentionHoursMin } = request;
  return {
    name,
    mode,
    shardCount: mode === 'ON_DEMAND' ? kinesisLimits.onDemandShards : (request.shardCount ?? 1),
    retentionMs: retentionHours * kinesisLimits.hourMs,
    ...(request.tags !== undefined && { tags: request.tags }),
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
    tags: options.Tags,
  });
}

/** What the file may change of a stream without loss. */
export function allowedChange(stream: StreamInfo, wanted: StreamSpec): StreamChange {
  return {
    ...(wanted.retentionMs > stream.retentionMs && { retentionMs: wanted.retentionMs }),
    ...(wanted.tags !== undefined &&
      canonicalJson(stream.tags) !== canonicalJson(wanted.tags) && { tags: wanted.tags }),
  };
}

/** What differs from the file and is not the file's to change, each with the command that changes it. */
export function drift(stream: StreamInfo, wanted: StreamSpec): string[] {
  const name = `--stream-name ${stream.name}`;
  const found: string[] = [];
  if (stream.mode !== wanted.mode) found.push(`mode is ${stream.mode}: changing it is not built yet`);
  else if (stream.mode === 'PROVISIONED' && stream.shardCount !== wanted.shardCount) {
    const target = `--target-shard-count ${wanted.shardCount} --scaling-type UNIFORM_SCALING`;
    found.push(`${stream.shardCount} shards: aws kinesis update-shard-count ${name} ${target}`);
  }
  if (stream.retentionMs > wanted.retentionMs) {
    const hours = wanted.retentionMs / kinesisLimits.hourMs;
    const target = `--retention-period-hours ${hours}`;
    found.push(`records are kept longer: aws kinesis decrease-stream-retention-period ${name} ${target}`);
  }
  if (stream.maxRecordBytes !== wanted.maxRecordBytes) found.push('record size: changing it is not built yet');
  return found;
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

/** What DescribeStream and DescribeStreamSummary both say of a stream. */
export function describeCommon(stream: StreamInfo): Record<string, unknown> {
  return {
    StreamName: stream.name,
    StreamARN: stream.arn,
    StreamStatus: stream.isResharding ? 'UPDATING' : 'ACTIVE',
    StreamModeDetails: { StreamMode: stream.mode },
    RetentionPeriodHours: stream.retentionMs / kinesisLimits.hourMs,
    StreamCreationTimestamp: stream.createdAt,
    EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
    EncryptionType: 'NONE',
  };
}

/** Shards that can still be read: a closed one goes when the last of its records is older than the stream keeps. */
export function visibleShards({ environment }: KinesisState, stream: StreamInfo): readonly ShardInfo[] {
  const oldestAt = environment.clock.now() - stream.retentionMs;
  return stream.shards.filter(({ closedAt }) => closedAt === undefined || closedAt >= oldestAt);
}

/**
 * The children of a closed shard, as AWS names them to who has read it to its end. Undefined for another moment where
 * it takes no more records and they are not open yet.
 */
export function childShards({ records }: KinesisState, stream: StreamInfo, parent: ShardInfo): unknown[] | undefined {
  const { shards } = records.describe(stream.name) ?? stream;
  const isClosed = shards.some(({ ref, endingSequenceNumber }) => {
    return endingSequenceNumber !== undefined && shardKey(ref) === shardKey(parent.ref);
  });
  if (!isClosed) return undefined;
  return shards
    .filter(({ parentShardId, adjacentParentShardId }) => [parentShardId, adjacentParentShardId].includes(parent.id))
    .map((child) => ({
      ShardId: child.id,
      ParentShards: [child.parentShardId, child.adjacentParentShardId].filter((id) => id !== undefined),
      HashKeyRange: {
        StartingHashKey: child.startingHashKey.toString(),
        EndingHashKey: child.endingHashKey.toString(),
      },
    }));
}

/** 0 at the tip and at a closed shard's end, else how old the place is that was reached; at least 1. */
export function millisBehind(isAtEnd: boolean, lastAt: number | undefined, now: number): number {
  if (isAtEnd) return 0;
  return lastAt === undefined ? 1 : Math.max(1, now - lastAt);
}
