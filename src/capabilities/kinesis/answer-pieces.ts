import type { BufferPool } from '../../kernel/bytes/buffer-pool.ts';

/** An answer as it grows, in memory out of a pool. */
export class AnswerPieces {
  readonly #pool: BufferPool;
  #pieces: Buffer[] = [];
  /** Bytes of the last piece that are written. */
  #used: number;

  constructor(pool: BufferPool) {
    this.#pool = pool;
    this.#used = pool.pieceBytes;
  }

  /** Copies the bytes to the answer's end. */
  add(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length;) {
      const to = Math.min(bytes.length, from + this.#room());
      (this.#pieces.at(-1) as Buffer).set(bytes.subarray(from, to), this.#used);
      this.#used += to - from;
      from = to;
    }
  }

  /** Writes the answer's first bytes anew, as many as were added first. */
  setFront(bytes: Uint8Array): void {
    this.#pieces[0]?.set(bytes);
  }

  /** The whole answer; nothing can be added any more. What it takes is at most twice what it holds. */
  end(): readonly Uint8Array[] {
    const last = this.#pieces.at(-1);
    if (last === undefined) return [];
    const full = this.#pieces.slice(0, -1);
    const rest = last.subarray(0, this.#used);
    if (2 * this.#used > last.length) return [...full, rest];
    // Many small answers that wait for their receivers must not hold a whole piece each.
    const copy = Buffer.from(rest);
    this.#pool.giveBack(last);
    this.#pieces = full;
    return [...full, copy];
  }

  /** Nobody looks at the answer any more. */
  giveBack(): void {
    for (const piece of this.#pieces) this.#pool.giveBack(piece);
    this.#pieces = [];
  }

  #room(): number {
    const { pieceBytes } = this.#pool;
    if (this.#used === pieceBytes) {
      this.#pieces.push(this.#pool.take());
      this.#used = 0;
    }
    return pieceBytes - this.#used;
  }
}
