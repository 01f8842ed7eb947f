import type { Digest } from './arrival-headers.ts';
import { KnownDigests } from './known-digests.ts';

/** Says whether an event was stored before; bounded: at least the newest `idsMax` are known, at most twice as many. */
export class DedupeWindow {
  readonly #idsMax: number;
  #young: KnownDigests;
  #old: KnownDigests;

  /** `secret`: 8 random bytes. */
  constructor(idsMax: number, secret: Uint8Array) {
    this.#idsMax = idsMax;
    this.#young = new KnownDigests(secret);
    this.#old = new KnownDigests(secret);
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Notes an event that stands in the stream since before this start. */
  restore(digest: Digest): void {
    const slot = this.#find(digest);
    if (slot === undefined) this.#young.add(digest, 0);
    else this.#young.countStored(slot);
    this.#turnOver();
  }

  /**
   * True when the event is to be stored. With `isKey`, what came before is a repeat. Else one connection repeats
   * nothing, and what an earlier one brought so many times is repeated so many times.
   */
  take(digest: Digest, connection: number, isKey: boolean): boolean {
    const slot = this.#find(digest);
    const isNew = slot === undefined || (!isKey && this.#young.isAnother(slot, connection));
    if (slot === undefined) this.#young.add(digest, connection);
    this.#turnOver();
    return isNew;
  }

  /** Where it stands, from now on among the newest. */
  #find(digest: Digest): number | undefined {
    const slot = this.#young.find(digest);
    if (slot !== undefined) return slot;
    const before = this.#old.find(digest);
    return before === undefined ? undefined : this.#young.adopt(digest, this.#old, before);
  }

  #turnOver(): void {
    if (this.#young.size < this.#idsMax) return;
    [this.#old, this.#young] = [this.#young, this.#old];
    this.#young.clear();
  }
}
