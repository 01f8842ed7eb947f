import type { Clock } from '../../ports/environment.ts';

/** Pieces of a body, cut off when none comes for too long; the time in which nobody asks for one does not count. */
export class TimedPieces implements AsyncIterable<Uint8Array> {
  readonly #pieces: AsyncIterable<Uint8Array>;
  readonly #silenceMs: number;
  readonly #clock: Clock;
  readonly #cut: AbortController;
  /** Nothing came for too long, and the connection was cut. */
  isSilent = false;

  /** `silenceMs` 0: it waits for ever. */
  constructor(pieces: AsyncIterable<Uint8Array>, silenceMs: number, clock: Clock, cut: AbortController) {
    this.#pieces = pieces;
    this.#silenceMs = silenceMs;
    this.#clock = clock;
    this.#cut = cut;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    const pieces = this.#pieces[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await this.#timed(pieces.next());
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await pieces.return?.();
    }
  }

  async #timed<T>(next: Promise<T>): Promise<T> {
    if (this.#silenceMs === 0) return await next;
    const cancel = this.#clock.timer(this.#silenceMs, () => {
      this.isSilent = true;
      this.#cut.abort();
    });
    try {
      return await next;
    } finally {
      cancel();
    }
  }
}
