import { createHash, type Hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { CheckedBytes } from '../../ports/object-store.ts';

/** The first memory of an object: most are small. */
const FIRST_BYTES = 256 * 1024;

/**
 * Gathers the bytes of one part and computes what is to be said of them chunk by chunk, so that no turn of the loop
 * computes over a whole part.
 */
export class PartMemory {
  readonly #maxBytes: number;
  #memory: Buffer = Buffer.alloc(0);
  #length = 0;
  #crc = 0;
  #sha: Hash = createHash('sha256');

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Takes what fits of a chunk, and returns the rest: empty, unless the part is full. */
  add(chunk: Uint8Array): Uint8Array {
    const taken = chunk.subarray(0, this.#maxBytes - this.#length);
    this.#grow(this.#length + taken.length);
    this.#memory.set(taken, this.#length);
    this.#length += taken.length;
    this.#crc = crc32(taken, this.#crc);
    this.#sha.update(taken);
    return chunk.subarray(taken.length);
  }

  /** The part; its bytes are looked at only until the next `add`. */
  take(): CheckedBytes {
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(this.#crc);
    const part = {
      bytes: this.#memory.subarray(0, this.#length),
      sha256: this.#sha.digest('hex'),
      crc32: crc.toString('base64'),
    };
    [this.#length, this.#crc, this.#sha] = [0, 0, createHash('sha256')];
    return part;
  }

  #grow(bytes: number): void {
    if (bytes <= this.#memory.length) return;
    const doubled = Math.max(FIRST_BYTES, this.#memory.length * 2, bytes);
    const grown = Buffer.allocUnsafeSlow(Math.min(this.#maxBytes, doubled));
    grown.set(this.#memory.subarray(0, this.#length));
    this.#memory = grown;
  }
}
