interface Known {
  /** How often it stands in the stream. */
  stored: number;
  /** How often it came in `connection`. */
  seen: number;
  connection: number;
}

/** Says whether an event was stored before; bounded: at least the newest `idsMax` are known, at most twice as many. */
export class DedupeWindow {
  readonly #idsMax: number;
  /** By digest. Most events come once: of those only the connection is kept. */
  #young = new Map<string, Known | number>();
  #old = new Map<string, Known | number>();

  constructor(idsMax: number) {
    this.#idsMax = idsMax;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Notes an event that stands in the stream since before this start. */
  restore(digest: string): void {
    const known = this.#find(digest);
    if (known === undefined) this.#add(digest, 0);
    else known.stored += 1;
  }

  /**
   * True when the event is to be stored. With `isKey`, what came before is a repeat. Else one connection repeats
   * nothing, and what an earlier one brought so many times is repeated so many times.
   */
  take(digest: string, connection: number, isKey: boolean): boolean {
    const known = this.#find(digest);
    if (known === undefined) {
      this.#add(digest, connection);
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

  /** What is known of it, from now on among the newest. */
  #find(digest: string): Known | undefined {
    const found = this.#young.get(digest) ?? this.#old.get(digest);
    if (found === undefined) return undefined;
    const known = typeof found === 'number' ? { stored: 1, seen: 1, connection: found } : found;
    this.#old.delete(digest);
    this.#add(digest, known);
    return known;
  }

  #add(digest: string, known: Known | number): void {
    this.#young.set(digest, known);
    if (this.#young.size < this.#idsMax) return;
    this.#old = this.#young;
    this.#young = new Map();
  }
}
