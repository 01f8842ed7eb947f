import { shardId } from '../../kernel/names.ts';
import { encodeSequenceNumber } from '../../kernel/stream/sequence-number.ts';
import type { CatalogEntry, CatalogOp, Json } from '../../ports/catalog.ts';
import type { ShardInfo } from '../../ports/records.ts';
import type { ShardRef } from '../../ports/stream-store.ts';

/** Catalog keys of shards start with it. */
export const SHARD_PREFIX = 'shard/';
/** So that the order of keys is the order of the numbers. */
const DIGITS = 16;

/** A shard as it stands in the catalog under `shard/<stream>/<generation>/<ordinal>`; hash keys are decimal digits. */
export interface ShardEntry {
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

/** What the keys of all shards of one generation of a stream start with. */
export function shardsPrefix(stream: string, generation: number): string {
  return `${SHARD_PREFIX}${stream}/${digits(generation)}/`;
}

/** The key of a shard. */
export function shardEntryKey({ stream, generation, ordinal }: ShardRef): string {
  return shardsPrefix(stream, generation) + digits(ordinal);
}

/** The shard that a key names; names of internal streams may have slashes. */
export function refOfShardKey(key: string): ShardRef {
  const tail = key.slice(-2 * DIGITS - 1);
  const stream = key.slice(SHARD_PREFIX.length, -tail.length - 1);
  return { stream, generation: Number(tail.slice(0, DIGITS)), ordinal: Number(tail.slice(DIGITS + 1)) };
}

/** Writes a shard; `expect` as for all operations of the catalog. */
export function putShard(stream: string, shard: ShardEntry, expect?: bigint | null): CatalogOp {
  const put = shard as unknown as Json;
  return { key: shardEntryKey({ stream, ...shard }), ...(expect !== undefined && { expect }), put };
}

/** What stands in an entry of the catalog. */
export function shardOf({ value }: CatalogEntry): ShardEntry {
  // Only `putShard` writes these keys.
  return value as unknown as ShardEntry;
}

/** A shard as everybody knows it. */
export function readShard(stream: string, entry: ShardEntry, createdAt: number): ShardInfo {
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

function digits(number: number): string {
  return number.toString().padStart(DIGITS, '0');
}
