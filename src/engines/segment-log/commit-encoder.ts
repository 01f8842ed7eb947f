import { assert } from '../../kernel/assert.ts';
import { EntryPlace, readEntryAt } from '../../kernel/stream/packed-entries.ts';
import type { PackedEntries, ShardRef } from '../../ports/stream-store.ts';
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
  readU64,
  SEGMENT_HEADER_BYTES,
  writeU64,
} from './format.ts';
import type { Segment } from './segment.ts';
import type { ShardState } from './shard-table.ts';

/** Payload bytes after which a shard's records go on in another extent: the least that a reader checks at once. */
export const EXTENT_BYTES_MAX = 128 * 1024;
/** Bytes in front of the stream's name in the payload of a definition. */
const DEFINITION_FIXED_BYTES = 24;

/** An extent of a commit under way; `position` counts from the start of the segment's file. */
export interface CommitExtent {
  readonly state: ShardState;
  readonly flags: number;
  readonly first: number;
  readonly count: number;
  readonly at: number;
  readonly position: number;
}

/** Builds one commit in a buffer that it keeps from commit to commit. */
export class CommitEncoder {
  readonly #usualBytes: number;
  #bytes: Buffer;
  #length = 0;
  #commitAt = 0;
  #segmentEnd = 0;
  #extents: CommitExtent[] = [];
  /** Records of the extent under way. */
  #openCount = 0;
  #openAt = 0;

  constructor(usualBytes: number) {
    this.#usualBytes = usualBytes;
    this.#bytes = Buffer.allocUnsafeSlow(usualBytes);
  }

  get extents(): readonly CommitExtent[] {
    return this.#extents;
  }

  /** Starts a commit at the end of `segment`; the first one of a file carries the file's header. */
  begin(segment: Segment, now: number): void {
    if (this.#bytes.length > this.#usualBytes) this.#bytes = Buffer.allocUnsafeSlow(this.#usualBytes);
    this.#extents = [];
    this.#segmentEnd = segment.end;
    this.#commitAt = segment.end === 0 ? SEGMENT_HEADER_BYTES : 0;
    this.#length = this.#commitAt + COMMIT_HEADER_BYTES;
    if (segment.end > 0) return;
    const { epoch, salt, number } = segment;
    this.#bytes.set(encodeSegmentHeader({ epoch, segment: number, salt, createdAt: now }));
  }

  /** Says who the shard is and how far it has come, so that this segment can be read without the ones before. */
  define(state: ShardState): void {
    const flags = FLAG_DEFINE | (state.closed ? FLAG_CLOSED : 0);
    this.#extent(state, flags, state.end, state.lastAt, encodeDefinition(state.ref, state.start));
  }

  /** Adds an extent without records: END or DROP. */
  mark(state: ShardState, flags: number, first: number, at: number): void {
    this.#extent(state, flags, first, at, EMPTY);
  }

  /** Adds all runs of one shard, from offset `first` on; `entryBytes` is what their entries take. */
  add(state: ShardState, runs: readonly PackedEntries[], first: number, at: number, entryBytes: number): void {
    this.#reserve(entryBytes + EXTENT_HEADER_BYTES * (2 + Math.ceil(entryBytes / EXTENT_BYTES_MAX)));
    let offset = first;
    this.#open();
    const place = new EntryPlace();
    for (const { bytes, count } of runs) {
      for (let index = 0, position = 0; index < count; index += 1) {
        if (this.#length - this.#openAt > EXTENT_BYTES_MAX) {
          offset += this.#seal(state, offset, at);
          this.#open();
        }
        assert(readEntryAt(bytes, position, bytes.length, place), 'packed entries are whole');
        this.#bytes.set(bytes.subarray(position, place.end), this.#length);
        this.#length += place.end - position;
        position = place.end;
        this.#openCount += 1;
      }
    }
    this.#seal(state, offset, at);
  }

  /** The commit's bytes, to be written at the end of the segment; valid until the next `begin`. */
  finish(segment: Segment, number: number, at: number, synced: LogPosition): Buffer {
    encodeCommitHeader(this.#bytes.subarray(this.#commitAt), {
      salt: segment.salt,
      epoch: segment.epoch,
      segment: segment.number,
      position: this.#segmentEnd + this.#commitAt,
      number,
      at,
      synced,
      bodyBytes: this.#length - this.#commitAt - COMMIT_HEADER_BYTES,
      extentCount: this.#extents.length,
    });
    return this.#bytes.subarray(0, this.#length);
  }

  #open(): void {
    this.#openAt = this.#length;
    this.#openCount = 0;
    this.#length += EXTENT_HEADER_BYTES;
  }

  #seal(state: ShardState, first: number, at: number): number {
    const count = this.#openCount;
    const payloadAt = this.#openAt + EXTENT_HEADER_BYTES;
    encodeExtentHeader(this.#bytes, this.#openAt, {
      shard: state.id,
      flags: 0,
      count,
      first,
      at,
      payloadBytes: this.#length - payloadAt,
      payloadCrc: crcOf(this.#bytes, payloadAt, this.#length),
    });
    this.#extents.push({ state, flags: 0, first, count, at, position: this.#segmentEnd + this.#openAt });
    return count;
  }

  #extent(state: ShardState, flags: number, first: number, at: number, payload: Buffer): void {
    this.#reserve(EXTENT_HEADER_BYTES + payload.length);
    const position = this.#segmentEnd + this.#length;
    encodeExtentHeader(this.#bytes, this.#length, {
      shard: state.id,
      flags,
      count: 0,
      first,
      at,
      payloadBytes: payload.length,
      payloadCrc: crcOf(payload, 0, payload.length),
    });
    this.#bytes.set(payload, this.#length + EXTENT_HEADER_BYTES);
    this.#length += EXTENT_HEADER_BYTES + payload.length;
    this.#extents.push({ state, flags, first, count: 0, at, position });
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#length + bytes, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

const EMPTY = Buffer.alloc(0);

function encodeDefinition(ref: ShardRef, start: number): Buffer {
  const name = Buffer.from(ref.stream, 'utf8');
  const bytes = Buffer.alloc(DEFINITION_FIXED_BYTES + name.length);
  writeU64(bytes, start, 0);
  writeU64(bytes, ref.generation, 8);
  writeU64(bytes, ref.ordinal, 16);
  bytes.set(name, DEFINITION_FIXED_BYTES);
  return bytes;
}

/** What the payload of a definition says, or undefined when it is too short. */
export function decodeDefinition(payload: Buffer): { ref: ShardRef; start: number } | undefined {
  if (payload.length < DEFINITION_FIXED_BYTES) return undefined;
  const stream = payload.toString('utf8', DEFINITION_FIXED_BYTES);
  const ref = { stream, generation: readU64(payload, 8), ordinal: readU64(payload, 16) };
  return { ref, start: readU64(payload, 0) };
}
