/**
 * The durable log as the rooms above see it. Both engines (one machine, Kafka) implement exactly this.
 * Invariants: acknowledged records are readable at their offset until trimmed; offsets of a shard only grow;
 * nothing follows END; readers never see what is not durable; one live writer per shard.
 */

import { EnvironmentError } from '../kernel/errors.ts';
import type { ReadMemory } from '../kernel/bytes/read-memory.ts';
import {
  EntryPlace,
  readEntryAt,
  readHeaders,
  type Header,
  type PackedEntries,
} from '../kernel/stream/packed-entries.ts';

export type { Entry, Header, PackedEntries } from '../kernel/stream/packed-entries.ts';

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

/** The name of a shard for who keeps positions of one stream: other generations of the stream are other shards. */
export function positionKey({ generation, ordinal }: Pick<ShardRef, 'generation' | 'ordinal'>): string {
  return `${generation}/${ordinal}`;
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

/** Records that follow each other in a shard and came at one time, packed in `bytes` from `from` to `to`. */
export interface StoredRun {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
  /** Offset of the first record; below 2^53. */
  readonly first: number;
  readonly count: number;
  /** Arrival in ms. */
  readonly at: number;
}

/** Where a read came to. `next`: where to read on; `end`: first offset not yet durable; `start`: oldest kept offset. */
export interface SliceBounds {
  readonly next: Offset;
  readonly end: Offset;
  readonly start: Offset;
  /** Set when the shard was closed: the offset after its last record. */
  readonly closedAt?: Offset;
}

/**
 * A piece of a shard. Its bytes never change, unless the reader lent memory for them; who keeps some of them keeps a
 * larger buffer alive.
 */
export class Slice implements SliceBounds {
  readonly runs: readonly StoredRun[];
  readonly count: number;
  readonly next: Offset;
  readonly end: Offset;
  readonly start: Offset;
  readonly closedAt?: Offset;
  #payloadBytes: number | undefined;
  #records: readonly StoredRecord[] | undefined;

  /** `payloadBytes`: where they were counted already. */
  constructor(runs: readonly StoredRun[], bounds: SliceBounds, payloadBytes?: number) {
    this.runs = runs;
    this.#payloadBytes = payloadBytes;
    this.count = runs.reduce((sum, run) => sum + run.count, 0);
    this.next = bounds.next;
    this.end = bounds.end;
    this.start = bounds.start;
    if (bounds.closedAt !== undefined) this.closedAt = bounds.closedAt;
  }

  /** Bytes of data and key, which limits of reads count. */
  get payloadBytes(): number {
    this.#payloadBytes ??= this.runs.reduce((sum, run) => sum + payloadOf(run), 0);
    return this.#payloadBytes;
  }

  /** One object for each record, made when first asked for; who handles many records reads `runs` instead. */
  get records(): readonly StoredRecord[] {
    this.#records ??= this.runs.flatMap(unpack);
    return this.#records;
  }

  /** The same, said to begin at `start` where the store still holds older records. */
  from(start: Offset): Slice {
    const { runs, next, end, closedAt } = this;
    if (start <= this.start) return this;
    return new Slice(runs, { next, end, start, ...(closedAt !== undefined && { closedAt }) }, this.#payloadBytes);
  }
}

function payloadOf({ bytes, from, to, count }: StoredRun): number {
  const place = new EntryPlace();
  let payload = 0;
  for (let index = 0, at = from; index < count; index += 1, at = place.end) {
    readEntryAt(bytes, at, to, place);
    payload += place.payloadBytes;
  }
  return payload;
}

function unpack({ bytes, from, to, first, count, at }: StoredRun): StoredRecord[] {
  const place = new EntryPlace();
  let position = from;
  return Array.from({ length: count }, (_, index) => {
    readEntryAt(bytes, position, to, place);
    position = place.end;
    return {
      offset: BigInt(first + index),
      at,
      key: bytes.subarray(place.keyAt, place.headersAt),
      data: bytes.subarray(place.dataAt, place.end),
      headers: readHeaders(bytes, place),
    };
  });
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

/** What stands at the asked-for offset is not what was written there; `next`: the first offset behind the place. */
export class Damaged extends EnvironmentError {
  readonly next: Offset;
  constructor(message: string, next: Offset) {
    super('EIO', message);
    this.next = next;
  }
}

/** What was read; where a damaged place begins, which `damaged` hears of, no records and where to go on. */
export async function orPastDamage(
  reading: Promise<Slice>,
  damaged: (place: Damaged) => void = () => undefined,
): Promise<Pick<Slice, 'runs' | 'records' | 'next'>> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof Damaged)) throw error;
    damaged(error);
    return { runs: [], records: [], next: error.next };
  }
}

/** Known not to be written (queue full, log stopping, disk full): safe to try again later. */
export class Unavailable extends Error {
  override readonly name: string = 'Unavailable';
}

/** The same because the disk is full, or what the log may take of it: until somebody makes room. */
export class DiskFull extends Unavailable {}

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
   * The entries' bytes are the log's from the call on: nobody changes them any more.
   */
  append(entries: PackedEntries): Promise<Appended>;
  /** Writes END: no record can follow. Resolves with the offset after the last record. */
  close(): Promise<Offset>;
  release(): Promise<void>;
}

export interface ShardOptions {
  readonly retentionMs: number;
}

/** Where a shard stands. `start`: oldest kept offset; `end`: first offset that is not durable. */
export interface ShardBounds {
  readonly start: Offset;
  readonly end: Offset;
  /** At most so many records stand between the two: numbers that damage took are given to none. */
  readonly records: number;
  /** When the newest record arrived, in ms; 0: none did. */
  readonly lastAt: number;
  /** Set when the shard was closed: the offset after its last record. */
  readonly closedAt?: Offset;
}

export interface StreamStore {
  /** Memory for entries that are filled and appended in this turn of the loop; then it is the log’s again. */
  lend(bytes: number): Uint8Array;
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
   * (at least one record when there is one). Rejects with Trimmed below the oldest kept offset, with Damaged where the
   * disk does not hold what was written.
   * `into` is memory for what is read: the slice lies in it, or in memory of its own, and in nothing that the log
   * keeps. Once the read has settled, either way, the log neither writes into it nor looks at it.
   */
  read(
    shard: ShardRef,
    from: Offset,
    limit: { readonly records: number; readonly bytes: number },
    into?: ReadMemory,
  ): Promise<Slice>;
  /** Resolves when records at or after `from` are durable, the shard is closed or dropped, or `signal` aborts. */
  waitForMore(shard: ShardRef, from: Offset, signal: AbortSignal): Promise<void>;
  /** Offset of the first record with `at >= timeMs`, else the end. */
  positionAt(shard: ShardRef, timeMs: number): Promise<Offset>;
  bounds(shard: ShardRef): ShardBounds;
  /** A hint that records below `before` are not needed; they may stay readable for a while. Never moves back. */
  trim(shard: ShardRef, before: Offset): Promise<void>;
  retain(shard: ShardRef, retentionMs: number): Promise<void>;
}
