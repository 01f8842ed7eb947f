import { assert } from '../../kernel/assert.ts';
import type { Environment, OpenFile } from '../../ports/environment.ts';
import { ReadHandles } from './read-handles.ts';
import { Segment } from './segment.ts';

/** Where the log's files live and how large they grow. */
export interface SegmentSetOptions {
  readonly directory: string;
  readonly epoch: number;
  readonly segmentBytesMax: number;
}

/** The files of the log: the older ones for reading, and the one that is written. */
export class SegmentSet {
  readonly handles: ReadHandles;
  readonly #environment: Environment;
  readonly #options: SegmentSetOptions;
  readonly #byNumber = new Map<number, Segment>();
  #nextNumber: number;
  #active: { readonly segment: Segment; readonly file: OpenFile } | undefined;

  constructor(environment: Environment, options: SegmentSetOptions, found: readonly Segment[], nextNumber: number) {
    this.#environment = environment;
    this.#options = options;
    this.handles = new ReadHandles(environment.files);
    for (const segment of found) this.#byNumber.set(segment.number, segment);
    this.#nextNumber = nextNumber;
  }

  /** Oldest first. */
  all(): readonly Segment[] {
    return [...this.#byNumber.values()];
  }

  get(number: number): Segment | undefined {
    return this.#byNumber.get(number);
  }

  /** The file being written; there is one once hasRoom said so or roll resolved. */
  get writing(): { readonly segment: Segment; readonly file: OpenFile } {
    assert(this.#active !== undefined, 'a segment is open for writing');
    return this.#active;
  }

  /** The newest segment that holds a commit: it says where all shards stand, so it must stay. */
  get newest(): Segment | undefined {
    return this.all().findLast((segment) => segment.commitCount > 0);
  }

  /** Whether a commit of about `bytes` goes into the file being written; the first one always does. */
  hasRoom(bytes: number): boolean {
    const segment = this.#active?.segment;
    if (segment === undefined) return false;
    return segment.commitCount === 0 || segment.end + bytes <= this.#options.segmentBytesMax;
  }

  /** Goes on in a new file, whose name is durable when this resolves. Everything before must be durable. */
  async roll(): Promise<void> {
    const { directory, epoch } = this.#options;
    const { files, random } = this.#environment;
    const salt = Buffer.from(random.bytes(4)).readUInt32LE(0);
    const segment = new Segment(directory, { number: this.#nextNumber, epoch, salt }, 0);
    const file = await files.open(segment.path, 'create');
    this.#nextNumber += 1;
    await files.syncDirectory(directory);
    const before = this.#active;
    this.#active = { segment, file };
    this.#byNumber.set(segment.number, segment);
    await before?.file.close();
  }

  /** Removes a file that is not being written; readers under way keep theirs open. */
  async delete(segment: Segment): Promise<void> {
    this.#byNumber.delete(segment.number);
    this.handles.forget(segment);
    await this.#environment.files.remove(segment.path);
  }

  async close(): Promise<void> {
    await this.#active?.file.close();
    this.#active = undefined;
    await this.handles.close();
  }
}
