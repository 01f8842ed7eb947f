/** ASN.1 in its distinguished encoding (X.690), as far as a certificate needs it: writing only. */

/** One element: tag, length, content. */
export function element(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const length = content.reduce((sum, piece) => sum + piece.length, 0);
  return Buffer.concat([Buffer.from([tag]), lengthOf(length), ...content]);
}

/** Elements in an order that means something. */
export function sequence(...content: readonly Uint8Array[]): Uint8Array {
  return element(0x30, ...content);
}

/** Elements in no order; one, here. */
export function set(...content: readonly Uint8Array[]): Uint8Array {
  return element(0x31, ...content);
}

/** A positive number, given by its bytes, the highest first. */
export function integer(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const shortest = bytes.subarray(start);
  // A set first bit would be a sign.
  return element(0x02, ...((shortest[0] ?? 0) >= 0x80 ? [Buffer.from([0])] : []), shortest);
}

/** True or false. */
export function boolean(value: boolean): Uint8Array {
  return element(0x01, Buffer.from([value ? 0xff : 0]));
}

/** Bytes. */
export function octets(content: Uint8Array): Uint8Array {
  return element(0x04, content);
}

/** Whole bytes of bits, of which the last `unused` do not count. */
export function bits(content: Uint8Array, unused = 0): Uint8Array {
  return element(0x03, Buffer.from([unused]), content);
}

/** Text. */
export function utf8(text: string): Uint8Array {
  return element(0x0c, Buffer.from(text));
}

/** An object identifier in its dotted form. */
export function identifier(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** A time in seconds; ms are cut. Until 2049 in two digits for the year, as RFC 5280 (4.1.2.5) wants it. */
export function time(ms: number): Uint8Array {
  const digits = new Date(ms)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-T:]/g, '');
  return Number(digits.slice(0, 4)) < 2050
    ? element(0x17, Buffer.from(digits.slice(2)))
    : element(0x18, Buffer.from(digits));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128))
    digits.unshift((rest & 0x7f) | 0x80);
  return digits;
}

function lengthOf(length: number): Uint8Array {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest & 0xff);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}
