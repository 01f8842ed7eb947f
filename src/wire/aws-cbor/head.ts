/** Kinds of items (RFC 8949, 3.1), as the highest three bits of their first byte. */
export const UNSIGNED = 0;
/** A negative integer. */
export const NEGATIVE = 1 << 5;
/** A byte string. */
export const BYTES = 2 << 5;
/** A text in UTF-8. */
export const TEXT = 3 << 5;
/** A list; its items follow. */
export const LIST = 4 << 5;
/** A map; names and values follow in turn. */
export const MAP = 5 << 5;
/** The longest head: a byte and eight more. */
export const HEAD_BYTES = 9;
/** A tag; the item that it says something of follows. */
export const TAG = 6 << 5;
/** In the place of a length: up to a break. */
export const INDEFINITE = 31;
/** What ends items of no known length. */
export const BREAK = 0xff;
/** Of what follows the first byte of a head; smaller numbers stand in it. */
export const ONE_BYTE = 24;
/** Likewise. */
export const TWO_BYTES = 25;
/** Likewise. */
export const FOUR_BYTES = 26;
/** Likewise. */
export const EIGHT_BYTES = 27;

const UINT32 = 2 ** 32;

/**
 * Writes the head of an item in its shortest form and returns the position after it: `value` is the number itself, or
 * how many bytes, items or pairs follow, up to 2^53 - 1.
 */
export function writeHead(bytes: Uint8Array, at: number, kind: number, value: number): number {
  if (value < ONE_BYTE) {
    bytes[at] = kind | value;
    return at + 1;
  }
  if (value < 0x100) return writeNumber(bytes, at, kind | ONE_BYTE, 1, value);
  if (value < 0x10000) return writeNumber(bytes, at, kind | TWO_BYTES, 2, value);
  if (value < UINT32) return writeNumber(bytes, at, kind | FOUR_BYTES, 4, value);
  return writeLow(bytes, writeNumber(bytes, at, kind | EIGHT_BYTES, 4, Math.floor(value / UINT32)), 4, value);
}

/** Writes the head of `count` items, 65,535 at most, in as many bytes for any count. */
export function writeWideHead(bytes: Uint8Array, at: number, kind: number, count: number): number {
  return writeNumber(bytes, at, kind | TWO_BYTES, 2, count);
}

function writeNumber(bytes: Uint8Array, at: number, first: number, size: number, value: number): number {
  bytes[at] = first;
  return writeLow(bytes, at + 1, size, value);
}

/** The lowest bytes of a number, highest first. */
function writeLow(bytes: Uint8Array, at: number, size: number, value: number): number {
  for (let index = 0; index < size; index += 1) bytes[at + index] = value >>> (8 * (size - 1 - index));
  return at + size;
}

/** An ASCII text as an item, a character for each byte. */
export function asciiItem(text: string): string {
  const { length } = text;
  const head = Buffer.alloc(HEAD_BYTES);
  return head.toString('latin1', 0, writeHead(head, 0, TEXT, length)) + text;
}
