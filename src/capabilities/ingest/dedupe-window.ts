interface Known {
  /** How often it stands in the stream. */
  stored: number;
  /** How often it came in `connection`. */
  seen: number;
  connection: number;
}

/** Says whether an event was stored before; bounded: the oldest are forgotten first. */
export class DedupeWindow {
  readonly #idsMax: number;
  /** By digest, oldest first. */
  readonly #known = new Map<string, Known>();

  constructor(idsMax: number) {
    this.#idsMax = idsMax;
  }

  get size(): number {
    return this.#known.size;
  }

  /** Notes an event that stands in the stream since before this start. */
  restore(digest: string): void {
    const known = this.#known.get(digest);
    if (known !== undefined) known.stored += 1;
    else this.#add(digest, { stored: 1, seen: 0, connection: 0 });
  }

  /**
   * True when the event is to be stored. With `isKey`, what came before is a repeat. Else one connection repeats
   * nothing, and what an earlier one brought so many times is repeated so many times.
   */
  take(digest: string, connection: number, isKey: boolean): boolean {
    const known = this.#known.get(digest);
    if (known === undefined) {
      this.#add(digest, { stored: 1, seen: 1, connection });
      return true;
    }
    if (isKey) return false;
    if (known.connection !== connection) {
      known.connection = connection;
      known.seen = 0;
    }
    known.seen += 1;
    if (known.seen <= known.stored) return false;
    known.stored += 1;
    return true;
  }

  #add(digest: string, known: Known): void {
    this.#known.set(digest, known);
    if (this.#known.size <= this.#idsMax) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }
}
