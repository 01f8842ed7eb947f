import { assert } from '../../kernel/assert.ts';
import { shardId, streamArn } from '../../kernel/names.ts';
import { splitHashKeys } from '../../kernel/stream/hash-key.ts';
import { encodeSequenceNumber } from '../../kernel/stream/sequence-number.ts';
import type { Identity } from '../../ports/capability.ts';
import type { CatalogEntry, Json } from '../../ports/catalog.ts';
import {
  isOpen,
  type Reshard,
  type ShardInfo,
  type StreamChange,
  type StreamInfo,
  type StreamMode,
  type StreamSettings,
  type StreamSpec,
} from '../../ports/records.ts';

/** Catalog keys of streams start with it. */
export const STREAM_PREFIX = 'stream/';

/** A shard as it stands in the catalog; hash keys are decimal digits. */
interface ShardEntry {
  readonly generation: number;
  readonly ordinal: number;
  readonly startingHashKey: string;
  readonly endingHashKey: string;
  readonly endingSequenceNumber?: string;
  readonly parentShardId?: string;
  readonly adjacentParentShardId?: string;
  /** Absent: when the stream was created. */
  readonly openedAt?: number;
  readonly closedAt?: number;
}

/** A reshard that was begun: the shards of these ordinals are being closed, then these children open. */
interface PendingReshard {
  readonly parents: readonly number[];
  readonly children: readonly ShardEntry[];
}

/** A stream as it stands in the catalog under `stream/<name>`. */
interface StreamEntry {
  readonly mode: StreamMode;
  readonly retentionMs: number;
  readonly maxRecordBytes: number;
  readonly createdAt: number;
  readonly shards: readonly ShardEntry[];
  readonly tags?: Readonly<Record<string, string>>;
  readonly settings?: StreamSettings;
  readonly resharding?: PendingReshard;
}

/** The catalog value of a new stream whose shards share the hash keys evenly. */
export function newStreamEntry(spec: StreamSpec, generation: number, createdAt: number): Json {
  return {
    mode: spec.mode,
    retentionMs: spec.retentionMs,
    maxRecordBytes: spec.maxRecordBytes,
    createdAt,
    ...(spec.tags !== undefined && { tags: spec.tags }),
    ...(spec.settings !== undefined && { settings: spec.settings }),
    shards: splitHashKeys(spec.shardCount).map((range, ordinal) => ({
      generation,
      ordinal,
      startingHashKey: range.start.toString(),
      endingHashKey: range.end.toString(),
    })),
  };
}

/** The stream an entry of the catalog describes. */
export function readStreamEntry(entry: CatalogEntry, identity: Identity): StreamInfo {
  const name = entry.key.slice(STREAM_PREFIX.length);
  // Only `newStreamEntry` and its successors write these keys.
  const stream = entry.value as unknown as StreamEntry;
  return {
    name,
    mode: stream.mode,
    shardCount: stream.shards.filter(isOpen).length,
    retentionMs: stream.retentionMs,
    maxRecordBytes: stream.maxRecordBytes,
    arn: streamArn(identity.region, identity.account, name),
    createdAt: stream.createdAt,
    shards: stream.shards.map((shard) => readShard(name, shard, stream.createdAt)),
    tags: stream.tags ?? {},
    settings: stream.settings ?? {},
    isResharding: stream.resharding !== undefined,
    revision: entry.revision,
  };
}

function readShard(stream: string, entry: ShardEntry, createdAt: number): ShardInfo {
  const { generation, ordinal, startingHashKey, endingHashKey, ...ancestry } = entry;
  const ref = { stream, generation, ordinal };
  return {
    id: shardId(ordinal),
    ref,
    startingHashKey: BigInt(startingHashKey),
    endingHashKey: BigInt(endingHashKey),
    startingSequenceNumber: encodeSequenceNumber(ref, 0n),
    openedAt: createdAt,
    ...ancestry,
  };
}

/** The entry with a change taken over. */
export function changedEntry(value: Json, change: StreamChange): Json {
  return { ...(value as unknown as StreamEntry), ...change } as unknown as Json;
}

/** The entry with a reshard begun; the named shards must be open, and neighbours where two are merged. */
export function beginReshard(value: Json, change: Reshard): Json {
  const stream = value as unknown as StreamEntry;
  const find = (id: string): ShardEntry => {
    const found = stream.shards.find((shard) => shardId(shard.ordinal) === id);
    assert(found !== undefined && isOpen(found), 'a shard that is resharded is open');
    return found;
  };
  const next = Math.max(...stream.shards.map(({ ordinal }) => ordinal)) + 1;
  const resharding =
    'split' in change
      ? splitOf(find(change.split), change.at, next)
      : mergeOf(find(change.merge), find(change.with), next);
  return { ...stream, resharding } as unknown as Json;
}

function splitOf(parent: ShardEntry, at: bigint, next: number): PendingReshard {
  const { generation, ordinal, startingHashKey, endingHashKey } = parent;
  const child = { generation, parentShardId: shardId(ordinal) };
  return {
    parents: [ordinal],
    children: [
      { ...child, ordinal: next, startingHashKey, endingHashKey: (at - 1n).toString() },
      { ...child, ordinal: next + 1, startingHashKey: at.toString(), endingHashKey },
    ],
  };
}

function mergeOf(one: ShardEntry, other: ShardEntry, next: number): PendingReshard {
  const [low, high] = BigInt(one.startingHashKey) < BigInt(other.startingHashKey) ? [one, other] : [other, one];
  assert(BigInt(low.endingHashKey) + 1n === BigInt(high.startingHashKey), 'shards that are merged are neighbours');
  return {
    parents: [one.ordinal, other.ordinal],
    children: [
      {
        generation: one.generation,
        ordinal: next,
        startingHashKey: low.startingHashKey,
        endingHashKey: high.endingHashKey,
        parentShardId: shardId(one.ordinal),
        adjacentParentShardId: shardId(other.ordinal),
      },
    ],
  };
}

/** Ordinals of the shards that a reshard is closing; undefined when none is under way. */
export function reshardingParents(value: Json): readonly number[] | undefined {
  return (value as unknown as StreamEntry).resharding?.parents;
}

/** The entry once the parents are closed for good: `endings` are their last sequence numbers, by ordinal. */
export function finishReshard(value: Json, endings: ReadonlyMap<number, string>, now: number): Json {
  const { resharding, ...stream } = value as unknown as StreamEntry;
  assert(resharding !== undefined, 'a reshard is under way');
  const shards = stream.shards.map((shard) => {
    const endingSequenceNumber = endings.get(shard.ordinal);
    return endingSequenceNumber === undefined ? shard : { ...shard, endingSequenceNumber, closedAt: now };
  });
  const children = resharding.children.map((child) => ({ ...child, openedAt: now }));
  return { ...stream, shards: [...shards, ...children] } as unknown as Json;
}
