import { shardId, streamArn } from '../../kernel/names.ts';
import { splitHashKeys } from '../../kernel/stream/hash-key.ts';
import { encodeSequenceNumber } from '../../kernel/stream/sequence-number.ts';
import type { Identity } from '../../ports/capability.ts';
import type { CatalogEntry, Json } from '../../ports/catalog.ts';
import type { ShardInfo, StreamInfo, StreamMode, StreamSpec } from '../../ports/records.ts';

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
}

/** A stream as it stands in the catalog under `stream/<name>`. */
interface StreamEntry {
  readonly mode: StreamMode;
  readonly retentionMs: number;
  readonly maxRecordBytes: number;
  readonly createdAt: number;
  readonly shards: readonly ShardEntry[];
}

/** The catalog value of a new stream whose shards share the hash keys evenly. */
export function newStreamEntry(spec: StreamSpec, generation: number, createdAt: number): Json {
  return {
    mode: spec.mode,
    retentionMs: spec.retentionMs,
    maxRecordBytes: spec.maxRecordBytes,
    createdAt,
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
    shards: stream.shards.map((shard) => readShard(name, shard)),
    revision: entry.revision,
  };
}

/** Whether records can still be put into the shard. */
export function isOpen(shard: { readonly endingSequenceNumber?: string }): boolean {
  return shard.endingSequenceNumber === undefined;
}

function readShard(stream: string, entry: ShardEntry): ShardInfo {
  const { generation, ordinal, startingHashKey, endingHashKey, ...ancestry } = entry;
  const ref = { stream, generation, ordinal };
  return {
    id: shardId(ordinal),
    ref,
    startingHashKey: BigInt(startingHashKey),
    endingHashKey: BigInt(endingHashKey),
    startingSequenceNumber: encodeSequenceNumber(ref, 0n),
    ...ancestry,
  };
}
