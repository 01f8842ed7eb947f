import type { Failure } from '../error-lines.ts';

/** Why records of a batch did not arrive, by their places: two words of memory for each, as there may be many. */
export class PlacedFailures {
  #places: number[] = [];
  #failures: Failure[] = [];

  get size(): number {
    return this.#places.length;
  }

  /** Adds one whose place lies behind all others. */
  add(place: number, failure: Failure): void {
    this.#places.push(place);
    this.#failures.push(failure);
  }

  has(place: number): boolean {
    return this.#find(place) >= 0;
  }

  get(place: number): Failure | undefined {
    return this.#failures[this.#find(place)];
  }

  /** Takes in those of other records. */
  merge(others: PlacedFailures): void {
    if (others.size === 0) return;
    const [places, failures] = [this.#places, this.#failures];
    [this.#places, this.#failures] = [[], []];
    let at = 0;
    for (let other = 0; other < others.size; other += 1) {
      const place = others.#places[other] as number;
      for (; (places[at] ?? Infinity) < place; at += 1) this.add(places[at] as number, failures[at] as Failure);
      this.add(place, others.#failures[other] as Failure);
    }
    for (; at < places.length; at += 1) this.add(places[at] as number, failures[at] as Failure);
  }

  /** Its index; below 0: it is none of them. */
  #find(place: number): number {
    let [low, high] = [0, this.#places.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#places[middle] as number) < place) low = middle + 1;
      else high = middle;
    }
    return this.#places[low] === place ? low : -1;
  }
}
