import { assert } from '../../kernel/assert.ts';
import { EnvironmentError } from '../../kernel/errors.ts';
import type { Environment, OpenFile } from '../../ports/environment.ts';
import { FORMAT_VERSION } from './format.ts';
import { ReadHandles } from './read-handles.ts';
import { Segment } from './segment.ts';

/** Where the log's files live and how large they grow. */
export interface SegmentSetOptions {
  readonly directory: string;
  readonly epoch: number;
  readonly segmentBytesMax: number;
}

/** A file that takes commits. */
interface Writable {
  readonly segment: Segment;
  readonly file: OpenFile;
}

/** The files of the log: the older ones for reading, and the one that is written. */
export class SegmentSet {
  readonly handles: ReadHandles;
  readonly options: SegmentSetOptions;
  readonly #environment: Environment;
  readonly #byNumber = new Map<number, Segment>();
  /** In the order of their records. */
  #sorted: readonly Segment[] = [];
  #nextNumber: number;
  #totalBytes = 0;
  #active: Writable | undefined;
  /** The next one, in which nothing is written, while its name is not known to be durable. */
  #next: Writable | undefined;

  constructor(environment: Environment, options: SegmentSetOptions, found: readonly Segment[], nextNumber: number) {
    this.#environment = environment;
    this.options = options;
    this.handles = new ReadHandles(environment.files);
    for (const segment of found) this.#take(segment);
    this.#nextNumber = nextNumber;
  }

  /** In the order of their records; the list stays as it is when files come and go. */
  all(): readonly Segment[] {
    return this.#sorted;
  }

  get(number: number): Segment | undefined {
    return this.#byNumber.get(number);
  }

  /** Size of all files together, in bytes. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** The file being written, once there is one. */
  get active(): Writable | undefined {
    return this.#active;
  }

  /** The file being written; there is one once hasRoom said so or roll resolved. */
  get writing(): Writable {
    assert(this.#active !== undefined, 'a segment is open for writing');
    return this.#active;
  }

  /** The newest part of the journal whose first commit the disk has: it must stay, and says where all shards stand. */
  get newest(): Segment | undefined {
    return this.all().findLast((segment) => !segment.isSettled && segment.isBegun);
  }

  /** Whether a commit of about `bytes` goes into the file being written; the first one always does. */
  hasRoom(bytes: number): boolean {
    const segment = this.#active?.segment;
    if (segment === undefined) return false;
    return segment.commitCount === 0 || segment.end + bytes <= this.options.segmentBytesMax;
  }

  /** Takes note that commits were written at the end of a file. */
  grow(segment: Segment, bytes: number): void {
    segment.end += bytes;
    this.resize(segment, segment.end);
  }

  /** Takes note of a file's size, in bytes; the file may be gone by now. */
  resize(segment: Segment, fileBytes: number): void {
    if (this.#byNumber.get(segment.number) === segment) this.#totalBytes += fileBytes - segment.fileBytes;
    segment.fileBytes = fileBytes;
  }

  /** A segment that has no file yet; `settledFrom`: the place it takes in the order of records, 0 at the end. */
  make(settledFrom: number): Segment {
    const { directory, epoch } = this.options;
    const salt = Buffer.from(this.#environment.random.bytes(4)).readUInt32LE(0);
    const segment = new Segment(directory, {
      version: FORMAT_VERSION,
      segment: this.#nextNumber,
      epoch,
      salt,
      settledFrom,
    });
    this.#nextNumber += 1;
    return segment;
  }

  /**
   * Goes on in a new file, whose name is durable when this resolves. Everything before must be durable. Where that is
   * refused the same file is tried the next time: on a full disk new ones would become many.
   */
  async roll(): Promise<void> {
    const next = (this.#next ??= await this.#create());
    await this.#environment.files.syncDirectory(this.options.directory);
    const before = this.#active;
    this.#active = next;
    this.#next = undefined;
    this.#take(next.segment);
    await this.#letGo(before?.file);
  }

  /** Lets a settled file, whose name is durable, take the place of its sources. */
  replace(sources: readonly Segment[], settled: Segment): void {
    for (const source of sources) this.#leave(source);
    this.#take(settled);
  }

  /** Removes a file that nobody is to read any more; readers under way keep theirs open. */
  async delete(segment: Segment): Promise<void> {
    this.#leave(segment);
    await this.#environment.files.remove(segment.path);
    // Whoever read on in it meanwhile opened it again: while it is open its bytes are not free.
    this.handles.forget(segment);
  }

  async close(): Promise<void> {
    await this.#letGo(this.#active?.file);
    this.#active = undefined;
    // The next start removes it.
    await this.#letGo(this.#next?.file);
    this.#next = undefined;
    await this.handles.close();
  }

  async #create(): Promise<Writable> {
    const segment = this.make(0);
    return { segment, file: await this.#environment.files.open(segment.path, 'create') };
  }

  /** The disk has confirmed all of the file: whatever closing it answers, nothing is lost. */
  async #letGo(file: OpenFile | undefined): Promise<void> {
    try {
      await file?.close();
    } catch (error) {
      if (!(error instanceof EnvironmentError)) throw error;
      this.#environment.log.warn('log.close.failed', { path: file?.path, error: error.message });
    }
  }

  #take(segment: Segment): void {
    this.#byNumber.set(segment.number, segment);
    const at = this.#sorted.findLastIndex(({ place }) => place <= segment.place) + 1;
    this.#sorted = this.#sorted.toSpliced(at, 0, segment);
    this.#totalBytes += segment.fileBytes;
  }

  #leave(segment: Segment): void {
    if (!this.#byNumber.delete(segment.number)) return;
    this.#sorted = this.#sorted.toSpliced(this.#sorted.indexOf(segment), 1);
    this.#totalBytes -= segment.fileBytes;
    this.handles.forget(segment);
  }
}
