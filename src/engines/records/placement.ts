import { assert } from '../../kernel/assert.ts';
import { asBuffer } from '../../kernel/bytes/as-buffer.ts';
import {
  isOpen,
  MalformedRecord,
  StreamNotFound,
  type BatchOutcome,
  type RecordBatch,
  type RecordFailure,
  type ShardInfo,
  type StoredPart,
} from '../../ports/records.ts';
import { DiskFull, Fenced, shardKey, Unavailable, UnknownShard } from '../../ports/stream-store.ts';
import type { ShardLane } from './shard-lane.ts';
import type { ViewedStream } from './stream-view.ts';

/** The answer for a record that is known not to be stored. */
export const UNAVAILABLE: RecordFailure = { failed: 'unavailable' };
const FULL: RecordFailure = { failed: 'full' };

/**
 * What is written between two turns of the loop: less than a millisecond's work. A multiple of three, and so small that
 * its text as base64 is no string outside of the heap.
 */
const PIECE_BYTES = 384 * 1024;

/** What one shard gets of a batch. */
interface Part {
  /** The shard's place in the router. */
  readonly place: number;
  readonly shard: ShardInfo;
  count: number;
  bytes: number;
  into: Buffer;
  /** Bytes of `into` that are written. */
  used: number;
}

const NOTHING = Buffer.alloc(0);

/** For each place of a router the part that may be its own; looked into in one go, so that all placements share it. */
let partAtPlace = new Uint16Array(64);

/** A batch laid out over a stream’s shards: routed when made, then written, then appended, one run for each shard. */
export class Placement {
  /** Bytes of all entries. */
  readonly bytes: number;
  readonly #stream: ViewedStream;
  readonly #batch: RecordBatch;
  readonly #parts: Part[] = [];
  readonly #partOf: Uint16Array;

  constructor(stream: ViewedStream, batch: RecordBatch) {
    this.#stream = stream;
    this.#batch = batch;
    this.#partOf = new Uint16Array(batch.count);
    if (partAtPlace.length < stream.open.length) partAtPlace = new Uint16Array(2 * stream.open.length);
    let total = 0;
    for (let index = 0; index < batch.count; index += 1) {
      const at = this.#partAt(batch.route(index, stream.router));
      const part = this.#parts[at] as Part;
      const bytes = batch.entryBytes(index);
      this.#partOf[index] = at;
      part.count += 1;
      part.bytes += bytes;
      total += bytes;
    }
    this.bytes = total;
  }

  /** Writes all entries into memory that is lent for this turn of the loop. Raises MalformedRecord. */
  fill(lend: (bytes: number) => Uint8Array): void {
    for (const part of this.#parts) part.into = asBuffer(lend(part.bytes));
    const batch = this.#batch;
    for (let index = 0; index < batch.count; index += 1) {
      const part = this.#partOfRecord(index);
      const bytes = batch.dataBytes(index);
      const at = batch.writeFront(index, part.into, part.used);
      if (!batch.writeData(index, part.into, at, 0, bytes)) throw malformed(index);
      part.used = at + bytes;
    }
  }

  /** The same into memory of its own, with a pause after each piece. Rejects with MalformedRecord. */
  async fillInPieces(pause: () => Promise<void>): Promise<void> {
    for (const part of this.#parts) part.into = Buffer.allocUnsafeSlow(part.bytes);
    const batch = this.#batch;
    let written = 0;
    for (let index = 0; index < batch.count; index += 1) {
      const part = this.#partOfRecord(index);
      const bytes = batch.dataBytes(index);
      part.used = batch.writeFront(index, part.into, part.used);
      for (let from = 0, to = 0; from < bytes; from = to) {
        to = Math.min(bytes, from + PIECE_BYTES);
        if (!batch.writeData(index, part.into, part.used, from, to)) throw malformed(index);
        part.used += to - from;
        written += to - from;
        if (written < PIECE_BYTES) continue;
        written = 0;
        await pause();
      }
    }
  }

  /** The shards that get a part. */
  readonly shards = (): readonly ShardInfo[] => this.#parts.map(({ shard }) => shard);

  /** Whether every shard that gets a part still takes records, and so still owns the keys it owned. */
  fits({ shards }: ViewedStream): boolean {
    return this.#parts.every(({ shard: { ref } }) => {
      const shard = shards.get(shardKey(ref));
      return shard !== undefined && isOpen(shard);
    });
  }

  /** Appends every part before it returns. Rejects with StreamNotFound, and with what leaves the outcome unknown. */
  async append(laneOf: (shard: ShardInfo) => ShardLane): Promise<BatchOutcome> {
    const [only] = this.#parts;
    if (only !== undefined && this.#parts.length === 1) {
      return { partOf: this.#partOf, parts: [await this.#appendPart(only, laneOf(only.shard))] };
    }
    // All of them, so that no part is still under way when the call answers.
    const ends = await Promise.allSettled(this.#parts.map((part) => this.#appendPart(part, laneOf(part.shard))));
    const parts = ends.map((end) => {
      if (end.status === 'rejected') throw end.reason;
      return end.value;
    });
    return { partOf: this.#partOf, parts };
  }

  async #appendPart(part: Part, lane: ShardLane): Promise<StoredPart | RecordFailure> {
    assert(part.used === part.bytes, 'an entry has the bytes it was said to have');
    try {
      const { first, at } = await lane.append({ bytes: part.into, count: part.count });
      return { shard: part.shard, first, at, encode: lane.encode };
    } catch (error) {
      return this.#failure(error);
    }
  }

  #failure(error: unknown): RecordFailure {
    if (error instanceof DiskFull) return FULL;
    if (error instanceof Unavailable || error instanceof Fenced) return UNAVAILABLE;
    if (error instanceof UnknownShard) throw new StreamNotFound(this.#stream.info.name);
    throw error;
  }

  #partOfRecord(index: number): Part {
    return this.#parts[this.#partOf[index] as number] as Part;
  }

  /** The index of the part for a place of the router; the part is made when first asked for. */
  #partAt(place: number): number {
    const known = partAtPlace[place] as number;
    if (this.#parts[known]?.place === place) return known;
    const index = this.#parts.length;
    partAtPlace[place] = index;
    const shard = this.#stream.open[place] as ShardInfo;
    this.#parts.push({ place, shard, count: 0, bytes: 0, into: NOTHING, used: 0 });
    return index;
  }
}

function malformed(index: number): MalformedRecord {
  return new MalformedRecord(`record ${index} is malformed`);
}
