import { readU64, writeU64 } from './format.ts';

/** Bytes of a file that share one entry at most, unless one extent alone is longer. */
export const SPAN_BYTES_MAX = 64 * 1024;
/** Bytes of other shards between two extents that still go into one entry: to read them costs less than to jump. */
const GAP_BYTES_MAX = 16 * 1024;
const ENTRY_BYTES = 24;

/** Where an entry leads: records from offset `first` on, arrived at `at` or later, in these bytes of the file. */
export interface Span {
  readonly first: number;
  readonly at: number;
  readonly position: number;
  readonly length: number;
}

/** One shard's extents in one segment: a sorted entry for each piece of the file that holds some, in typed arrays. */
export class Spans {
  #first = new Float64Array(4);
  #at = new Float64Array(4);
  #position = new Uint32Array(4);
  #bytes = new Uint32Array(4);
  #count = 0;
  #coveredBytes = 0;

  get count(): number {
    return this.#count;
  }

  /** Bytes of the file that entries lead to. */
  get coveredBytes(): number {
    return this.#coveredBytes;
  }

  /** Memory it takes, in bytes. */
  get memoryBytes(): number {
    return this.#first.length * ENTRY_BYTES;
  }

  /** Takes note of an extent of `bytes` bytes, its header included; extents come in the order of the file. */
  add(first: number, at: number, position: number, bytes: number): void {
    const last = this.#count - 1;
    if (last >= 0) {
      const start = this.#position[last] as number;
      const isNear = position - start - (this.#bytes[last] as number) <= GAP_BYTES_MAX;
      if (isNear && position + bytes - start <= SPAN_BYTES_MAX) {
        this.#coveredBytes += position + bytes - start - (this.#bytes[last] as number);
        this.#bytes[last] = position + bytes - start;
        return;
      }
    }
    this.#push(first, at, position, bytes);
  }

  at(index: number): Span | undefined {
    if (index < 0 || index >= this.#count) return undefined;
    return {
      first: this.#first[index] as number,
      at: this.#at[index] as number,
      position: this.#position[index] as number,
      length: this.#bytes[index] as number,
    };
  }

  /** Index of the last entry at or below `offset`, or 0. */
  ofOffset(offset: number): number {
    return Math.max(0, this.#countBelow(this.#first, offset + 1) - 1);
  }

  /** Index of the entry that holds the first record at or after `timeMs`, if there is one: the last before it, or 0. */
  ofTime(timeMs: number): number {
    return Math.max(0, this.#countBelow(this.#at, timeMs) - 1);
  }

  /** Bytes that `encode` writes. */
  get encodedBytes(): number {
    return 4 + this.#count * ENTRY_BYTES;
  }

  encode(bytes: Buffer, at: number): number {
    bytes.writeUInt32LE(this.#count, at);
    let to = at + 4;
    for (let index = 0; index < this.#count; index += 1) {
      writeU64(bytes, this.#first[index] as number, to);
      writeU64(bytes, this.#at[index] as number, to + 8);
      bytes.writeUInt32LE(this.#position[index] as number, to + 16);
      bytes.writeUInt32LE(this.#bytes[index] as number, to + 20);
      to += ENTRY_BYTES;
    }
    return to;
  }

  /** What `encode` wrote at `at`; undefined when it does not end in front of `to`. */
  static decode(bytes: Buffer, at: number, to: number): Spans | undefined {
    if (at + 4 > to) return undefined;
    const count = bytes.readUInt32LE(at);
    if (at + 4 + count * ENTRY_BYTES > to) return undefined;
    const spans = new Spans();
    spans.#resize(Math.max(1, count));
    for (let index = 0, from = at + 4; index < count; index += 1, from += ENTRY_BYTES) {
      spans.#push(
        readU64(bytes, from),
        readU64(bytes, from + 8),
        bytes.readUInt32LE(from + 16),
        bytes.readUInt32LE(from + 20),
      );
    }
    return spans;
  }

  #push(first: number, at: number, position: number, bytes: number): void {
    if (this.#count === this.#first.length) this.#resize(this.#count * 2);
    this.#first[this.#count] = first;
    this.#at[this.#count] = at;
    this.#position[this.#count] = position;
    this.#bytes[this.#count] = bytes;
    this.#coveredBytes += bytes;
    this.#count += 1;
  }

  #countBelow(values: Float64Array, bound: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((values[middle] as number) < bound) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #resize(capacity: number): void {
    const move = <T extends Float64Array | Uint32Array>(old: T, fresh: T): T => {
      fresh.set(old.subarray(0, this.#count));
      return fresh;
    };
    this.#first = move(this.#first, new Float64Array(capacity));
    this.#at = move(this.#at, new Float64Array(capacity));
    this.#position = move(this.#position, new Uint32Array(capacity));
    this.#bytes = move(this.#bytes, new Uint32Array(capacity));
  }
}

/** Where all shards' extents stand in one segment, by the shards' numbers. */
export class SegmentIndex {
  readonly spans = new Map<number, Spans>();

  /** Takes note of an extent of `bytes` bytes, its header included. */
  add(shard: number, first: number, at: number, position: number, bytes: number): void {
    let spans = this.spans.get(shard);
    if (spans === undefined) {
      spans = new Spans();
      this.spans.set(shard, spans);
    }
    spans.add(first, at, position, bytes);
  }

  /** Memory it takes, in bytes. */
  get memoryBytes(): number {
    let bytes = 0;
    for (const spans of this.spans.values()) bytes += spans.memoryBytes;
    return bytes;
  }
}
