import { assert } from '../../kernel/assert.ts';
import { EntryPlace, readEntryAt } from '../../kernel/stream/packed-entries.ts';
import type { PackedEntries } from '../../ports/stream-store.ts';
import { encodeDefinition } from './definition.ts';
import {
  COMMIT_HEADER_BYTES,
  crcOf,
  encodeCommitHeader,
  encodeExtentHeader,
  encodeSegmentHeader,
  EXTENT_HEADER_BYTES,
  FLAG_CLOSED,
  FLAG_DEFINE,
  type LogPosition,
  SEGMENT_HEADER_BYTES,
} from './format.ts';
import type { Segment } from './segment.ts';
import type { ShardState } from './shard-table.ts';

/** Payload bytes after which a shard's records go on in another extent: the least that a reader checks at once. */
export const EXTENT_BYTES_MAX = 128 * 1024;
/** Bytes of which the checksum is worked out in one piece of work: half a millisecond's. */
const CHECKED_BYTES = 1024 * 1024;
/** A run of more than this is divided between its entries. */
const WHOLE_RUN_BYTES_MAX = 2 * EXTENT_BYTES_MAX;
/** Entries of up to this many bytes are copied together; larger runs are written from where they are. */
const COPIED_BYTES_MAX = 16 * 1024;
const SCRATCH_BYTES = 512 * 1024;

/** An extent of a commit under way; `position` counts from the start of the segment's file. */
export interface CommitExtent {
  readonly state: ShardState;
  readonly flags: number;
  readonly first: number;
  readonly count: number;
  readonly at: number;
  readonly position: number;
  /** Header included. */
  readonly bytes: number;
}

/** Builds commits, one at a time, as lists of pieces: headers and small runs copied, large runs as they are. */
export class CommitEncoder {
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  #chunk = this.#scratch;
  /** Bytes of the chunk that are written, and those of them that are among the pieces. */
  #used = 0;
  #placed = 0;
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #from = 0;
  #salt = 0;
  #commitHeader: Buffer = this.#scratch;
  #extents: CommitExtent[] = [];
  /** The extent under way. */
  #header: Buffer = this.#scratch;
  #openAt = 0;
  #openCount = 0;
  #crc = 0;
  /** Bytes that were taken into checksums since the last piece of work, or the begin. */
  #checked = 0;

  get extents(): readonly CommitExtent[] {
    return this.#extents;
  }

  /** Starts a commit at the end of `segment`; the first one of a file carries the file's header. */
  begin(segment: Segment, now: number): void {
    this.#chunk = this.#scratch;
    this.#used = 0;
    this.#placed = 0;
    this.#pieces = [];
    this.#bytes = 0;
    this.#checked = 0;
    this.#extents = [];
    this.#from = segment.end;
    this.#salt = segment.salt;
    if (segment.end === 0) {
      const { epoch, salt, number, isSettled, place } = segment;
      const header = { epoch, segment: number, salt, createdAt: now, settledFrom: isSettled ? place : 0 };
      this.#copy(encodeSegmentHeader(header));
    }
    this.#commitHeader = this.#take(COMMIT_HEADER_BYTES);
  }

  /** Says who the shard is and how far it has come, so that this segment can be read without the ones before. */
  define(state: ShardState): void {
    const { end, at, closed } = state.ahead;
    this.#mark(state, FLAG_DEFINE | (closed ? FLAG_CLOSED : 0), end, at, encodeDefinition(state));
  }

  /** Adds an extent without records: END or DROP. */
  mark(state: ShardState, flags: number, first: number, at: number): void {
    this.#mark(state, flags, first, at, EMPTY);
  }

  /** Adds all runs of one shard, from offset `first` on; in pieces of work, since there may be many bytes. */
  *add(state: ShardState, runs: readonly PackedEntries[], first: number, at: number): Generator<undefined, void> {
    let offset = first;
    this.#open();
    for (const run of runs) {
      for (const { bytes, count } of run.bytes.length > WHOLE_RUN_BYTES_MAX ? divide(run) : [run]) {
        if (this.#bytes - this.#openAt > EXTENT_BYTES_MAX) {
          offset += this.#seal(state, offset, at);
          this.#open();
        }
        yield* this.#check(bytes);
        this.#openCount += count;
        if (bytes.length <= COPIED_BYTES_MAX) this.#copy(bytes);
        else this.#place(bytes);
      }
    }
    this.#seal(state, offset, at);
  }

