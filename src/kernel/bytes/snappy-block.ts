/**
 * Blocks of the Snappy format (google/snappy, format_description.txt), byte for byte as Snappy 1.1.10 writes them
 * without the processor's checksum instructions, which is what snappy-java 1.1.10 carries: a decoder takes any way to
 * choose copies, but an object can be compared with what Java wrote only if the choice is the same.
 */

/** A block refers back at most this far, so none is longer. */
const INPUT_BYTES_MAX = 65_536;
/** Nothing is looked up this near to the end. */
const MARGIN_BYTES = 15;
const MATCH_BYTES_MIN = 4;
const MULTIPLIER = 0x1e35a7bd;
const TABLE_BITS_MAX = 14;
const TABLE_BITS_MIN = 8;
/** Longer literals are copied by the platform. */
const SHORT_LITERAL_BYTES = 48;

/** Bytes that the block of `inputBytes` bytes has at most. */
export function snappyBlockBytesMax(inputBytes: number): number {
  return 32 + inputBytes + Math.floor(inputBytes / 6);
}

/** Writes blocks; each call runs to its end, so that one encoder is enough for a thread. */
export class SnappyBlockEncoder {
  readonly #table = new Uint16Array(1 << TABLE_BITS_MAX);
  #input: Uint8Array = new Uint8Array();
  #view: DataView = new DataView(new ArrayBuffer(0));
  #output: Uint8Array = new Uint8Array();
  #at = 0;
  #mask = 0;
  /** Where the four bytes that `#find` found stood before. */
  #candidate = 0;

  /**
   * Writes the block of all of `input`, at most 65,536 bytes, into `output` from `at` on, where there must be room for
   * `snappyBlockBytesMax`; returns the end. RangeError for a longer input.
   */
  encode(input: Uint8Array, output: Uint8Array, at: number): number {
    if (input.length > INPUT_BYTES_MAX) throw new RangeError(`a Snappy block holds ${INPUT_BYTES_MAX} bytes at most`);
    this.#input = input;
    this.#view = new DataView(input.buffer, input.byteOffset, input.length);
    this.#output = output;
    this.#at = at;
    this.#length(input.length);
    const emitted = input.length < MARGIN_BYTES ? 0 : this.#compress(this.#emptyTable(input.length));
    this.#literal(emitted, input.length);
    return this.#at;
  }

  #emptyTable(inputBytes: number): Uint16Array {
    let size = 1 << TABLE_BITS_MIN;
    while (size < 1 << TABLE_BITS_MAX && size < inputBytes) size *= 2;
    this.#mask = size - 1;
    return this.#table.fill(0, 0, size);
  }

  /** Seven bits a byte, lowest first. */
  #length(bytes: number): void {
    let rest = bytes;
    for (; rest >= 128; rest >>>= 7) this.#output[this.#at++] = (rest & 127) | 128;
    this.#output[this.#at++] = rest;
  }

  /** Emits literals and copies as long as there are matches; returns up to where. */
  #compress(table: Uint16Array): number {
    const limit = this.#input.length - MARGIN_BYTES;
    let emitted = 0;
    let from = 1;
    for (;;) {
      const found = this.#find(table, from, limit);
      if (found < 0) return emitted;
      this.#literal(emitted, found);
      let [at, candidate] = [found, this.#candidate];
      do {
        const length = this.#matchLength(candidate, at);
        this.#copy(at - candidate, length);
        at += length;
        if (at >= limit) return at;
        table[this.#slot(at - 1)] = at - 1;
        const slot = this.#slot(at);
        candidate = table[slot] as number;
        table[slot] = at;
      } while (this.#word(candidate) === this.#word(at));
      emitted = at;
      from = at + 1;
    }
  }

  /** The next place whose four bytes stood before, or -1; steps grow where nothing is found. */
  #find(table: Uint16Array, from: number, limit: number): number {
    let skip = 32;
    for (let at = from; ;) {
      const step = skip >>> 5;
      skip += step;
      const next = at + step;
      if (next > limit) return -1;
      const slot = this.#slot(at);
      const candidate = table[slot] as number;
      table[slot] = at;
      if (this.#word(candidate) === this.#word(at)) {
        this.#candidate = candidate;
        return at;
      }
      at = next;
    }
  }

  #word(at: number): number {
    return this.#view.getInt32(at, true);
  }

  #slot(at: number): number {
    return (Math.imul(this.#word(at), MULTIPLIER) >>> (32 - TABLE_BITS_MAX)) & this.#mask;
  }

  #matchLength(candidate: number, at: number): number {
    const input = this.#input;
    let length = MATCH_BYTES_MIN;
    while (at + length < input.length && input[candidate + length] === input[at + length]) length += 1;
    return length;
  }

  #literal(from: number, to: number): void {
    if (from === to) return;
    const output = this.#output;
    const rest = to - from - 1;
    if (rest < 60) output[this.#at++] = rest << 2;
    else if (rest < 256) {
      output[this.#at++] = 60 << 2;
      output[this.#at++] = rest;
    } else {
      output[this.#at++] = 61 << 2;
      output[this.#at++] = rest & 255;
      output[this.#at++] = rest >>> 8;
    }
    if (to - from > SHORT_LITERAL_BYTES) {
      output.set(this.#input.subarray(from, to), this.#at);
      this.#at += to - from;
    } else for (let at = from; at < to; at += 1) output[this.#at++] = this.#input[at] as number;
  }

  /** As copies of at most 64 bytes, none of them shorter than 4. */
  #copy(offset: number, length: number): void {
    let rest = length;
    for (; rest >= 68; rest -= 64) this.#copyOnce(offset, 64);
    if (rest > 64) {
      this.#copyOnce(offset, 60);
      rest -= 60;
    }
    this.#copyOnce(offset, rest);
  }

  #copyOnce(offset: number, length: number): void {
    const output = this.#output;
    if (length < 12 && offset < 2048) {
      output[this.#at++] = 1 | ((length - 4) << 2) | ((offset >>> 8) << 5);
      output[this.#at++] = offset & 255;
    } else {
      output[this.#at++] = 2 | ((length - 1) << 2);
      output[this.#at++] = offset & 255;
      output[this.#at++] = offset >>> 8;
    }
  }
}
