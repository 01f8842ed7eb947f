/** Does work one after the other, in the order it was asked for; one that fails lets the next go on. */
export class OneAtATime {
  #last: Promise<void> = Promise.resolve();

  /** Starts the work once all that was asked for earlier is over, never at once; resolves and rejects as it does. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    this.#last = mine.then(nothing, nothing);
    return mine;
  }

  /** Resolves when all that was asked for until now is over, whatever came of it. */
  settled(): Promise<void> {
    return this.#last;
  }
}

function nothing(): void {}
