import type { BufferPool } from './buffer-pool.ts';

/** Memory out of a pool for what one read, or a few, give: all of it is over at the same time. */
export class ReadMemory {
  readonly #pool: BufferPool;
  readonly #pieces: Buffer[] = [];
  /** Bytes of the last piece that are taken. */
  #used = 0;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  /** Memory until `reset`; what does not fit into a piece of the pool is memory of its own. */
  take(bytes: number): Buffer {
    const { pieceBytes } = this.#pool;
    if (bytes > pieceBytes) return Buffer.allocUnsafeSlow(bytes);
    let piece = this.#pieces.at(-1);
    if (piece === undefined || this.#used + bytes > pieceBytes) {
      piece = this.#pool.take();
      this.#pieces.push(piece);
      this.#used = 0;
    }
    const from = this.#used;
    this.#used += bytes;
    return piece.subarray(from, this.#used);
  }

  /** Nobody looks at anything in it any more, or writes into it. Who cannot say so leaves it to the collector. */
  reset(): void {
    for (const piece of this.#pieces) this.#pool.giveBack(piece);
    this.#pieces.length = 0;
    this.#used = 0;
  }
}