  /** The commit's pieces, to be written at the end of the segment; valid until the next `begin`. */
  finish(
    segment: Segment,
    number: number,
    at: number,
    synced: LogPosition,
  ): { readonly pieces: readonly Uint8Array[]; readonly bytes: number } {
    const before = segment.end === 0 ? SEGMENT_HEADER_BYTES : 0;
    encodeCommitHeader(this.#commitHeader, {
      salt: segment.salt,
      epoch: segment.epoch,
      segment: segment.number,
      position: segment.end + before,
      number,
      at,
      synced,
      bodyBytes: this.#bytes - before - COMMIT_HEADER_BYTES,
      extentCount: this.#extents.length,
    });
    this.#flush();
    return { pieces: this.#pieces, bytes: this.#bytes };
  }

  /** Takes the bytes into the checksum of the extent under way. */
  *#check(bytes: Uint8Array): Generator<undefined, void> {
    for (let from = 0; from < bytes.length; from += CHECKED_BYTES) {
      const to = Math.min(bytes.length, from + CHECKED_BYTES);
      if (this.#checked + to - from > CHECKED_BYTES) {
        this.#checked = 0;
        yield;
      }
      this.#crc = crcOf(bytes, from, to, this.#crc);
      this.#checked += to - from;
    }
  }

  #open(): void {
    this.#openAt = this.#bytes;
    this.#openCount = 0;
    this.#crc = 0;
    this.#header = this.#take(EXTENT_HEADER_BYTES);
  }

  #seal(state: ShardState, first: number, at: number): number {
    const count = this.#openCount;
    const bytes = this.#bytes - this.#openAt;
    encodeExtentHeader(this.#header, 0, {
      shard: state.id,
      flags: 0,
      count,
      first,
      at,
      payloadBytes: bytes - EXTENT_HEADER_BYTES,
      payloadCrc: this.#crc,
      salt: this.#salt,
    });
    this.#extents.push({ state, flags: 0, first, count, at, position: this.#from + this.#openAt, bytes });
    return count;
  }

  #mark(state: ShardState, flags: number, first: number, at: number, payload: Buffer): void {
    const position = this.#from + this.#bytes;
    const bytes = EXTENT_HEADER_BYTES + payload.length;
    encodeExtentHeader(this.#take(EXTENT_HEADER_BYTES), 0, {
      shard: state.id,
      flags,
      count: 0,
      first,
      at,
      payloadBytes: payload.length,
      payloadCrc: crcOf(payload, 0, payload.length),
      salt: this.#salt,
    });
    this.#copy(payload);
    this.#extents.push({ state, flags, first, count: 0, at, position, bytes });
  }

  /** Room in memory of our own, which can still be written until the commit is finished. */
  #take(bytes: number): Buffer {
    if (this.#used + bytes > this.#chunk.length) {
      this.#flush();
      this.#chunk = Buffer.allocUnsafeSlow(Math.max(bytes, SCRATCH_BYTES));
      this.#used = 0;
      this.#placed = 0;
    }
    const from = this.#used;
    this.#used += bytes;
    this.#bytes += bytes;
    return this.#chunk.subarray(from, this.#used);
  }

  #copy(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#take(bytes.length).set(bytes);
  }

  #place(bytes: Uint8Array): void {
    this.#flush();
    this.#pieces.push(bytes);
    this.#bytes += bytes.length;
  }

  #flush(): void {
    if (this.#used > this.#placed) this.#pieces.push(this.#chunk.subarray(this.#placed, this.#used));
    this.#placed = this.#used;
  }
}

const EMPTY = Buffer.alloc(0);

/** Parts of a long run, each just longer than an extent's payload should be. */
function divide({ bytes, count }: PackedEntries): PackedEntries[] {
  const parts: PackedEntries[] = [];
  const place = new EntryPlace();
  let from = 0;
  let position = 0;
  let since = 0;
  for (let index = 0; index < count; index += 1) {
    assert(readEntryAt(bytes, position, bytes.length, place), 'packed entries are whole');
    position = place.end;
    if (position - from <= EXTENT_BYTES_MAX && index < count - 1) continue;
    parts.push({ bytes: bytes.subarray(from, position), count: index + 1 - since });
    from = position;
    since = index + 1;
  }
  return parts;
}
