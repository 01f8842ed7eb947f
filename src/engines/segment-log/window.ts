import type { OpenFile } from '../../ports/environment.ts';
import { damage } from './format.ts';

/** A part of a file in memory, moved forward by whoever walks the file. */
export class Window {
  readonly #file: OpenFile;
  readonly #chunkBytes: number;
  /** Reused from load to load, unless what was read is handed out. */
  readonly #isReused: boolean;
  #bytes: Buffer = Buffer.alloc(0);
  #from = 0;
  #to = 0;

  constructor(file: OpenFile, options: { readonly chunkBytes: number; readonly isReused: boolean }) {
    this.#file = file;
    this.#chunkBytes = options.chunkBytes;
    this.#isReused = options.isReused;
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  /** End of what is in memory, as a position of the file. */
  get end(): number {
    return this.#to;
  }

  /** Where in `bytes` a position of the file is. */
  at(position: number): number {
    return position - this.#from;
  }

  has(position: number, length: number): boolean {
    return position >= this.#from && position + length <= this.#to;
  }

  /** Reads `length` bytes at `position` and what follows up to a chunk, but nothing at or after `end`. */
  async load(position: number, length: number, end: number): Promise<void> {
    const size = Math.min(Math.max(length, this.#chunkBytes), end - position);
    if (size < length) throw damage(this.#file.path, position, 'the file ends too early');
    if (!this.#isReused || this.#bytes.length < size) this.#bytes = Buffer.allocUnsafeSlow(size);
    this.#from = position;
    this.#to = position;
    while (this.#to < position + size) {
      const count = await this.#file.read(this.#bytes.subarray(this.#to - position, size), this.#to);
      if (count === 0) break;
      this.#to += count;
    }
    if (!this.has(position, length)) throw damage(this.#file.path, position, 'the file ends too early');
  }
}
