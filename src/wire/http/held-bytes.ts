import { ThrottleError } from '../../kernel/errors.ts';
import { nextTurn } from '../../kernel/flow/next-turn.ts';
import type { ByteBudget } from '../../kernel/flow/byte-budget.ts';
import type { Clock } from '../../ports/environment.ts';
import { httpLimits } from './limits.ts';

/** What one request holds of the budget of bytes in flight, until its answer was sent. */
export class HeldBytes {
  readonly #budget: ByteBudget;
  readonly #clock: Clock;
  #bytes = 0;
  /** Of these, what the handler took for an answer that it has yet to make. */
  #reserved = 0;
  /** Whether this is the one request that may go past the bound, so that it comes to its end. */
  #isOverdrawing = false;
  #isReleased = false;
  readonly #waiting = new Set<AbortController>();

  constructor(budget: ByteBudget, clock: Clock) {
    this.#budget = budget;
    this.#clock = clock;
  }

  /** Who waits in front of all for memory, the same as long as it does; undefined where that is this one, or nobody. */
  get waitingInFront(): object | undefined {
    const { inFront } = this.#budget;
    for (const { signal } of this.#waiting) if (signal === inFront) return undefined;
    return inFront;
  }

  /** Takes at once: from what is free, or past the bound where no other request does that. */
  takeNow(bytes: number): boolean {
    const budget = this.#budget;
    if (!budget.tryTake(bytes)) {
      if (!this.#isOverdrawing && !budget.tryOverdraw()) return false;
      this.#isOverdrawing = true;
      budget.charge(bytes);
    }
    this.#bytes += bytes;
    return true;
  }

  /**
   * Waits for its turn; false after `budgetWaitMs`, or when nobody waits any more. `watched` is shown what ends the
   * wait; what it returns is called when that is over.
   */
  async take(bytes: number, watched?: (waiting: AbortController) => () => void): Promise<boolean> {
    const waiting = new AbortController();
    this.#waiting.add(waiting);
    const unwatch = watched?.(waiting);
    const cancel = this.#clock.timer(httpLimits.budgetWaitMs, () => waiting.abort());
    const isTaken = await this.#budget.take(bytes, waiting.signal);
    // Who got it goes on in a turn of its own: each may be soon done, and what it gives back wakes the next.
    if (isTaken) await nextTurn(this.#clock);
    cancel();
    unwatch?.();
    this.#waiting.delete(waiting);
    if (!isTaken) return false;
    if (this.#isReleased || waiting.signal.aborted) {
      this.#budget.giveBack(bytes);
      return false;
    }
    this.#bytes += bytes;
    return true;
  }

  /**
   * Room for what a handler is about to read. Rejects with ThrottleError `ServiceUnavailable` after 5 s, or where it
   * holds much itself while others wait and nothing moves.
   */
  async hold(bytes: number): Promise<void> {
    if (this.#budget.tryTake(bytes)) this.#bytes += bytes;
    else if (!(await this.take(bytes, (waiting) => this.#makeWay(waiting)))) throw noRoom();
    this.#reserved += bytes;
  }

  /** Of what `hold` took, so much is not needed; nothing once the answer stands. */
  giveBack(bytes: number): void {
    const back = Math.min(bytes, this.#reserved);
    this.#reserved -= back;
    this.#bytes -= back;
    this.#budget.giveBack(back);
  }

  /** The body is not read to its end, and what came of it is let go of: its sender may take long to see the answer. */
  dropBody(): void {
    if (this.#isReleased) return;
    this.#endOverdraft();
    const body = this.#bytes - this.#reserved;
    this.#bytes -= body;
    this.#budget.giveBack(body);
  }

  /** The answer stands: its own bytes count in place of those that were held for it. */
  answer(bytes: number): void {
    this.#budget.charge(bytes);
    this.#bytes += bytes - this.#reserved;
    this.#budget.giveBack(this.#reserved);
    this.#reserved = 0;
  }

  /** The answer is made while it is sent: only the piece that is on its way counts, and nothing of what came before. */
  stream(): void {
    this.#endOverdraft();
    this.#budget.giveBack(this.#bytes);
    this.#bytes = 0;
    this.#reserved = 0;
  }

  /** A piece of a streamed answer is in memory, in place of the one before. */
  piece(bytes: number): void {
    this.#budget.charge(bytes);
    this.#budget.giveBack(this.#bytes);
    this.#bytes = bytes;
  }

  /** Nobody waits for what `take` waits for. */
  stopWaiting(): void {
    for (const waiting of this.#waiting) waiting.abort();
  }

  /** Gives everything back; once, when nobody looks at it any more. */
  release(): void {
    this.#endOverdraft();
    this.#budget.giveBack(this.#bytes);
    this.#reserved = 0;
    this.#isReleased = true;
    this.stopWaiting();
  }

  /**
   * Who holds much and waits for more ends where others wait too and nothing moves: first who is not in front, since
   * two that wait for each other would wait in vain; a look later the one in front, where those who hold the rest are
   * slow.
   */
  #makeWay(waiting: AbortController): () => void {
    const budget = this.#budget;
    let before: object | undefined = budget.inFront;
    let cancel = (): void => undefined;
    const lookAgain = (): void => {
      cancel = this.#clock.timer(httpLimits.bodyLookMs, () => {
        const { inFront } = budget;
        const isInTheWay = inFront === before && budget.waiting > 1 && this.#bytes >= httpLimits.muchHeldBytes;
        before = inFront;
        if (isInTheWay) waiting.abort();
        else lookAgain();
      });
    };
    lookAgain();
    return () => cancel();
  }

  #endOverdraft(): void {
    if (this.#isOverdrawing) this.#budget.endOverdraft();
    this.#isOverdrawing = false;
  }
}

/** Others hold all the memory that requests may take. */
export function noRoom(): ThrottleError {
  return new ThrottleError('ServiceUnavailable', 'too many bytes are in flight');
}
