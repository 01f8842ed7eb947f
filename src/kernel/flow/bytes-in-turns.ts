/** What SHA-256 takes 1 to 3 ms for. */
const TURN_BYTES = 1024 * 1024;

/**
 * Counts bytes that are worked through, once or for one key after the other, and gives way after each MiB: a hash of
 * 25 MiB made at once holds up everybody for tens of milliseconds.
 */
export class BytesInTurns {
  readonly #turn: () => Promise<void>;
  #left = TURN_BYTES;

  /** `turn` resolves in the next turn of the loop. */
  constructor(turn: () => Promise<void>) {
    this.#turn = turn;
  }

  /** Hands over the bytes piece by piece. */
  async each(bytes: Uint8Array, take: (piece: Uint8Array) => void): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      if (this.#left === 0) {
        await this.#turn();
        this.#left = TURN_BYTES;
      }
      const piece = bytes.subarray(at, at + this.#left);
      take(piece);
      at += piece.length;
      this.#left -= piece.length;
    }
  }
}
