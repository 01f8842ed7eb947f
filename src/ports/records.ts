import type { ReadMemory } from '../kernel/bytes/read-memory.ts';
import { EnvironmentError } from '../kernel/errors.ts';
import type { HashKeyRouter } from '../kernel/stream/hash-key.ts';
import { entryBytes, writeEntryFront, type Entry } from '../kernel/stream/packed-entries.ts';
import type { Json } from '../kernel/json.ts';
import {
  Unavailable,
  UnknownShard,
  type Header,
  type Offset,
  type ShardBounds,
  type ShardRef,
  type Slice,
} from './stream-store.ts';

export type StreamMode = 'ON_DEMAND' | 'PROVISIONED';

/** What a stream is asked to be. Names that start with `$` are internal and invisible to the Kinesis API. */
export interface StreamSpec {
  readonly name: string;
  readonly mode: StreamMode;
  readonly shardCount: number;
  readonly retentionMs: number;
  readonly maxRecordBytes: number;
  readonly tags?: Readonly<Record<string, string>>;
  /** What a capability keeps of the stream; it goes with it. */
  readonly settings?: StreamSettings;
}

/** Known only to the capability that wrote it. */
export type StreamSettings = Readonly<Record<string, Json>>;

/** One shard of a stream; hash keys are inclusive bounds of 0 .. 2^128 - 1. */
export interface ShardInfo {
  /** For example `shardId-000000000000`. */
  readonly id: string;
  readonly ref: ShardRef;
  readonly startingHashKey: bigint;
  readonly endingHashKey: bigint;
  readonly startingSequenceNumber: string;
  readonly endingSequenceNumber?: string;
  readonly parentShardId?: string;
  readonly adjacentParentShardId?: string;
  /** When it began to take records, in ms. */
  readonly openedAt: number;
  /** When it was closed, in ms; absent while it takes records. */
  readonly closedAt?: number;
}

/** One shard becomes two, two neighbours become one, or so many open shards come to share the hash keys evenly. */
export type Reshard =
  | { readonly split: string; readonly at: bigint }
  | { readonly merge: string; readonly with: string }
  | { readonly to: number };

export interface StreamInfo extends StreamSpec {
  readonly arn: string;
  readonly createdAt: number;
  readonly shards: readonly ShardInfo[];
  readonly tags: Readonly<Record<string, string>>;
  readonly settings: StreamSettings;
  /** Whether a reshard is under way: shards are being closed and others opened. */
  readonly isResharding: boolean;
  /** How many shards are open when the reshard under way is over; `shardCount` without one. */
  readonly targetShardCount: number;
  /** Highest catalog revision of what this description is made of. */
  readonly revision: bigint;
}

/** What can change of a stream. */
export interface StreamChange {
  readonly mode?: StreamMode;
  readonly retentionMs?: number;
  readonly maxRecordBytes?: number;
  readonly tags?: Readonly<Record<string, string>>;
  readonly settings?: StreamSettings;
}

export interface RecordInput {
  /** 1 to 256 characters. */
  readonly partitionKey: string;
  readonly explicitHashKey?: bigint;
  readonly data: Uint8Array;
  readonly headers?: readonly Header[];
}

/** Where a record stands; `at` is its arrival time in ms. */
export interface RecordPosition {
  readonly shardId: string;
  readonly ref: ShardRef;
  readonly offset: Offset;
  readonly sequenceNumber: string;
  readonly at: number;
}

/** Known not to be stored; the caller may try again. */
export interface RecordFailure {
  /** `full`: the disk, or what the log may take of it. */
  readonly failed: 'unavailable' | 'full';
}

/** Whether the record, or the part of a batch, was stored. */
export function isStored<T extends object>(result: T | RecordFailure): result is T {
  return !('failed' in result);
}

/** Whether the shard still takes records. */
export function isOpen(shard: { readonly endingSequenceNumber?: string }): boolean {
  return shard.endingSequenceNumber === undefined;
}

/**
 * Records on their way into a stream, in whatever form they came: asked for entry by entry, so that nobody makes an
 * object for each. It must answer the same for as long as its append takes.
 */
export interface RecordBatch {
  readonly count: number;
  /** The hash key that was given in place of the key's own. */
  explicitHashKey(index: number): bigint | undefined;
  /** The range, by its place in the router, that the record belongs to. */
  route(index: number, router: HashKeyRouter): number;
  /** Bytes of the record's packed entry. */
  entryBytes(index: number): number;
  /** Bytes of the entry's last part, the data. */
  dataBytes(index: number): number;
  /** Writes all of the entry that stands in front of its data; returns the position after it. */
  writeFront(index: number, into: Buffer, at: number): number;
  /** Writes the data's bytes from `from`, a multiple of three, to `to`; false when they are malformed. */
  writeData(index: number, into: Buffer, at: number, from: number, to: number): boolean;
}

/** Records that are objects already, as a batch. */
export class InputBatch implements RecordBatch {
  readonly count: number;
  readonly #entries: readonly Entry[];
  readonly #hashKeys: readonly (bigint | undefined)[];

