import type { RequestError } from '../../kernel/errors.ts';
import { nextTurn } from '../../kernel/flow/next-turn.ts';
import { canonicalJson } from '../../kernel/json.ts';
import type { Identity } from '../../ports/capability.ts';
import type { Environment } from '../../ports/environment.ts';
import type { Records, ShardInfo, StreamChange, StreamInfo, StreamMode, StreamSpec } from '../../ports/records.ts';
import { shardKey } from '../../ports/stream-store.ts';
import type { Account } from './account.ts';
import type { AnswerMemory } from './answer-memory.ts';
import type { StreamsOptions } from './config.ts';
import type { Consumers } from './consumers.ts';
import { kinesisError } from './errors.ts';
import type { FanOut } from './fan-out.ts';
import { kinesisLimits } from './limits.ts';
import { packSettings, settingsOf } from './settings.ts';

/** What Kinesis actions work with. */
export interface KinesisState {
  readonly records: Records;
  readonly consumers: Consumers;
  readonly fanOut: FanOut;
  readonly account: Account;
  readonly identity: Identity;
  readonly environment: Environment;
  readonly memory: AnswerMemory;
  /** Streams that the config file names. */
  named: ReadonlySet<string>;
}

/** What a stream is asked to be, in AWS's words. */
export interface StreamRequest {
  readonly mode: StreamMode;
  readonly shardCount?: number | undefined;
  readonly retentionHours?: number | undefined;
  readonly maxRecordKib?: number | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly warmThroughputMiBps?: number | undefined;
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
    ...(request.warmThroughputMiBps !== undefined &&
      packSettings({ warmThroughputMiBps: request.warmThroughputMiBps })),
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
  const arn = `--stream-arn ${stream.arn}`;
  const found: string[] = [];
  if (stream.mode !== wanted.mode) {
    const target = `--stream-mode-details StreamMode=${wanted.mode}`;
    found.push(`mode is ${stream.mode}: aws kinesis update-stream-mode ${arn} ${target}`);
  } else if (stream.mode === 'PROVISIONED' && stream.targetShardCount !== wanted.shardCount) {
    const target = `--target-shard-count ${wanted.shardCount} --scaling-type UNIFORM_SCALING`;
    found.push(`${stream.targetShardCount} shards: aws kinesis update-shard-count ${name} ${target}`);
  }
  if (stream.retentionMs > wanted.retentionMs) {
    const hours = wanted.retentionMs / kinesisLimits.hourMs;
    const target = `--retention-period-hours ${hours}`;
    found.push(`records are kept longer: aws kinesis decrease-stream-retention-period ${name} ${target}`);
  }
  if (stream.maxRecordBytes !== wanted.maxRecordBytes) {
    const target = `--max-record-size-in-ki-b ${wanted.maxRecordBytes / 1024}`;
    const current = `records of up to ${stream.maxRecordBytes / 1024} KiB`;
    found.push(`${current}: aws kinesis update-max-record-size ${arn} ${target}`);
  }
  return found;
}

/** How many streams there are against the quotas of an account. */
export function countStreams({ records }: KinesisState): { openShards: number; onDemandStreams: number } {
  let [openShards, onDemandStreams] = [0, 0];
  for (const { mode, shardCount, targetShardCount } of records.list()) {
    if (mode === 'ON_DEMAND') onDemandStreams += 1;
    else openShards += Math.max(shardCount, targetShardCount);
  }
  return { openShards, onDemandStreams };
}

/** Whether a stream, or so many open shards of a provisioned one, may come: LimitExceededException. */
export function checkQuota(state: KinesisState, mode: StreamMode, shards: number): void {
  const { openShards, onDemandStreams } = countStreams(state);
  const isOnDemand = mode === 'ON_DEMAND';
  const limit = isOnDemand ? kinesisLimits.onDemandStreamsMax : kinesisLimits.provisionedShardsMax;
  if ((isOnDemand ? onDemandStreams + 1 : openShards + shards) <= limit) return;
  throw overLimit(state, isOnDemand ? 'on-demand stream' : 'shard', limit);
}

/** AWS's sentence about an account that has enough. */
export function overLimit({ identity }: KinesisState, what: string, limit: number): RequestError {
  const sentence =
    `This request would exceed the ${what} limit for the account ${identity.account} in ${identity.region}. ` +
    `Limit: ${limit}.`;
  return kinesisError('LimitExceededException', sentence);
}

/** A shard as AWS describes it. */
function describeShard(shard: ShardInfo): Record<string, unknown> {
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

/** Shards described between two turns of the loop. */
const DESCRIBED_PER_TURN = 250;

/** The same for any number of them, in turns of the loop. */
export async function describeShards(
  { environment }: KinesisState,
  shards: readonly ShardInfo[],
): Promise<readonly Record<string, unknown>[]> {
  const described: Record<string, unknown>[] = [];
  for (let from = 0; from < shards.length; from += DESCRIBED_PER_TURN) {
    if (from > 0) await nextTurn(environment.clock);
    for (const shard of shards.slice(from, from + DESCRIBED_PER_TURN)) described.push(describeShard(shard));
  }
  return described;
}

/** What DescribeStream and DescribeStreamSummary both say of a stream. */
export function describeCommon(stream: StreamInfo): Record<string, unknown> {
  const { keyId, shardLevelMetrics = [] } = settingsOf(stream);
  return {
    StreamName: stream.name,
    StreamARN: stream.arn,
    StreamStatus: stream.isResharding ? 'UPDATING' : 'ACTIVE',
    StreamModeDetails: { StreamMode: stream.mode },
    RetentionPeriodHours: stream.retentionMs / kinesisLimits.hourMs,
    StreamCreationTimestamp: stream.createdAt,
    EnhancedMonitoring: [{ ShardLevelMetrics: shardLevelMetrics }],
    ...(keyId === undefined ? { EncryptionType: 'NONE' } : { EncryptionType: 'KMS', KeyId: keyId }),
  };
}

/** A page of shards, and whether there are more. */
export interface ShardPage {
  readonly shards: readonly ShardInfo[];
  readonly hasMore: boolean;
}

/**
 * The first `max` shards behind the id `after` that are wanted and can still be read: a closed one goes when the last
 * of its records is older than the stream keeps. There may be 10,000 of them, so that they are gone through once.
 */
export function pageOfShards(
  { environment }: KinesisState,
  { shards, retentionMs }: StreamInfo,
  { after = '', max, isWanted }: { after?: string | undefined; max: number; isWanted?: (shard: ShardInfo) => boolean },
): ShardPage {
  const oldestAt = environment.clock.now() - retentionMs;
  const page: ShardInfo[] = [];
  for (const shard of shards) {
    if (shard.id <= after || (shard.closedAt !== undefined && shard.closedAt < oldestAt)) continue;
    if (isWanted !== undefined && !isWanted(shard)) continue;
    if (page.length === max) return { shards: page, hasMore: true };
    page.push(shard);
  }
  return { shards: page, hasMore: false };
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
