import { EnvironmentError } from '../../kernel/errors.ts';
import { inPieces } from '../../kernel/flow/in-pieces.ts';
import { nextTurn } from '../../kernel/flow/next-turn.ts';
import type { Environment, OpenFile } from '../../ports/environment.ts';
import { encodeFooter } from './footer.ts';
import { damage } from './format.ts';
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
  readonly #waiting = new Set<Segment>();
  /** Why it failed since it succeeded last: the same of all files, at every look, is told once. */
  readonly #told = new Set<string>();
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
    if (this.#waiting.has(segment)) return;
    this.#waiting.add(segment);
    this.#later(segment, async () => await this.#seal(segment), sealed);
  }

  /** The same for all complete parts of the journal that have no footer. */
  sealAll(sealed: () => void): void {
    const { newest } = this.#segments;
    if (newest === undefined) return;
    for (const segment of this.#segments.all()) {
      if (segment.index !== undefined && !segment.isSettled && segment.number < newest.number)
        this.seal(segment, sealed);
    }
  }

  /**
   * Writes the footer of a segment that was found once more, later: what the process before did not sync, or could not,
   * the system may hold for written though a power cut would take it. `done` is called when the disk has it.
   */
  secure(segment: Segment, done: () => void): void {
    this.#later(segment, async () => await this.#try(segment, async () => await this.#writeAgain(segment)), done);
  }

  /** Finishes the segment under way; the others are sealed after the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#last;
  }

  /** One after the other, unless the segment is gone by then; `done` is called when the work was. */
  #later(segment: Segment, work: () => Promise<boolean>, done: () => void): void {
    this.#last = this.#last.then(async () => {
      this.#waiting.delete(segment);
      if (this.#closed || this.#segments.get(segment.number) !== segment) return;
      if (await work()) done();
    });
  }

  async #seal(segment: Segment): Promise<boolean> {
    const { index } = segment;
    // Files of older versions stay as they are, and one with a damaged place is read from its commits.
    if (index === undefined || segment.version === 1 || segment.isDamaged) return false;
    const footer = await inPieces(encodeFooter(segment, index), async () => await this.#turn());
    // The cleaner may have taken it away meanwhile.
    if (this.#segments.get(segment.number) !== segment) return false;
    const isWritten = await this.#try(segment, async () => {
      await this.#change(segment, async (file) => {
        await file.truncate(segment.end);
        await file.write(footer, segment.end);
      });
    });
    if (!isWritten) return false;
    segment.footer = { position: segment.end, bytes: footer.length };
    this.#segments.resize(segment, segment.end + footer.length);
    segment.isScattered = isScattered(segment);
    segment.index = undefined;
    this.#indexes.keep(segment, index);
    return true;
  }

  async #turn(): Promise<void> {
    await nextTurn(this.#environment.clock);
  }

  async #writeAgain(segment: Segment): Promise<void> {
    const { footer } = segment;
    if (footer === undefined) return;
    const bytes = Buffer.alloc(footer.bytes);
    await this.#change(segment, async (file) => {
      const count = await file.read(bytes, footer.position);
      if (count < bytes.length) throw damage(segment.path, footer.position, 'the footer is missing');
      await file.write(bytes, footer.position);
    });
  }

  /** Changes a file, and waits until the disk has it. */
  async #change(segment: Segment, change: (file: OpenFile) => Promise<void>): Promise<void> {
    const file = await this.#environment.files.open(segment.path, 'write');
    try {
      await change(file);
      await file.sync();
    } finally {
      await file.close();
    }
    segment.isFooterDurable = true;
  }

  async #try(segment: Segment, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      this.#told.clear();
      return true;
    } catch (error) {
      this.#failed(segment, error);
      return false;
    }
  }

  /** Without a footer the segment keeps its index in memory, and the next start reads it whole. */
  #failed(segment: Segment, error: unknown): void {
    const cause = error instanceof EnvironmentError ? error.code : String(error);
    // The cleaner may have taken it away meanwhile.
    const isThere = this.#segments.get(segment.number) === segment;
    if (isThere && !this.#told.has(cause)) {
      this.#told.add(cause);
      this.#environment.log.warn('log.seal.failed', { path: segment.path, error: String(error) });
    }
    if (error instanceof EnvironmentError && error.code === 'EIO') this.#onFailure(error);
  }
}
