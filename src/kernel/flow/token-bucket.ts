/** Bounds how often something is done: `perSecond` on average, `burst` at once. */
export interface TokenBucketOptions {
  readonly perSecond: number;
  readonly burst: number;
}

/** Tokens that come back with time; at first all of them are there. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #at: number | undefined;

  constructor({ perSecond, burst }: TokenBucketOptions) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** Takes one token at `nowMs` (which never steps back) and returns 0, or else the ms until there is one. */
  take(nowMs: number): number {
    const passed = nowMs - (this.#at ?? nowMs);
    this.#at = nowMs;
    this.#tokens = Math.min(this.#burst, this.#tokens + passed * this.#perMs);
    if (this.#tokens < 1) return Math.ceil((1 - this.#tokens) / this.#perMs);
    this.#tokens -= 1;
    return 0;
  }
}
