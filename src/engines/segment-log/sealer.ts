import { EnvironmentError } from '../../kernel/errors.ts';
import type { Environment } from '../../ports/environment.ts';
import { encodeFooter } from './footer.ts';
import { isScattered } from './cleaning-policy.ts';
import type { IndexCache } from './index-cache.ts';
import type { Segment } from './segment.ts';
import type { SegmentSet } from './segment-set.ts';

/**
 * Writes the index of a segment that takes no more commits behind its last one, so that the next start need not read
 * the whole file and memory need not hold its index. Segments are sealed one after the other.
 */
export class Sealer {
  readonly #environment: Environment;
  readonly #segments: SegmentSet;
  readonly #indexes: IndexCache;
  readonly #onFailure: (error: Error) => void;
  #last: Promise<void> = Promise.resolve();
  #closed = false;

  /** `onFailure`: the disk did not confirm what was written. */
  constructor(environment: Environment, segments: SegmentSet, indexes: IndexCache, onFailure: (error: Error) => void) {
    this.#environment = environment;
    this.#segments = segments;
    this.#indexes = indexes;
    this.#onFailure = onFailure;
  }

  /** Seals a complete part of the journal, later; `sealed` is called when it is. */
  seal(segment: Segment, sealed: () => void): void {
    this.#last = this.#last.then(async () => {
      if (this.#closed || this.#segments.get(segment.number) !== segment) return;
      if (await this.#seal(segment)) sealed();
    });
  }

  /** Finishes the segment under way; the others are sealed after the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#last;
  }

  async #seal(segment: Segment): Promise<boolean> {
    const { index } = segment;
    // Files of older versions stay as they are, and one with a damaged place is read from its commits.
    if (index === undefined || segment.version === 1 || segment.isDamaged) return false;
    const footer = encodeFooter(segment, index);
    try {
      const file = await this.#environment.files.open(segment.path, 'write');
      try {
        await file.truncate(segment.end);
        await file.write(footer, segment.end);
        await file.sync();
      } finally {
        await file.close();
      }
    } catch (error) {
      this.#failed(segment, error);
      return false;
    }
    segment.footer = { position: segment.end, bytes: footer.length };
    this.#segments.resize(segment, segment.end + footer.length);
    segment.isScattered = isScattered(segment);
    segment.index = undefined;
    this.#indexes.keep(segment, index);
    return true;
  }

  /** Without a footer the segment keeps its index in memory, and the next start reads it whole. */
  #failed(segment: Segment, error: unknown): void {
    this.#environment.log.warn('log.seal.failed', { path: segment.path, error: String(error) });
    if (error instanceof EnvironmentError && error.code === 'EIO') this.#onFailure(error);
  }
}
