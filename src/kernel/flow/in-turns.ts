/**
 * Makes many calls that fell due together, in their order and so many in one turn of the loop: each of them may go on
 * with work of its own, and whoever waits for the loop would wait for all of that. A few are made at once.
 */
export class InTurns {
  readonly #perTurn: number;
  readonly #soon: (run: () => void) => void;
  #waiting: (() => void)[] = [];
  #next = 0;
  #isRunning = false;
  #idle: (() => void)[] = [];

  /** Calls that must not throw, at most `perTurn` of them in one turn; `soon` runs something in the next one. */
  constructor(perTurn: number, soon: (run: () => void) => void) {
    this.#perTurn = perTurn;
    this.#soon = soon;
  }

  /** How many wait for a later turn. */
  get waiting(): number {
    return this.#waiting.length - this.#next;
  }

  /** Makes the calls: now, as far as no former ones wait and they are not too many, else behind those. */
  run(calls: readonly (() => void)[]): void {
    const isFirst = this.waiting === 0 && !this.#isRunning;
    for (const call of calls) this.#waiting.push(call);
    if (isFirst) this.#turn();
  }

  /** Resolves when no call waits. */
  idle(): Promise<void> {
    if (this.waiting === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #turn(): void {
    const end = Math.min(this.#waiting.length, this.#next + this.#perTurn);
    this.#isRunning = true;
    while (this.#next < end) {
      const call = this.#waiting[this.#next] as () => void;
      this.#next += 1;
      call();
    }
    this.#isRunning = false;
    if (this.waiting > 0) return this.#soon(() => this.#turn());
    this.#waiting = [];
    this.#next = 0;
    for (const resolve of this.#idle.splice(0)) resolve();
    return undefined;
  }
}
