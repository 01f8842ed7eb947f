/** Bytes of an address: 4 of version 4, 16 of version 6. */
export type AddressBytes = Uint8Array;

/** Addresses that share their first `bits` bits. */
export interface AddressRange {
  readonly bytes: AddressBytes;
  readonly bits: number;
}

const GROUPS = 8;
const MAPPED_PREFIX_BYTES = 12;

/**
 * The bytes of an address in its usual text forms; undefined for anything else. IPv6 stands with or without its
 * brackets, a zone behind `%` is left out, and an IPv4 address mapped into IPv6 becomes the IPv4 address that it is.
 * Other forms of IPv4 (one number, octal or hexadecimal parts) are no addresses here: URLs have them rewritten before.
 */
export function parseAddress(text: string): AddressBytes | undefined {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  if (!bare.includes(':')) return parseVersion4(bare);
  const bytes = parseVersion6(bare.split('%', 1)[0] ?? '');
  return bytes !== undefined && isMapped(bytes) ? bytes.subarray(MAPPED_PREFIX_BYTES) : bytes;
}

/** A range in CIDR notation, or an address as a range of one; undefined for anything else. */
export function parseRange(text: string): AddressRange | undefined {
  const [address = '', length, ...more] = text.split('/');
  const bytes = parseAddress(address);
  if (bytes === undefined || more.length > 0) return undefined;
  if (length === undefined) return { bytes, bits: bytes.length * 8 };
  // A mapped address is shorter than it was written.
  const skipped = address.includes(':') && bytes.length === 4 ? MAPPED_PREFIX_BYTES * 8 : 0;
  const bits = /^\d{1,3}$/.test(length) ? Number(length) - skipped : -1;
  return bits < 0 || bits > bytes.length * 8 ? undefined : { bytes, bits };
}

/** Whether the address lies in the range; those of one version never lie in ranges of the other. */
export function isInRange(address: AddressBytes, { bytes, bits }: AddressRange): boolean {
  if (address.length !== bytes.length) return false;
  const whole = bits >> 3;
  for (let index = 0; index < whole; index += 1) if (address[index] !== bytes[index]) return false;
  const rest = bits & 7;
  return rest === 0 || (((address[whole] ?? 0) ^ (bytes[whole] ?? 0)) & 255) >> (8 - rest) === 0;
}

function parseVersion4(text: string): AddressBytes | undefined {
  const parts = text.split('.');
  const numbers = parts.map((part) => (/^(0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256));
  return numbers.length === 4 && numbers.every((number) => number < 256) ? Uint8Array.from(numbers) : undefined;
}

function parseVersion6(text: string): AddressBytes | undefined {
  const halves = text.split('::');
  // An IPv4 address stands at the end of all.
  if (halves.length > 2 || (halves.length === 2 && halves[0]?.includes('.') === true)) return undefined;
  const [left, right] = halves.map(groupsOf);
  if (left === undefined || (halves.length === 2 && right === undefined)) return undefined;
  const missing = GROUPS - left.length - (right?.length ?? 0);
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...left, ...Array<number>(missing).fill(0), ...(right ?? [])];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 255]));
}

/** The 16-bit groups of one side of `::`; an IPv4 address may stand for the last two. */
function groupsOf(text: string): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const last = parts.at(-1) ?? '';
  const tail = last.includes('.') ? parseVersion4(last) : undefined;
  if (last.includes('.') && tail === undefined) return undefined;
  const plain = tail === undefined ? parts : parts.slice(0, -1);
  if (!plain.every((part) => /^[\da-f]{1,4}$/i.test(part))) return undefined;
  const groups = plain.map((part) => Number.parseInt(part, 16));
  const [a = 0, b = 0, c = 0, d = 0] = tail ?? [];
  return tail === undefined ? groups : [...groups, (a << 8) | b, (c << 8) | d];
}

function isMapped(bytes: AddressBytes): boolean {
  return bytes.every((byte, index) => index >= MAPPED_PREFIX_BYTES || byte === (index < 10 ? 0 : 255));
}
