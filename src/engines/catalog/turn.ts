import { nextTurn } from '../../kernel/flow/next-turn.ts';
import type { Clock } from '../../ports/environment.ts';

/** No turn of the loop may last 5 ms: this leaves room for others in the same one, and for the last step's length. */
const TURN_MS = 2;

/** Cuts long work into turns of the event loop by the time they take, so that clients do not wait behind it. */
export class Turn {
  readonly #clock: Clock;
  #startedAt: number;

  /** A turn that begins now. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAt = clock.monotonic();
  }

  /** Whether the work must let others go on. */
  get isOver(): boolean {
    return this.#clock.monotonic() - this.#startedAt >= TURN_MS;
  }

  /** Lets what waits go on, and begins the next turn. */
  async next(): Promise<void> {
    await nextTurn(this.#clock);
    this.#startedAt = this.#clock.monotonic();
  }
}
