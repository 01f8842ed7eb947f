import type { Clock } from '../../ports/environment.ts';

/** Who waits for the head of a request. */
export interface AwaitsHead {
  /** It did not come in time. */
  refuseSlow(): void;
}

/** Ends the wait for heads that come too slowly: one timer for all connections, set only while one waits. */
export class SlowHeads {
  readonly #clock: Clock;
  readonly #headersMs: number;
  readonly #lookMs: number;
  /** Since when each waits, the longest first. */
  readonly #since = new Map<AwaitsHead, number>();
  #cancel: (() => void) | undefined;

  /** A head may take `headersMs`; every `lookMs` one looks. */
  constructor(clock: Clock, headersMs: number, lookMs: number) {
    this.#clock = clock;
    this.#headersMs = headersMs;
    this.#lookMs = lookMs;
  }

  /** From now on; who waits already goes on. */
  add(one: AwaitsHead): void {
    if (this.#since.has(one)) return;
    this.#since.set(one, this.#clock.monotonic());
    this.#cancel ??= this.#clock.timer(this.#lookMs, this.#look);
  }

  delete(one: AwaitsHead): void {
    this.#since.delete(one);
  }

  /** Looks no more. */
  close(): void {
    this.#cancel?.();
  }

  readonly #look = (): void => {
    this.#cancel = undefined;
    const latest = this.#clock.monotonic() - this.#headersMs;
    for (const [one, since] of this.#since) {
      if (since > latest) break;
      this.#since.delete(one);
      one.refuseSlow();
    }
    if (this.#since.size > 0) this.#cancel = this.#clock.timer(this.#lookMs, this.#look);
  };
}
