import { streamArn } from '../../kernel/names.ts';
import { splitHashKeys } from '../../kernel/stream/hash-key.ts';
import type { Identity } from '../../ports/capability.ts';
import type { CatalogEntry, Json } from '../../ports/catalog.ts';
import {
  isOpen,
  type ShardInfo,
  type StreamChange,
  type StreamInfo,
  type StreamMode,
  type StreamSettings,
  type StreamSpec,
} from '../../ports/records.ts';
import { openAfter, type ReshardIntent } from './reshard-plan.ts';
import type { ShardEntry } from './shard-entry.ts';

/** Catalog keys of streams start with it. */
export const STREAM_PREFIX = 'stream/';

/** A stream as it stands in the catalog under `stream/<name>`; its shards have entries of their own. */
export interface StreamEntry {
  readonly generation: number;
  readonly mode: StreamMode;
  readonly retentionMs: number;
  readonly maxRecordBytes: number;
  readonly createdAt: number;
  readonly tags?: Readonly<Record<string, string>>;
  readonly settings?: StreamSettings;
  readonly resharding?: ReshardIntent;
}

/** The catalog value of a new stream. */
export function newStreamEntry(spec: StreamSpec, generation: number, createdAt: number): Json {
  return {
    generation,
    mode: spec.mode,
    retentionMs: spec.retentionMs,
    maxRecordBytes: spec.maxRecordBytes,
    createdAt,
    ...(spec.tags !== undefined && { tags: spec.tags }),
    ...(spec.settings !== undefined && { settings: spec.settings }),
  };
}

/** The first shards of a stream, which share the hash keys evenly. */
export function newShardEntries({ shardCount }: StreamSpec, generation: number): ShardEntry[] {
  return splitHashKeys(shardCount).map(({ start, end }, ordinal) => ({
    generation,
    ordinal,
    startingHashKey: start.toString(),
    endingHashKey: end.toString(),
  }));
}

/** What stands in an entry of the catalog. */
export function streamOf({ value }: Pick<CatalogEntry, 'value'>): StreamEntry {
  // Only `newStreamEntry` and its successors write these keys.
  return value as unknown as StreamEntry;
}

/** The name in a key. */
export function nameOfStream(key: string): string {
  return key.slice(STREAM_PREFIX.length);
}

/** The stream an entry of the catalog describes; `revision` is the newest of all its entries. */
export function readStream(
  entry: CatalogEntry,
  shards: readonly ShardInfo[],
  revision: bigint,
  identity: Identity,
): StreamInfo {
  const name = nameOfStream(entry.key);
  const stream = streamOf(entry);
  const shardCount = shards.filter(isOpen).length;
  return {
    name,
    mode: stream.mode,
    shardCount,
    targetShardCount: openAfter(shardCount, stream.resharding),
    retentionMs: stream.retentionMs,
    maxRecordBytes: stream.maxRecordBytes,
    arn: streamArn(identity.region, identity.account, name),
    createdAt: stream.createdAt,
    shards,
    tags: stream.tags ?? {},
    settings: stream.settings ?? {},
    isResharding: stream.resharding !== undefined,
    revision,
  };
}

/** The entry with a change taken over. */
export function changedEntry(value: Json, change: StreamChange): Json {
  return { ...streamOf({ value }), ...change };
}

/** The entry with an intent to reshard, or without one. */
export function withIntent(value: Json, intent: ReshardIntent | undefined): Json {
  const { resharding: _, ...stream } = streamOf({ value });
  return { ...stream, ...(intent !== undefined && { resharding: intent }) };
}
