import type { Environment } from '../../ports/environment.ts';
import { damage } from './format.ts';
import { readFooter } from './footer.ts';
import type { Segment } from './segment.ts';
import type { SegmentIndex } from './segment-index.ts';
import type { SegmentSet } from './segment-set.ts';

/** Memory for indexes of sealed segments, which are read from their files when needed. */
const CACHED_BYTES_MAX = 16 * 1024 * 1024;

/** Finds the index of a segment: in memory while it has no footer, else in its file, by way of a bounded cache. */
export class IndexCache {
  readonly #segments: SegmentSet;
  readonly #environment: Environment;
  /** Least recently used first. */
  readonly #cached = new Map<Segment, Promise<SegmentIndex>>();
  readonly #sizes = new Map<Segment, number>();
  #bytes = 0;

  constructor(environment: Environment, segments: SegmentSet) {
    this.#environment = environment;
    this.#segments = segments;
  }

  /** Rejects with EIO when the footer is not what was written. */
  async of(segment: Segment): Promise<SegmentIndex> {
    if (segment.index !== undefined) return segment.index;
    const known = this.#cached.get(segment) ?? this.#load(segment);
    this.#cached.delete(segment);
    this.#cached.set(segment, known);
    return await known;
  }

  /** The index of a segment that was just sealed, which is likely to be read. */
  keep(segment: Segment, index: SegmentIndex): void {
    this.#cached.set(segment, Promise.resolve(index));
    this.#count(segment, index);
  }

  forget(segment: Segment): void {
    this.#cached.delete(segment);
    this.#bytes -= this.#sizes.get(segment) ?? 0;
    this.#sizes.delete(segment);
  }

  #load(segment: Segment): Promise<SegmentIndex> {
    const loading = this.#read(segment);
    loading.then(
      (index) => this.#count(segment, index),
      () => this.forget(segment),
    );
    return loading;
  }

  async #read(segment: Segment): Promise<SegmentIndex> {
    const { footer, path } = segment;
    if (footer === undefined) throw damage(path, segment.end, 'the footer is missing');
    const handle = this.#segments.handles.acquire(segment);
    try {
      const found = await readFooter(await handle.file, footer);
      if (found === undefined) throw damage(path, footer.position, 'the footer does not match its checksum');
      return found.index;
    } finally {
      this.#segments.handles.release(handle);
    }
  }

  #count(segment: Segment, index: SegmentIndex): void {
    if (!this.#cached.has(segment)) return;
    // It may have been forgotten and asked for again while it was read.
    this.#bytes += index.memoryBytes - (this.#sizes.get(segment) ?? 0);
    this.#sizes.set(segment, index.memoryBytes);
    for (const oldest of this.#cached.keys()) {
      if (this.#bytes <= CACHED_BYTES_MAX || oldest === segment) break;
      this.forget(oldest);
    }
    this.#environment.meter.gauge('log_index_cache_bytes', {}, this.#bytes);
  }
}
