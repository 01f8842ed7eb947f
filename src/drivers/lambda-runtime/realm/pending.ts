/**
 * What a function has started and not waited for. The service answered a webhook only when all of it had settled, and
 * functions rely on that: they set the body in a `then` of a promise that they do not return.
 */
export class Pending {
  readonly #open = new Set<Promise<unknown>>();

  /** Notes the promise until it settles. What it gives back fails as the promise does: that is the function's. */
  async track<T>(promise: Promise<T>): Promise<T> {
    const settled = promise.then(
      () => undefined,
      () => undefined,
    );
    this.#open.add(settled);
    void settled.then(() => this.#open.delete(settled));
    return await promise;
  }

  /** Resolves once nothing is open, and what waited for it has had its turn without opening more. */
  async settled(): Promise<void> {
    do {
      await Promise.all(this.#open);
      await new Promise((resolve) => void setImmediate(resolve));
    } while (this.#open.size > 0);
  }
}
