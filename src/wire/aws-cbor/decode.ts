import { asBuffer } from '../../kernel/bytes/as-buffer.ts';
import { VALUES_MAX } from '../aws-json/values-bound.ts';
import { BREAK, BYTES, EIGHT_BYTES, INDEFINITE, LIST, MAP, NEGATIVE, ONE_BYTE, TAG, TEXT, UNSIGNED } from './head.ts';

/** Bytes that are no CBOR, or more of it than anybody needs. */
export class MalformedCbor extends Error {
  override readonly name = 'MalformedCbor';
}

const DEPTH_MAX = 64;
const KIND_MASK = 7 << 5;

const POSITIVE_BIGNUM = 2;
const NEGATIVE_BIGNUM = 3;
const REPLACEMENT = '\ufffd';

/**
 * Reads one CBOR item (RFC 8949) that takes all the bytes: numbers, texts, lists, objects without a prototype, and byte
 * strings as parts of `bytes`, which must not change meanwhile. Integers beyond what a number holds exactly become the
 * nearest one; tags but those of bignums say nothing that a declared shape does not; undefined is null. Throws
 * MalformedCbor.
 */
export function decodeCbor(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes);
  const value = reader.item(0);
  if (!reader.isAtEnd()) throw new MalformedCbor('bytes stand behind the item');
  return value;
}

class Reader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at = 0;
  #left = VALUES_MAX;

  constructor(bytes: Uint8Array) {
    this.#bytes = asBuffer(bytes);
    this.#end = bytes.length;
  }

  isAtEnd(): boolean {
    return this.#at === this.#end;
  }

  item(depth: number): unknown {
    if (depth > DEPTH_MAX) throw new MalformedCbor(`deeper than ${DEPTH_MAX}`);
    this.#count();
    const first = this.#byte();
    const kind = first & KIND_MASK;
    const info = first & 31;
    switch (kind) {
      case UNSIGNED:
        return this.#number(info);
      case NEGATIVE:
        return -1 - this.#number(info);
      case BYTES:
        return info === INDEFINITE ? this.#joined(BYTES) : this.#take(this.#length(info));
      case TEXT:
        return info === INDEFINITE ? textOf(this.#joined(TEXT)) : this.#text(info);
      case LIST:
        return this.#list(info, depth);
      case MAP:
        return this.#map(info, depth);
      case TAG:
        return this.#tagged(this.#number(info), depth);
      default:
        return this.#simple(info);
    }
  }

  /** Items and pieces take much more memory than their bytes. */
  #count(): void {
    this.#left -= 1;
    if (this.#left < 0) throw new MalformedCbor(`more than ${VALUES_MAX} items`);
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new MalformedCbor('the bytes end early');
    return this.#bytes[this.#at++] as number;
  }

  /** An unsigned number of at most eight bytes. */
  #number(info: number): number {
    if (info < ONE_BYTE) return info;
    if (info > EIGHT_BYTES) throw new MalformedCbor(`no number begins with ${info}`);
    const size = 1 << (info - ONE_BYTE);
    const at = this.#at;
    this.#skip(size);
    if (size < 8) return this.#bytes.readUIntBE(at, size);
    // Exact below 2^53, else the nearest.
    return Number(this.#bytes.readBigUInt64BE(at));
  }

  /** A length that the bytes can hold. */
  #length(info: number): number {
    const length = this.#number(info);
    if (length > this.#end - this.#at) throw new MalformedCbor('longer than all that came');
    return length;
  }

  #skip(size: number): void {
    if (size > this.#end - this.#at) throw new MalformedCbor('the bytes end early');
    this.#at += size;
  }

  #take(length: number): Buffer {
    const at = this.#at;
    this.#at += length;
    return this.#bytes.subarray(at, at + length);
  }

  #text(info: number): string {
    return textOf(this.#take(this.#length(info)));
  }

  /** The pieces of a string of one kind, each of a length that it tells. */
  #joined(kind: number): Buffer {
    const pieces: Buffer[] = [];
    for (let first = this.#byte(); first !== BREAK; first = this.#byte()) {
      if ((first & KIND_MASK) !== kind || (first & 31) === INDEFINITE)
        throw new MalformedCbor('a string of other things');
      this.#count();
      const piece = this.#take(this.#length(first & 31));
      // A character never goes over the end of a piece (RFC 8949, 3.2.3).
      if (kind === TEXT) textOf(piece);
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  }

  /** Whether one more item follows; `left` counts those of a known number. */
  #goesOn(left: number): boolean {
    if (left !== Infinity) return left > 0;
    if (this.#bytes[this.#at] !== BREAK) return true;
    this.#at += 1;
    return false;
  }

  #list(info: number, depth: number): unknown[] {
    const list: unknown[] = [];
    // Every item takes a byte at least.
    for (let left = info === INDEFINITE ? Infinity : this.#length(info); this.#goesOn(left); left -= 1) {
      list.push(this.item(depth + 1));
    }
    return list;
  }

  #map(info: number, depth: number): Readonly<Record<string, unknown>> {
    const map = Object.create(null) as Record<string, unknown>;
    for (let left = info === INDEFINITE ? Infinity : this.#length(info); this.#goesOn(left); left -= 1) {
      const name = this.item(depth + 1);
      if (typeof name !== 'string') throw new MalformedCbor('a name that is no text');
      map[name] = this.item(depth + 1);
    }
    return map;
  }

  #tagged(tag: number, depth: number): unknown {
    const value = this.item(depth + 1);
    if (tag !== POSITIVE_BIGNUM && tag !== NEGATIVE_BIGNUM) return value;
    if (!Buffer.isBuffer(value)) throw new MalformedCbor('a bignum that is no byte string');
    const size = Number(`0x0${value.toString('hex')}`);
    return tag === POSITIVE_BIGNUM ? size : -1 - size;
  }

  #simple(info: number): boolean | number | null {
    const at = this.#at;
    switch (info) {
      case 20:
      case 21:
        return info === 21;
      case 22:
      case 23:
        return null;
      case 25:
        this.#skip(2);
        return halfOf(this.#bytes.readUInt16BE(at));
      case 26:
        this.#skip(4);
        return this.#bytes.readFloatBE(at);
      case 27:
        this.#skip(8);
        return this.#bytes.readDoubleBE(at);
      default:
        throw new MalformedCbor(`no simple value ${info}`);
    }
  }
}

/** The text of bytes in UTF-8; what is none of it throws MalformedCbor. */
function textOf(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  if (text.includes(REPLACEMENT) && !Buffer.from(text).equals(bytes)) throw new MalformedCbor('a text not in UTF-8');
  return text;
}

/** A number of 16 bits (RFC 8949, appendix D). */
function halfOf(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size =
    exponent === 0
      ? fraction * 2 ** -24
      : exponent === 31
        ? fraction === 0
          ? Infinity
          : NaN
        : (1024 + fraction) * 2 ** (exponent - 25);
  return (bits & 0x8000) === 0 ? size : -size;
}
