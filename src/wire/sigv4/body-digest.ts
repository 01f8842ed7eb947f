import { createHash, hash, type Hash } from 'node:crypto';

const EMPTY = new Uint8Array();

/** SHA-256 of a body, computed while it comes; each piece must stay as it is until the next one. */
export class BodyDigest {
  #first: Uint8Array | undefined;
  #hash: Hash | undefined;

  add(piece: Uint8Array): void {
    if (this.#hash === undefined && this.#first === undefined) {
      // Most bodies come in one piece, and one call for that is cheaper than an object.
      this.#first = piece;
      return;
    }
    this.#hash ??= createHash('sha256').update(this.#first ?? EMPTY);
    this.#first = undefined;
    this.#hash.update(piece);
  }

  /** Of all that was added, in hex; asked for once. */
  hex(): string {
    return this.#hash?.digest('hex') ?? hash('sha256', this.#first ?? EMPTY);
  }
}
