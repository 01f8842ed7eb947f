import { httpLimits } from './limits.ts';

const SECOND_MS = 1000;

/**
 * How much a sender of HTTP/2 may ask for that costs us work and comes to nothing: pings, settings, requests that are
 * taken back (CVE-2019-9512, -9515, CVE-2023-44487, CVE-2025-8671). What is used is forgotten at an even rate.
 */
export class Patience {
  readonly #now: () => number;
  #left: number = httpLimits.h2NuisancesMax;
  #at: number;

  /** `now`: a clock that nobody sets, in ms. */
  constructor(now: () => number) {
    this.#now = now;
    this.#at = now();
  }

  /** Counts one; false when it was one too many. */
  bears(): boolean {
    const now = this.#now();
    const forgotten = ((now - this.#at) / SECOND_MS) * httpLimits.h2NuisancesPerSecond;
    this.#at = now;
    this.#left = Math.min(httpLimits.h2NuisancesMax, this.#left + forgotten) - 1;
    return this.#left >= 0;
  }
}