  constructor(inputs: readonly RecordInput[]) {
    this.count = inputs.length;
    this.#hashKeys = inputs.map(({ explicitHashKey }) => explicitHashKey);
    this.#entries = inputs.map(({ partitionKey, data, headers }) => {
      const key = Buffer.from(partitionKey);
      return headers === undefined ? { key, data } : { key, data, headers };
    });
  }

  explicitHashKey(index: number): bigint | undefined {
    return this.#hashKeys[index];
  }

  route(index: number, router: HashKeyRouter): number {
    const hashKey = this.#hashKeys[index];
    return hashKey === undefined ? router.ofKey(this.#entry(index).key) : router.ofHash(hashKey);
  }

  entryBytes(index: number): number {
    return entryBytes(this.#entry(index));
  }

  dataBytes(index: number): number {
    return this.#entry(index).data.length;
  }

  writeFront(index: number, into: Buffer, at: number): number {
    return writeEntryFront(into, at, this.#entry(index));
  }

  writeData(index: number, into: Buffer, at: number, from: number, to: number): boolean {
    const { data } = this.#entry(index);
    into.set(from === 0 && to === data.length ? data : data.subarray(from, to), at);
    return true;
  }

  #entry(index: number): Entry {
    return this.#entries[index] as Entry;
  }
}

/** Where one shard’s records of a batch stand: offsets `first`, `first` + 1, ...; all arrived at `at`, in ms. */
export interface StoredPart {
  readonly shard: ShardInfo;
  readonly first: Offset;
  readonly at: number;
  /** Sequence numbers of the shard; offsets that follow each other are cheap. */
  readonly encode: (offset: Offset | number) => string;
}

/** What became of a batch: one part for each shard, and for each record the index of its part, in the batch's order. */
export interface BatchOutcome {
  readonly partOf: Uint16Array;
  readonly parts: readonly (StoredPart | RecordFailure)[];
}

/** A record's bytes were not what its batch took them for: nothing of the batch was stored. */
export class MalformedRecord extends Error {
  override readonly name = 'MalformedRecord';
}

export class StreamExists extends Error {
  override readonly name = 'StreamExists';
}

export class StreamNotFound extends Error {
  override readonly name = 'StreamNotFound';
  readonly stream: string;
  constructor(stream: string) {
    super(`no stream ${stream}`);
    this.stream = stream;
  }
}

/** Whether the log or the world refused, and no code of ours is at fault: the same may succeed later. */
export function mayPass(error: unknown): boolean {
  return (
    error instanceof EnvironmentError ||
    error instanceof Unavailable ||
    error instanceof StreamNotFound ||
    error instanceof UnknownShard
  );
}

/** The stream is being resharded already. */
export class StreamBusy extends Error {
  override readonly name = 'StreamBusy';
}

/** Streams as people know them: routing by partition key, sequence numbers, exact retention. */
export interface Records {
  /** Resolves once the stream can be used; rejects with StreamExists. */
  create(spec: StreamSpec): Promise<StreamInfo>;
  /** Rejects with StreamNotFound. */
  delete(name: string): Promise<void>;
  /** Resolves with the stream as it is then; rejects with StreamNotFound. */
  update(name: string, change: (stream: StreamInfo) => StreamChange): Promise<StreamInfo>;
  /**
   * Closes parents and opens their children, which together own the same hash keys. Resolves when it is certain that
   * this comes about, with the stream as it is then: resharding. Puts wait for no more than the shards they go to; a
   * child takes records only after its parents' last one. Rejects with StreamNotFound, StreamBusy and Unavailable.
   */
  reshard(name: string, change: Reshard): Promise<StreamInfo>;
  /**
   * Gives up closed shards none of whose records are young enough to be kept, and have not been for a quarter of an
   * hour of this process's life: a clock that was set ahead may be set back. Never rejects.
   */
  forgetClosed(): Promise<void>;
  /** Local view. */
  describe(name: string): StreamInfo | undefined;
  /** Local view, sorted by name; internal streams only when asked for. */
  list(options?: { readonly internal?: boolean }): readonly StreamInfo[];
  /** The open shard of the stream that owns the key. */
  route(stream: StreamInfo, record: Pick<RecordInput, 'partitionKey' | 'explicitHashKey'>): ShardInfo;
  /**
   * Stores the records, each in the shard its key belongs to, in order per shard, and resolves once all are durable
   * or known not to be stored; same length and order as the input. Enqueues before it returns: the order of calls is
   * the order in the shard. Rejects with StreamNotFound.
   */
  append(stream: string, records: readonly RecordInput[]): Promise<readonly (RecordPosition | RecordFailure)[]>;
  /**
   * The same for many records, in columns. A batch of more than 1 MiB is written in pieces with turns of the loop in
   * between; later calls for the stream wait behind it, so that the order stays. Rejects with StreamNotFound and
   * MalformedRecord.
   */
  appendBatch(stream: string, batch: RecordBatch): Promise<BatchOutcome>;
  /**
   * Reads from `from`, hiding what is older than the stream's retention; an offset below the oldest kept record
   * reads from that record on. `into` is as for StreamStore's.
   */
  read(
    stream: StreamInfo,
    shard: ShardInfo,
    from: Offset,
    limit: { readonly records: number; readonly bytes: number },
    into?: ReadMemory,
  ): Promise<Slice>;
  waitForMore(shard: ShardInfo, from: Offset, signal: AbortSignal): Promise<void>;
  /** Offset of the first record that arrived at or after `timeMs`, else the end. */
  positionAt(shard: ShardInfo, timeMs: number): Promise<Offset>;
  bounds(shard: ShardInfo): ShardBounds;
  trim(shard: ShardInfo, before: Offset): Promise<void>;
}
