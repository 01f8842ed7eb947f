/**
 * The durable log as the rooms above see it. Both engines (one machine, Kafka) implement exactly this.
 * Invariants: acknowledged records are readable at their offset until trimmed; offsets of a shard only grow;
 * nothing follows END; readers never see what is not durable; one live writer per shard.
 */

/** Position of one record inside one shard; grows, with gaps allowed. */
export type Offset = bigint;

/** Names one shard for ever: a stream created again gets another generation. Text form: `shardKey()`. */
export interface ShardRef {
  readonly stream: string;
  readonly generation: number;
  readonly ordinal: number;
}

/** The unambiguous text form of a shard's name, for maps and messages. */
export function shardKey(shard: ShardRef): string {
  return `${shard.stream}/${shard.generation}/${shard.ordinal}`;
}

/** A header of a record: name and bytes. Names are ASCII, at most 255 bytes; at most 255 headers. */
export type Header = readonly [name: string, value: Uint8Array];

/** What is appended: `key` is the partition key in UTF-8. */
export interface Entry {
  readonly key: Uint8Array;
  readonly data: Uint8Array;
  readonly headers?: readonly Header[];
}

/** Where a run of entries landed: offsets `first` .. `first + count - 1`; `at` is the log's time in ms. */
export interface Appended {
  readonly first: Offset;
  readonly count: number;
  readonly at: number;
}

/** An entry as read back; byte fields are slices of a larger buffer, to be copied when kept. */
export interface StoredRecord {
  readonly offset: Offset;
  readonly at: number;
  readonly key: Uint8Array;
  readonly data: Uint8Array;
  readonly headers: readonly Header[];
}

/** A piece of a shard. `next`: where to read on; `end`: first offset not yet durable; `start`: oldest kept offset. */
export interface Slice {
  readonly records: readonly StoredRecord[];
  readonly next: Offset;
  readonly end: Offset;
  readonly start: Offset;
  /** Set when the shard was closed: the offset after its last record. */
  readonly closedAt?: Offset;
}

/** Another owner took the shard over: stop, never retry. */
export class Fenced extends Error {
  override readonly name = 'Fenced';
}

/** The asked-for offset is older than what is kept. */
export class Trimmed extends Error {
  override readonly name = 'Trimmed';
  readonly start: Offset;
  constructor(start: Offset) {
    super(`trimmed below ${start}`);
    this.start = start;
  }
}

/** Known not to be written (queue full, log stopping, disk full): safe to try again later. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

/** No such shard (never created, or dropped). */
export class UnknownShard extends Error {
  override readonly name = 'UnknownShard';
}

/** The only way to append; one live writer per shard. */
export interface ShardWriter {
  /** Grows with every open. */
  readonly token: bigint;
  /** Everything below is final. */
  readonly openedAt: Offset;
  /**
   * Appends one contiguous run, in the order of calls; resolves once it survives a power cut.
   * Rejects with Fenced, Unavailable; never half of a run.
   * The caller must not change the entries' bytes until it resolves.
   */
  append(entries: readonly Entry[]): Promise<Appended>;
  /** Writes END: no record can follow. Resolves with the offset after the last record. */
  close(): Promise<Offset>;
  release(): Promise<void>;
}

export interface ShardOptions {
  readonly retentionMs: number;
}

export interface StreamStore {
  /** Makes the shards known; shards that exist already are left alone. */
  createShards(shards: readonly ShardRef[], options: ShardOptions): Promise<void>;
  /** Forgets the shards and lets their space be reclaimed; unknown ones are fine. */
  dropShards(shards: readonly ShardRef[]): Promise<void>;
  /** All shards the store knows. */
  shards(): readonly ShardRef[];
  /** Becomes the shard's writer; the previous writer's appends fail with Fenced from now on. */
  open(shard: ShardRef, lease: bigint): Promise<ShardWriter>;
  /**
   * Reads durable records from `from` on: at most `limit.records`, and about `limit.bytes` of key and data
   * (at least one record when there is one). Rejects with Trimmed below the oldest kept offset.
   */
  read(shard: ShardRef, from: Offset, limit: { readonly records: number; readonly bytes: number }): Promise<Slice>;
  /** Resolves when records at or after `from` are durable, the shard is closed or dropped, or `signal` aborts. */
  waitForMore(shard: ShardRef, from: Offset, signal: AbortSignal): Promise<void>;
  /** Offset of the first record with `at >= timeMs`, else the end. */
  positionAt(shard: ShardRef, timeMs: number): Promise<Offset>;
  bounds(shard: ShardRef): { readonly start: Offset; readonly end: Offset; readonly closedAt?: Offset };
  /** A hint that records below `before` are not needed; they may stay readable for a while. Never moves back. */
  trim(shard: ShardRef, before: Offset): Promise<void>;
  retain(shard: ShardRef, retentionMs: number): Promise<void>;
}
