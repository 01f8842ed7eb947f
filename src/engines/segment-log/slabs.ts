const SLAB_BYTES = 4 * 1024 * 1024;
/** What is larger gets memory of its own. */
const SHARED_BYTES_MAX = SLAB_BYTES / 2;
const KEPT_MAX = 4;

interface Slab {
  readonly bytes: Buffer;
  used: number;
  /** Runs in it that wait for the disk or are kept for readers. */
  holds: number;
  /** Whether a reader was given a part of it: then it is never written again. */
  isGivenAway: boolean;
}

/**
 * Memory for entries on their way to the disk, taken from a few large pieces that are used again: at 300 MB/s the
 * platform's collector would otherwise be the busiest part of the process.
 */
export class Slabs {
  readonly #byMemory = new Map<ArrayBufferLike, Slab>();
  readonly #free: Slab[] = [];
  #current: Slab | undefined;

  /** Memory that is held by then, or free again with the next call. */
  lend(bytes: number): Buffer {
    if (bytes > SHARED_BYTES_MAX) return Buffer.allocUnsafeSlow(bytes);
    let slab = this.#current;
    if (slab === undefined || slab.used + bytes > SLAB_BYTES) {
      this.#retire();
      slab = this.#fresh();
    }
    const from = slab.used;
    slab.used += bytes;
    return slab.bytes.subarray(from, slab.used);
  }

  /** The bytes are in use until `release`. */
  hold(bytes: Uint8Array): void {
    const slab = this.#byMemory.get(bytes.buffer);
    if (slab !== undefined) slab.holds += 1;
  }

  release(bytes: Uint8Array): void {
    const slab = this.#byMemory.get(bytes.buffer);
    if (slab === undefined) return;
    slab.holds -= 1;
    if (slab.holds === 0 && slab !== this.#current) this.#recycle(slab);
  }

  /** Somebody may keep these bytes for as long as they like. */
  giveAway(bytes: Uint8Array): void {
    const slab = this.#byMemory.get(bytes.buffer);
    if (slab !== undefined) slab.isGivenAway = true;
  }

  #retire(): void {
    const slab = this.#current;
    this.#current = undefined;
    if (slab?.holds === 0) this.#recycle(slab);
  }

  #fresh(): Slab {
    const slab = this.#free.pop() ?? {
      bytes: Buffer.allocUnsafeSlow(SLAB_BYTES),
      used: 0,
      holds: 0,
      isGivenAway: false,
    };
    this.#byMemory.set(slab.bytes.buffer, slab);
    this.#current = slab;
    return slab;
  }

  #recycle(slab: Slab): void {
    this.#byMemory.delete(slab.bytes.buffer);
    if (slab.isGivenAway || this.#free.length >= KEPT_MAX) return;
    slab.used = 0;
    this.#free.push(slab);
  }
}
