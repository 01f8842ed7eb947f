import { BYTES, HEAD_BYTES, LIST, MAP, NEGATIVE, TAG, TEXT, UNSIGNED, writeHead } from './head.ts';

const FIRST_BYTES = 1024;
/** Tag 1. */
const TIME = TAG | 1;
const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;
const DOUBLE = 0xfb;

/** Writes CBOR (RFC 8949) with known lengths, each number in its shortest form. */
export class CborWriter {
  #bytes: Buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #at = 0;

  /** All that was written. */
  done(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  /** The head of a list; its items follow. */
  list(count: number): void {
    this.#head(LIST, count);
  }

  /** The head of a map; names and values follow in turn. */
  map(count: number): void {
    this.#head(MAP, count);
  }

  bytes(value: Uint8Array): void {
    this.#head(BYTES, value.length);
    this.#room(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.#head(TEXT, length);
    this.#room(length);
    this.#at += this.#bytes.write(value, this.#at);
  }

  /** Ms since the epoch. */
  time(ms: number): void {
    this.#room(1);
    this.#bytes[this.#at] = TIME;
    this.#at += 1;
    this.number(ms);
  }

  /** An integer as such, any other number in 64 bits. */
  number(value: number): void {
    if (Number.isSafeInteger(value)) {
      if (value < 0) this.#head(NEGATIVE, -1 - value);
      else this.#head(UNSIGNED, value);
      return;
    }
    this.#room(HEAD_BYTES);
    this.#bytes[this.#at] = DOUBLE;
    this.#bytes.writeDoubleBE(value, this.#at + 1);
    this.#at += HEAD_BYTES;
  }

  /** A value without a shape, as JSON has it. */
  plain(value: unknown): void {
    if (typeof value === 'string') return this.text(value);
    if (typeof value === 'number') return this.number(value);
    if (typeof value !== 'object' || value === null) {
      this.#room(1);
      this.#bytes[this.#at] = value === true ? TRUE : value === false ? FALSE : NULL;
      this.#at += 1;
      return undefined;
    }
    if (Array.isArray(value)) {
      this.list(value.length);
      for (const item of value) this.plain(item);
      return undefined;
    }
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    this.map(entries.length);
    for (const [name, item] of entries) {
      this.text(name);
      this.plain(item);
    }
    return undefined;
  }

  #head(kind: number, value: number): void {
    this.#room(HEAD_BYTES);
    this.#at = writeHead(this.#bytes, this.#at, kind, value);
  }

  #room(size: number): void {
    if (this.#at + size <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#at + size));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
