interface Piece {
  /** Virtual ms from which on this holds. */
  readonly from: number;
  readonly min: number;
  readonly max: number;
}

/** A value that is known to lie between two bounds, which change at moments of virtual time. */
class Bounds {
  readonly #pieces: Piece[];

  constructor(min: number, max: number) {
    this.#pieces = [{ from: 0, min, max }];
  }

  get latest(): Piece {
    return this.#pieces.at(-1) as Piece;
  }

  set(from: number, min: number, max: number): void {
    this.#pieces.push({ from, min, max });
  }

  /** The pieces that overlap a span of virtual time, each with where in the span it begins and ends. */
  *within(from: number, to: number): Generator<Piece & { readonly to: number }> {
    for (const [index, piece] of this.#pieces.entries()) {
      const end = this.#pieces[index + 1]?.from ?? Infinity;
      if (piece.from <= to && end >= from) {
        yield { ...piece, from: Math.max(from, piece.from), to: Math.min(to, end) };
      }
    }
  }
}

/** What the wall clock has shown; virtual time goes on while it steps. */
export class WallHistory {
  readonly #offsets: Bounds;

  /** `startedAtMs`: what it shows at virtual time 0. */
  constructor(startedAtMs: number) {
    this.#offsets = new Bounds(startedAtMs, startedAtMs);
  }

  step(now: number, ms: number): void {
    const offset = this.#offsets.latest.max + ms;
    this.#offsets.set(now, offset, offset);
  }

  /** The latest time it has shown within a span of virtual time. */
  max(from: number, to: number): number {
    return Math.max(...Array.from(this.#offsets.within(from, to), (piece) => piece.max + piece.to));
  }

  min(from: number, to: number): number {
    return Math.floor(Math.min(...Array.from(this.#offsets.within(from, to), (piece) => piece.min + piece.from)));
  }

  /** Whether it stepped within a span of virtual time. */
  stepped(from: number, to: number): boolean {
    return Array.from(this.#offsets.within(from, to)).length > 1;
  }
}

/** How long a stream keeps records, as far as clients can know; all in ms. */
export class RetentionHistory {
  readonly #bounds: Bounds;

  constructor(now: number, ms: number) {
    this.#bounds = new Bounds(ms, ms);
    this.#bounds.set(now, ms, ms);
  }

  /** A change was asked for: until its answer it may hold or not. */
  mayBecome(now: number, ms: number): void {
    const { min, max } = this.#bounds.latest;
    this.#bounds.set(now, Math.min(min, ms), Math.max(max, ms));
  }

  /** It is this. */
  is(now: number, ms: number): void {
    this.#bounds.set(now, ms, ms);
  }

  /** A power cut may have taken changes since then. */
  mayLose(since: number, now: number): void {
    this.#bounds.set(now, this.min(since, now), this.max(since, now));
  }

  /** Whether it can be this now. */
  canBe(ms: number): boolean {
    const { min, max } = this.#bounds.latest;
    return ms >= min && ms <= max;
  }

  min(from: number, to: number): number {
    return Math.min(...Array.from(this.#bounds.within(from, to), ({ min }) => min));
  }

  max(from: number, to: number): number {
    return Math.max(...Array.from(this.#bounds.within(from, to), ({ max }) => max));
  }
}
