import type { LogPosition } from './format.ts';

/** Bytes of log per shard that share one index entry. */
export const INDEX_STEP_BYTES = 64 * 1024;

/**
 * Where a shard's extents stand: at most one entry per INDEX_STEP_BYTES of a segment, in typed arrays, sorted.
 * An extent without an entry begins less than INDEX_STEP_BYTES behind the entry before it, in the same segment.
 */
export class SparseIndex {
  #offsets = new Float64Array(4);
  #times = new Float64Array(4);
  #segments = new Uint32Array(4);
  #positions = new Uint32Array(4);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Takes note of an extent; extents come in the order of the log. */
  add(offset: number, at: number, segment: number, position: number): void {
    const last = this.#length - 1;
    const near = last >= 0 && this.#segments[last] === segment;
    if (near && position < (this.#positions[last] ?? 0) + INDEX_STEP_BYTES) return;
    if (this.#length === this.#offsets.length) this.#resize(this.#length * 2, 0);
    this.#offsets[this.#length] = offset;
    this.#times[this.#length] = at;
    this.#segments[this.#length] = segment;
    this.#positions[this.#length] = position;
    this.#length += 1;
  }

  /** The entry from which a walk finds `offset`: the last one at or below it. */
  below(offset: number): LogPosition | undefined {
    return this.#entry(this.#countBelow(this.#offsets, offset + 1) - 1);
  }

  /** The entry from which a walk finds the first record at or after `timeMs`: the last one before, else the first. */
  before(timeMs: number): LogPosition | undefined {
    return this.#entry(Math.max(0, this.#countBelow(this.#times, timeMs) - 1));
  }

  /** The first entry at or after a place. */
  from(segment: number, position: number): LogPosition | undefined {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const there = this.#segments[middle] ?? 0;
      const before = there < segment || (there === segment && (this.#positions[middle] ?? 0) < position);
      if (before) low = middle + 1;
      else high = middle;
    }
    return this.#entry(low);
  }

  /** Forgets entries that lead only to records below `start`; `end` is the shard's end. */
  dropBelow(start: number, end: number): void {
    const keepFrom = start >= end ? this.#length : Math.max(0, this.#countBelow(this.#offsets, start + 1) - 1);
    if (keepFrom === 0) return;
    const kept = this.#length - keepFrom;
    this.#resize(Math.max(4, kept * 2), keepFrom);
    this.#length = kept;
  }

  #entry(at: number): LogPosition | undefined {
    if (at < 0 || at >= this.#length) return undefined;
    return { segment: this.#segments[at] ?? 0, position: this.#positions[at] ?? 0 };
  }

  #countBelow(values: Float64Array, bound: number): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((values[middle] ?? 0) < bound) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #resize(capacity: number, from: number): void {
    const move = <T extends Float64Array | Uint32Array>(old: T, fresh: T): T => {
      fresh.set(old.subarray(from, this.#length));
      return fresh;
    };
    this.#offsets = move(this.#offsets, new Float64Array(capacity));
    this.#times = move(this.#times, new Float64Array(capacity));
    this.#segments = move(this.#segments, new Uint32Array(capacity));
    this.#positions = move(this.#positions, new Uint32Array(capacity));
  }
}
