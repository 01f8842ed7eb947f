import type { Header, Offset, ShardRef, Slice } from './stream-store.ts';

export type StreamMode = 'ON_DEMAND' | 'PROVISIONED';

/** What a stream is asked to be. Names that start with `$` are internal and invisible to the Kinesis API. */
export interface StreamSpec {
  readonly name: string;
  readonly mode: StreamMode;
  readonly shardCount: number;
  readonly retentionMs: number;
  readonly maxRecordBytes: number;
}

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
}

export interface StreamInfo extends StreamSpec {
  readonly arn: string;
  readonly createdAt: number;
  readonly shards: readonly ShardInfo[];
  /** Catalog revision of this description. */
  readonly revision: bigint;
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
  readonly offset: Offset;
  readonly sequenceNumber: string;
  readonly at: number;
}

/** Known not to be stored; the caller may try again. */
export interface RecordFailure {
  readonly failed: 'unavailable';
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

/** Streams as people know them: routing by partition key, sequence numbers, exact retention. */
export interface Records {
  /** Resolves once the stream can be used; rejects with StreamExists. */
  create(spec: StreamSpec): Promise<StreamInfo>;
  /** Rejects with StreamNotFound. */
  delete(name: string): Promise<void>;
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
   * Reads from `from`, hiding what is older than the stream's retention; an offset below the oldest kept record
   * reads from that record on.
   */
  read(
    stream: StreamInfo,
    shard: ShardInfo,
    from: Offset,
    limit: { readonly records: number; readonly bytes: number },
  ): Promise<Slice>;
  waitForMore(shard: ShardInfo, from: Offset, signal: AbortSignal): Promise<void>;
  /** Offset of the first record that arrived at or after `timeMs`, else the end. */
  positionAt(shard: ShardInfo, timeMs: number): Promise<Offset>;
  bounds(shard: ShardInfo): { readonly start: Offset; readonly end: Offset; readonly closedAt?: Offset };
  trim(shard: ShardInfo, before: Offset): Promise<void>;
}
