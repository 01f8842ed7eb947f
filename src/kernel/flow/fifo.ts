/** Places left in front before what stays is moved: there are thousands of lists in which hardly anything stands. */
const LEFT_MAX = 16;

/** A list that grows at its end and shrinks at its beginning; what stays is not moved each time. */
export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #from = 0;

  get length(): number {
    return this.#items.length - this.#from;
  }

  /** The one at `index`, counted from the oldest. */
  at(index: number): T | undefined {
    return this.#items[this.#from + index];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Takes away the oldest one; undefined when there is none. */
  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#from];
    // The place outlives it, and must not keep what it holds.
    this.#items[this.#from] = undefined;
    this.#from += 1;
    if (this.#from > LEFT_MAX && this.#from * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#from);
      this.#from = 0;
    }
    return item;
  }
}
