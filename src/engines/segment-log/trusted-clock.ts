import type { Clock } from '../../ports/environment.ts';

/** A wall clock that is ahead of the time that passed by more than this has been set. */
const STEP_MS = 60_000;
/** For so long nothing is deleted on the word of a clock that was set forward: it may be set back. */
const DOUBT_MS = 15 * 60_000;

/**
 * The time by which records are deleted for good. A clock that was set forward is believed only after a while; one that
 * was set back at once.
 */
export class TrustedClock {
  readonly #clock: Clock;
  #wall: number;
  #monotonic: number;
  #doubtedSince: number | undefined;
  /** Where the wall clock stood when it was last looked at, believed or not. */
  #seen: number;

  /** `knownAt`: a time in ms that is known to have come; a clock far ahead of it is doubted from the beginning. */
  constructor(clock: Clock, knownAt = clock.now()) {
    this.#clock = clock;
    this.#wall = knownAt;
    this.#seen = knownAt;
    this.#monotonic = clock.monotonic();
  }

  /** In ms since the Unix epoch; never ahead of the wall clock. */
  now(): number {
    const wall = this.#clock.now();
    const monotonic = this.#clock.monotonic();
    const passed = monotonic - this.#monotonic;
    const expected = this.#wall + passed;
    const isSetAgain = wall > this.#seen + passed + STEP_MS;
    this.#monotonic = monotonic;
    this.#seen = wall;
    if (wall <= expected + STEP_MS) this.#doubtedSince = undefined;
    else if (isSetAgain) this.#doubtedSince = monotonic;
    const isDoubted = this.#doubtedSince !== undefined && monotonic - this.#doubtedSince < DOUBT_MS;
    this.#wall = isDoubted ? expected : wall;
    if (!isDoubted) this.#doubtedSince = undefined;
    return this.#wall;
  }

  /** Whether the wall clock is not believed at present. */
  get isDoubting(): boolean {
    return this.#doubtedSince !== undefined;
  }
}
