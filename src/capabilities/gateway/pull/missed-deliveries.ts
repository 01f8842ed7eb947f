import type { Attempt } from './read-delivery.ts';

/**
 * Deliveries that nobody took, out of a hook's list of attempts, which comes newest first. At most `max` are known: of
 * more the oldest, so that all before the newest of them are settled once these are.
 */
export class MissedDeliveries {
  readonly #max: number;
  readonly #missed = new Map<string, Attempt>();
  /** Taken when they were sent again: what failed before is no loss. */
  readonly #taken = new Set<string>();
  #newestAt: number | undefined;
  #oldestAt: number | undefined;
  #isPartial = false;

  constructor(max: number) {
    this.#max = max;
  }

  /** Times of the newest and the oldest attempt that was looked at, in ms; undefined: there were none. */
  get newestAt(): number | undefined {
    return this.#newestAt;
  }

  get oldestAt(): number | undefined {
    return this.#oldestAt;
  }

  /** Whether newer ones are missed, too, that are not known here. */
  get isPartial(): boolean {
    return this.#isPartial;
  }

  get size(): number {
    return this.#missed.size;
  }

  /** The next attempts of the list. */
  add(attempts: readonly Attempt[]): void {
    for (const attempt of attempts) this.#add(attempt);
  }

  /** In the order in which they were first sent. */
  oldestFirst(): readonly Attempt[] {
    return [...this.#missed.values()].reverse();
  }

  #add(attempt: Attempt): void {
    const { guid, deliveredAt } = attempt;
    this.#newestAt = Math.max(this.#newestAt ?? deliveredAt, deliveredAt);
    this.#oldestAt = Math.min(this.#oldestAt ?? deliveredAt, deliveredAt);
    const known = this.#missed.get(guid);
    if (known !== undefined) this.#missed.delete(guid);
    if (attempt.isTaken) this.#take(attempt);
    else if (!this.#taken.has(guid)) this.#miss(attempt);
  }

  #take({ guid, isRedelivery }: Attempt): void {
    // Behind the first attempt nothing of the delivery is left in the list.
    if (!isRedelivery) return;
    this.#taken.add(guid);
    if (this.#taken.size > this.#max) this.#taken.delete(firstOf(this.#taken));
  }

  #miss(attempt: Attempt): void {
    this.#missed.set(attempt.guid, attempt);
    if (this.#missed.size <= this.#max) return;
    this.#missed.delete(firstOf(this.#missed.keys()));
    this.#isPartial = true;
  }
}

function firstOf(values: Iterable<string>): string {
  for (const value of values) return value;
  return '';
}
