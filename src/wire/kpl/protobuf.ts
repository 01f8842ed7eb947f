/** Kinds of values on the wire. */
const VARINT = 0;
const FIXED_64 = 1;
const BYTES = 2;
const FIXED_32 = 5;

const CONTINUES = 0x80;
const SEVEN_BITS = 128;
/** A whole number of 64 bits takes no more. */
const VARINT_BYTES_MAX = 10;

/**
 * The fields of one message in protocol buffers' wire format, one after the other. Whole numbers beyond 2^53 lose their
 * lowest bits: nothing here counts that far.
 */
export class Fields {
  readonly #message: Uint8Array;
  readonly #to: number;
  #at: number;
  #kind = VARINT;
  /** Where the field's value begins; it ends at `end`. */
  valueAt = 0;
  /** Of the field; 0 before the first. */
  number = 0;
  /** The field's value, when `isInteger`. */
  integer = 0;
  /** Set once the message ends in the middle of a field, or holds what no message does. */
  isMalformed = false;

  /** Those from `from` to `to` alone: a message inside of another one needs no slice of its own. */
  constructor(message: Uint8Array, from = 0, to = message.length) {
    this.#message = message;
    this.#at = from;
    this.#to = to;
  }

  get end(): number {
    return this.#at;
  }

  get isInteger(): boolean {
    return this.#kind === VARINT;
  }

  get isBytes(): boolean {
    return this.#kind === BYTES;
  }

  /** The field's value, when `isBytes`; a slice of the message. */
  get bytes(): Uint8Array {
    return this.#message.subarray(this.valueAt, this.#at);
  }

  /** Goes to the next field; false at the end, and where the message is malformed. */
  next(): boolean {
    if (this.isMalformed || this.#at >= this.#to) return false;
    const tag = this.#varint();
    this.#kind = tag % 8;
    this.number = Math.floor(tag / 8);
    this.isMalformed ||= this.number < 1 || this.number > 0x1fff_ffff || !this.#readValue();
    return !this.isMalformed;
  }

  #readValue(): boolean {
    let length = 0;
    if (this.#kind === VARINT) this.integer = this.#varint();
    else if (this.#kind === BYTES) length = this.#varint();
    else if (this.#kind === FIXED_64) length = 8;
    else if (this.#kind === FIXED_32) length = 4;
    else return false;
    this.valueAt = this.#at;
    this.#at += length;
    return !this.isMalformed && this.#at <= this.#to;
  }

  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < VARINT_BYTES_MAX && this.#at < this.#to; count += 1) {
      const byte = this.#message[this.#at] as number;
      this.#at += 1;
      value += (byte % SEVEN_BITS) * scale;
      if (byte < CONTINUES) return value;
      scale *= SEVEN_BITS;
    }
    this.isMalformed = true;
    return 0;
  }
}
