import type { Encoded, Piece } from '../encoding/pieces.ts';
import { EncodingThread, type Encoding } from './encoding-thread.ts';

/** So many threads that encode, each begun when those before it have work. */
export class EncodingThreads {
  readonly #threads: readonly EncodingThread[];

  constructor(count: number) {
    this.#threads = Array.from({ length: count }, () => new EncodingThread());
  }

  /** As `EncodingThread.encode`, in the thread that has the fewest pieces. */
  async encode(encoding: Encoding, piece: Piece): Promise<Encoded> {
    const free = this.#threads.reduce((least, one) => (one.waiting < least.waiting ? one : least));
    return await free.encode(encoding, piece);
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    await Promise.all(this.#threads.map(async (thread) => await thread.close()));
  }
}
