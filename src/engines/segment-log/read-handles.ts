import type { Files, OpenFile } from '../../ports/environment.ts';
import { damage } from './format.ts';
import type { Segment } from './segment.ts';

const OPEN_FILES_MAX = 64;

/** A file held open while it is read. */
export interface ReadHandle {
  readonly segment: Segment;
  readonly file: Promise<OpenFile>;
  uses: number;
}

/** Files open for reading: kept from read to read, at most OPEN_FILES_MAX besides those in use. */
export class ReadHandles {
  readonly #files: Files;
  /** Least recently used first. */
  readonly #handles = new Map<Segment, ReadHandle>();

  constructor(files: Files) {
    this.#files = files;
  }

  /** Fills `bytes` from `position` on; rejects with EIO when the file ends before. */
  async read(segment: Segment, position: number, bytes: Buffer): Promise<void> {
    const count = await this.readSome(segment, position, bytes);
    if (count < bytes.length) throw damage(segment.path, position + count, 'the file ends too early');
  }

  /** The same up to the file's end, if that comes first; resolves with the number of bytes. */
  async readSome(segment: Segment, position: number, bytes: Buffer): Promise<number> {
    const handle = this.acquire(segment);
    try {
      const file = await handle.file;
      return await file.read(bytes, position);
    } finally {
      this.release(handle);
    }
  }

  /** Must be released again, also when the file cannot be opened. */
  acquire(segment: Segment): ReadHandle {
    const known = this.#handles.get(segment);
    this.#handles.delete(segment);
    const handle = known ?? this.#open(segment);
    this.#handles.set(segment, handle);
    handle.uses += 1;
    return handle;
  }

  #open(segment: Segment): ReadHandle {
    const file = this.#files.open(segment.path, 'read');
    // A file that cannot be opened now may be opened by the next read; the reader sees the error itself.
    file.catch(() => this.forget(segment));
    return { segment, file, uses: 0 };
  }

  release(handle: ReadHandle): void {
    handle.uses -= 1;
    const kept = this.#handles.get(handle.segment) === handle;
    if (handle.uses === 0 && !kept) void close(handle);
    if (this.#handles.size <= OPEN_FILES_MAX) return;
    const idle = [...this.#handles.values()].find(({ uses }) => uses === 0);
    if (idle !== undefined) this.forget(idle.segment);
  }

  /** The next read opens the file again; the handle closes once nobody uses it. */
  forget(segment: Segment): void {
    const handle = this.#handles.get(segment);
    this.#handles.delete(segment);
    if (handle?.uses === 0) void close(handle);
  }

  async close(): Promise<void> {
    const idle = [...this.#handles.values()].filter(({ uses }) => uses === 0);
    this.#handles.clear();
    await Promise.all(idle.map(close));
  }
}

/** Failures to open were told to those who read; a file that was only read has nothing to lose at close. */
async function close(handle: ReadHandle): Promise<void> {
  const file = await handle.file.catch(() => undefined);
  await file?.close().catch(() => {});
}
