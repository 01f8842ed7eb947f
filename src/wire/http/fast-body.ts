import type { BodySink, BodySource } from './body.ts';

/** How a body stops and starts the connection it comes over. */
export interface BodyFlow {
  pause(): void;
  resume(): void;
}

/** A body of known length that comes over a connection of ours. */
export class FastBody implements BodySource {
  readonly announced: number;
  readonly #flow: BodyFlow;
  /** What came before anybody asked. */
  #early: Buffer[];
  /** Bytes that did not come yet. */
  #missing: number;
  #sink: BodySink | undefined;
  #isCut = false;
  #isDropped = false;
  #dropped: (() => void) | undefined;

  /** `first`: the bytes that came with the head, at most `announced`. */
  constructor(announced: number, first: Buffer, flow: BodyFlow) {
    this.announced = announced;
    this.#flow = flow;
    this.#early = first.length === 0 ? [] : [first];
    this.#missing = announced - first.length;
  }

  get missing(): number {
    return this.#missing;
  }

  /** Whether the sender went away before its end. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** Whether all of it came in one piece, with its head. */
  get isWhole(): boolean {
    return this.#missing === 0 && this.#early.length <= 1;
  }

  /** The bytes of a body that is whole: no copy. */
  takeWhole(): Buffer {
    const [only = EMPTY] = this.#early;
    return only;
  }

  /** Takes what belongs to the body; returns what does not. */
  incoming(chunk: Buffer): Buffer | undefined {
    if (this.#missing === 0) return chunk;
    const mine = chunk.length > this.#missing ? chunk.subarray(0, this.#missing) : chunk;
    const isEnd = mine.length === this.#missing;
    this.#missing -= mine.length;
    if (this.#sink !== undefined) {
      this.#sink.take(mine);
      if (isEnd) this.#sink?.end();
    } else if (!this.#isDropped) {
      this.#early.push(mine);
      this.#flow.pause();
    }
    if (isEnd) this.#dropped?.();
    return chunk.length > mine.length ? chunk.subarray(mine.length) : undefined;
  }

  listen(sink: BodySink): void {
    this.#sink = sink;
    // First, since the sink may stop it again.
    if (this.#missing > 0) this.#flow.resume();
    for (const chunk of this.#early) this.#sink?.take(chunk);
    this.#early = [];
    if (this.#missing === 0) this.#sink?.end();
    else if (this.#isCut) this.#sink?.cut();
  }

  pause(): void {
    this.#flow.pause();
  }

  resume(): void {
    this.#flow.resume();
  }

  leave(): void {
    this.#sink = undefined;
    if (this.#missing > 0) this.#flow.pause();
  }

  /** The connection ended. */
  cut(): void {
    if (this.#missing === 0 || this.#isCut) return;
    this.#isCut = true;
    this.#sink?.cut();
    this.#dropped?.();
  }

  /** Reads what is left and forgets it; calls `done` at its end, however it ends. */
  drop(done: () => void): void {
    this.#isDropped = true;
    this.#early = [];
    this.#dropped = done;
    if (this.#missing === 0 || this.#isCut) done();
    else this.#flow.resume();
  }
}

const EMPTY = Buffer.alloc(0);
