/** A set of texts in the order of their code units: adding is a binary search and one move of memory. */
export class SortedKeys {
  readonly #keys: string[] = [];

  get size(): number {
    return this.#keys.length;
  }

  /** Adds a key that is not there yet. */
  add(key: string): void {
    const last = this.#keys.at(-1);
    if (last === undefined || last < key) this.#keys.push(key);
    else this.#keys.splice(this.#indexOf(key), 0, key);
  }

  /** Removes a key; a missing one is fine. */
  remove(key: string): void {
    const index = this.#indexOf(key);
    if (this.#keys[index] === key) this.#keys.splice(index, 1);
  }

  /** The keys that start with `prefix`, sorted. */
  under(prefix: string): readonly string[] {
    const from = this.#indexOf(prefix);
    const length = this.#keys.slice(from).findIndex((key) => !key.startsWith(prefix));
    return this.#keys.slice(from, length < 0 ? undefined : from + length);
  }

  /** Up to `count` keys from position `index` on. */
  slice(index: number, count: number): readonly string[] {
    return this.#keys.slice(index, index + count);
  }

  /** Position of the first key that is not below `key`. */
  #indexOf(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#keys[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
