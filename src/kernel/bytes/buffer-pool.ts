/**
 * Memory that is used again, in pieces of one size. Without it every large buffer is a piece of memory that lives just
 * too long for the collector's quick rounds, its pages are the system's again each time, and both together are a third
 * of the work of a busy node (measured).
 */
export class BufferPool {
  readonly pieceBytes: number;
  readonly #keptMax: number;
  readonly #make: (bytes: number) => Buffer;
  readonly #free: Buffer[] = [];

  /** Pieces of `pieceBytes` bytes, of which `keptMax` at most wait for their next use; `make` makes one. */
  constructor(pieceBytes: number, keptMax: number, make = ownMemory) {
    this.pieceBytes = pieceBytes;
    this.#keptMax = keptMax;
    this.#make = make;
  }

  /** Holds whatever its last user left in it. */
  take(): Buffer {
    return this.#free.pop() ?? this.#make(this.pieceBytes);
  }

  /** Takes back what `take` gave, once, and nothing else; nobody may look at it any more. */
  giveBack(piece: Buffer): void {
    if (this.#free.length < this.#keptMax) this.#free.push(piece);
  }
}

function ownMemory(bytes: number): Buffer {
  return Buffer.allocUnsafeSlow(bytes);
}
