import { assert } from '../assert.ts';

/**
 * Entries as the log stores them, one after the other without gaps: data length (4 bytes), key length (2), number of
 * headers (2), all little end first; key; for each header the length of its name (1) and of its value (4), name in
 * ASCII, value; data. From the moment a request was read until its records are sent out they stay in this form: nobody
 * keeps an object for each.
 */

/** A header of a record: name and bytes. Names are ASCII, at most 255 bytes; at most 255 headers. */
export type Header = readonly [name: string, value: Uint8Array];

/** What is appended: `key` is the partition key in UTF-8. */
export interface Entry {
  readonly key: Uint8Array;
  readonly data: Uint8Array;
  readonly headers?: readonly Header[];
}

/** Entries in their packed form; `bytes` holds nothing else. */
export interface PackedEntries {
  readonly bytes: Uint8Array;
  readonly count: number;
}

/** Bytes in front of an entry's key. */
export const ENTRY_FIXED_BYTES = 8;
/** Bytes in front of a header's name and value. */
const HEADER_FIXED_BYTES = 5;
const KEY_BYTES_MAX = 0xffff;
const HEADERS_MAX = 0xff;
const NAME_BYTES_MAX = 0xff;
const NO_HEADERS: readonly Header[] = Object.freeze([]);

/** Bytes an entry takes; raises a Defect when it breaks the limits of the layout. */
export function entryBytes(entry: Entry): number {
  assert(entry.key.length <= KEY_BYTES_MAX, 'a key has at most 65,535 bytes');
  const bytes = ENTRY_FIXED_BYTES + entry.key.length + entry.data.length;
  return entry.headers === undefined || entry.headers.length === 0 ? bytes : bytes + headerBytes(entry.headers);
}

function headerBytes(headers: readonly Header[]): number {
  assert(headers.length <= HEADERS_MAX, 'an entry has at most 255 headers');
  let bytes = 0;
  for (const [name, value] of headers) {
    assert(name.length <= NAME_BYTES_MAX, 'the name of a header has at most 255 characters');
    bytes += HEADER_FIXED_BYTES + name.length + value.length;
  }
  return bytes;
}

/** Writes what stands in front of an entry's key and returns the key's position. */
export function writeEntryHead(
  bytes: Uint8Array,
  at: number,
  keyBytes: number,
  dataBytes: number,
  headerCount = 0,
): number {
  writeU32(bytes, at, dataBytes);
  bytes[at + 4] = keyBytes & 0xff;
  bytes[at + 5] = keyBytes >>> 8;
  bytes[at + 6] = headerCount;
  bytes[at + 7] = 0;
  return at + ENTRY_FIXED_BYTES;
}

/** Writes all of an entry but its data, and returns the data's position. */
export function writeEntryFront(bytes: Uint8Array, at: number, entry: Entry): number {
  const { key, data, headers = NO_HEADERS } = entry;
  let to = writeEntryHead(bytes, at, key.length, data.length, headers.length);
  bytes.set(key, to);
  to += key.length;
  for (const header of headers) to = writeHeader(bytes, to, header);
  return to;
}

function writeHeader(bytes: Uint8Array, at: number, [name, value]: Header): number {
  bytes[at] = name.length;
  writeU32(bytes, at + 1, value.length);
  const nameAt = at + HEADER_FIXED_BYTES;
  for (let index = 0; index < name.length; index += 1) bytes[nameAt + index] = name.charCodeAt(index);
  bytes.set(value, nameAt + name.length);
  return nameAt + name.length + value.length;
}

/** A header as it stands in an entry; its value is the last part. */
export function packHeader(header: Header): Uint8Array {
  const bytes = new Uint8Array(headerBytes([header]));
  writeHeader(bytes, 0, header);
  return bytes;
}

/** Counts one more header of the entry at `at`, which stands in front of its data. */
export function countHeader(bytes: Uint8Array, at: number): void {
  const headers = readU16(bytes, at + 6) + 1;
  assert(headers <= HEADERS_MAX, 'an entry has at most 255 headers');
  bytes[at + 6] = headers;
}

/** Writes an entry at `at`, where entryBytes bytes must be free, and returns the position after it. */
export function writeEntry(bytes: Uint8Array, at: number, entry: Entry): number {
  const to = writeEntryFront(bytes, at, entry);
  bytes.set(entry.data, to);
  return to + entry.data.length;
}

/** Packs entries into memory of their own. */
export function packEntries(entries: readonly Entry[]): PackedEntries {
  const bytes = new Uint8Array(entries.reduce((sum, entry) => sum + entryBytes(entry), 0));
  let at = 0;
  for (const entry of entries) at = writeEntry(bytes, at, entry);
  return { bytes, count: entries.length };
}

/** Where the parts of one packed entry stand; filled anew by each `readEntryAt`. */
export class EntryPlace {
  keyAt = 0;
  headersAt = 0;
  headerCount = 0;
  dataAt = 0;
  end = 0;

  /** Bytes of key and data, which limits of reads count. */
  get payloadBytes(): number {
    return this.headersAt - this.keyAt + this.end - this.dataAt;
  }
}

/** Finds the parts of the entry at `at`; false when it does not fit in front of `to`. */
export function readEntryAt(bytes: Uint8Array, at: number, to: number, place: EntryPlace): boolean {
  place.keyAt = at + ENTRY_FIXED_BYTES;
  if (place.keyAt > to) return false;
  place.headersAt = place.keyAt + readU16(bytes, at + 4);
  place.headerCount = readU16(bytes, at + 6);
  place.dataAt = place.headerCount === 0 ? place.headersAt : afterHeaders(bytes, to, place);
  place.end = place.dataAt + readU32(bytes, at);
  return place.end <= to;
}

/** Position after the headers, or one beyond `to` when they do not fit in front of it. */
function afterHeaders(bytes: Uint8Array, to: number, place: EntryPlace): number {
  let position = place.headersAt;
  for (let index = 0; index < place.headerCount; index += 1) {
    if (position + HEADER_FIXED_BYTES > to) return to + 1;
    position += HEADER_FIXED_BYTES + (bytes[position] as number) + readU32(bytes, position + 1);
  }
  return position;
}

/** The headers of the entry at a place that `readEntryAt` found whole: what stands between its key and its data. */
export function readHeaders(
  bytes: Uint8Array,
  { headersAt, dataAt }: Pick<EntryPlace, 'headersAt' | 'dataAt'>,
): readonly Header[] {
  if (headersAt === dataAt) return NO_HEADERS;
  const headers: Header[] = [];
  for (let position = headersAt; position < dataAt;) {
    const nameAt = position + HEADER_FIXED_BYTES;
    const valueAt = nameAt + (bytes[position] as number);
    const end = valueAt + readU32(bytes, position + 1);
    headers.push([asciiText(bytes, nameAt, valueAt), bytes.subarray(valueAt, end)]);
    position = end;
  }
  return headers;
}

function asciiText(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let at = from; at < to; at += 1) text += String.fromCharCode(bytes[at] as number);
  return text;
}

function readU16(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}

function readU32(bytes: Uint8Array, at: number): number {
  const low = readU16(bytes, at);
  return low + readU16(bytes, at + 2) * 0x1_0000;
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 0xff;
  bytes[at + 1] = (value >>> 8) & 0xff;
  bytes[at + 2] = (value >>> 16) & 0xff;
  bytes[at + 3] = (value >>> 24) & 0xff;
}
