/** Node's buffers, where there are any: their base64 is an order faster than what plain code can do. */
const native: typeof Buffer | undefined = typeof Buffer === 'undefined' ? undefined : Buffer;

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const PAD = 61;
const INVALID = 255;

const VALUES = new Uint8Array(128).fill(INVALID);
for (let index = 0; index < ALPHABET.length; index += 1) VALUES[ALPHABET.charCodeAt(index)] = index;

/** The bytes as base64 with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  if (native === undefined) return encodeBase64Plainly(bytes);
  return native.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}

/** The same without Node's buffers. */
export function encodeBase64Plainly(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const group = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    text += ALPHABET.charAt(group >> 18) + ALPHABET.charAt((group >> 12) & 63);
    text += left > 1 ? ALPHABET.charAt((group >> 6) & 63) : '=';
    text += left > 2 ? ALPHABET.charAt(group & 63) : '=';
  }
  return text;
}

/** Takes decoded bytes of one request out of one allocation, so that 500 small blobs do not cost 500 of them. */
export interface Base64Arena {
  readonly bytes: Uint8Array;
  used: number;
}

/** An arena for the blobs of a body of `bodyBytes` bytes; undefined where it would not pay. */
export function openArena(bodyBytes: number): Base64Arena | undefined {
  if (native === undefined || bodyBytes < ARENA_BODY_BYTES_MIN) return undefined;
  return { bytes: native.allocUnsafeSlow(Math.ceil((bodyBytes * 3) / 4) + 3), used: 0 };
}

const ARENA_BODY_BYTES_MIN = 16 * 1024;

/**
 * The bytes of strict base64: padded to a multiple of four, no other characters, no stray bits before the padding.
 * Undefined for any other text. With an arena the bytes are a part of it.
 */
export function decodeBase64(text: string, arena?: Base64Arena): Uint8Array | undefined {
  if (native === undefined) return decodeBase64Plainly(text);
  const size = textSize(text);
  // Node's decoder skips what it does not know and takes the URL alphabet as well. Skipping shows in the size;
  // what lies beyond ASCII may be folded onto it and shows in the UTF-8 length.
  if (size < 0 || text.includes('-') || text.includes('_') || native.byteLength(text) !== text.length) return undefined;
  if (arena === undefined || arena.used + size > arena.bytes.length) {
    const bytes = native.from(text, 'base64');
    return bytes.length === size ? bytes : undefined;
  }
  // An arena's bytes are a Buffer: `openArena` is the only maker.
  const written = (arena.bytes as Buffer).write(text, arena.used, 'base64');
  if (written !== size) return undefined;
  const bytes = arena.bytes.subarray(arena.used, arena.used + size);
  arena.used += size;
  return bytes;
}

/** The same without Node's buffers. */
export function decodeBase64Plainly(text: string): Uint8Array | undefined {
  const size = textSize(text);
  if (size < 0) return undefined;
  const bytes = new Uint8Array(size);
  const digits = text.length - padding(text);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let index = 0; index < digits; index += 1) {
    const value = digit(text.charCodeAt(index));
    if (value === INVALID) return undefined;
    held = ((held << 6) | value) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at] = (held >> bits) & 255;
      at += 1;
    }
  }
  return bytes;
}

/**
 * Bytes that the base64 in `bytes` from `from` to `to` stands for, as its length and its end tell; -1 when these are
 * not strict. What stands in front of the end is looked at by `decodeBase64Piece`.
 */
export function base64Size(bytes: Uint8Array, from: number, to: number): number {
  return strictSize(to - from, bytes[to - 1] ?? 0, bytes[to - 2] ?? 0, bytes[to - 3] ?? 0);
}

/**
 * Decodes strict base64 that stands in `text` from `from` to `to`, a multiple of four characters, into exactly `size`
 * bytes of `into` at `at`; false for any other text. Only where there are Node's buffers.
 */
export function decodeBase64Piece(
  text: Buffer,
  from: number,
  to: number,
  into: Buffer,
  at: number,
  size: number,
): boolean {
  if (from === to) return size === 0;
  const piece = text.toString('latin1', from, to);
  // As in `decodeBase64`; bytes beyond ASCII are no longer folded here, and skipped.
  if (into.write(piece, at, size, 'base64') !== size) return false;
  return !piece.includes('-') && !piece.includes('_');
}

function textSize(text: string): number {
  const { length } = text;
  return strictSize(length, text.charCodeAt(length - 1), text.charCodeAt(length - 2), text.charCodeAt(length - 3));
}

/** Size of the decoded bytes when length and end (the last characters, the last one first) are right, else -1. */
function strictSize(length: number, last: number, second: number, third: number): number {
  if (length % 4 !== 0) return -1;
  if (length === 0) return 0;
  if (last !== PAD) return digit(last) === INVALID ? -1 : (length / 4) * 3;
  const isDouble = second === PAD;
  const value = digit(isDouble ? third : second);
  const stray = value & (isDouble ? 15 : 3);
  return value === INVALID || stray !== 0 ? -1 : (length / 4) * 3 - (isDouble ? 2 : 1);
}

function padding(text: string): 0 | 1 | 2 {
  if (text.charCodeAt(text.length - 1) !== PAD) return 0;
  return text.charCodeAt(text.length - 2) === PAD ? 2 : 1;
}

function digit(code: number): number {
  return code < 128 ? (VALUES[code] ?? INVALID) : INVALID;
}
