import { assert } from '../../kernel/assert.ts';
import type { Entry, Header, StoredRecord } from '../../ports/stream-store.ts';

/** Bytes in front of an entry's key: data length (4), key length (2), header count (2). */
const ENTRY_FIXED_BYTES = 8;
/** Bytes in front of a header's name and value: name length (1), value length (4). */
const HEADER_FIXED_BYTES = 5;
const NO_HEADERS: readonly Header[] = Object.freeze([]);

/** Bytes an entry takes in the log; raises a Defect when it breaks the port's limits. */
export function entryBytes(entry: Entry): number {
  assert(entry.key.length <= 0xffff, 'a key has at most 65,535 bytes');
  const bytes = ENTRY_FIXED_BYTES + entry.key.length + entry.data.length;
  return entry.headers === undefined || entry.headers.length === 0 ? bytes : bytes + headerBytes(entry.headers);
}

function headerBytes(headers: readonly Header[]): number {
  assert(headers.length <= 0xff, 'an entry has at most 255 headers');
  let bytes = 0;
  for (const [name, value] of headers) {
    assert(name.length <= 0xff, 'the name of a header has at most 255 characters');
    bytes += HEADER_FIXED_BYTES + name.length + value.length;
  }
  return bytes;
}

/** Writes an entry at `at`, where entryBytes bytes must be free, and returns the position after it. */
export function encodeEntry(bytes: Buffer, at: number, entry: Entry): number {
  const { key, data, headers = NO_HEADERS } = entry;
  bytes.writeUInt32LE(data.length, at);
  bytes.writeUInt16LE(key.length, at + 4);
  bytes.writeUInt16LE(headers.length, at + 6);
  let to = at + ENTRY_FIXED_BYTES;
  bytes.set(key, to);
  to += key.length;
  for (const [name, value] of headers) {
    bytes.writeUInt8(name.length, to);
    bytes.writeUInt32LE(value.length, to + 1);
    bytes.write(name, to + HEADER_FIXED_BYTES, 'latin1');
    bytes.set(value, to + HEADER_FIXED_BYTES + name.length);
    to += HEADER_FIXED_BYTES + name.length + value.length;
  }
  bytes.set(data, to);
  return to + data.length;
}

/** What one read collects, and where it stops. */
export interface Collection {
  readonly records: StoredRecord[];
  /** Offset of the next record wanted. */
  next: number;
  /** Offset at which to stop. */
  readonly end: number;
  readonly recordsMax: number;
  readonly bytesMax: number;
  bytes: number;
  full: boolean;
}

/** A run of records inside a buffer. */
export interface EntryRun {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
  readonly first: number;
  readonly at: number;
}

/** Adds the run's records from `collection.next` on, until a limit is met; false when the run is not well formed. */
export function collectEntries(run: EntryRun, collection: Collection): boolean {
  const { bytes } = run;
  let position = run.from;
  for (let offset = run.first; position < run.to; offset += 1) {
    if (position + ENTRY_FIXED_BYTES > run.to) return false;
    const dataBytes = bytes.readUInt32LE(position);
    const keyBytes = bytes.readUInt16LE(position + 4);
    const headerCount = bytes.readUInt16LE(position + 6);
    const keyAt = position + ENTRY_FIXED_BYTES;
    const headersAt = keyAt + keyBytes;
    const dataAt = headerCount === 0 ? headersAt : skipHeaders(run, headersAt, headerCount);
    position = dataAt + dataBytes;
    if (position > run.to) return false;
    if (offset < collection.next) continue;
    if (isFull(collection, offset, keyBytes + dataBytes)) return true;
    collection.records.push({
      offset: BigInt(offset),
      at: run.at,
      key: bytes.subarray(keyAt, headersAt),
      data: bytes.subarray(dataAt, position),
      headers: headerCount === 0 ? NO_HEADERS : decodeHeaders(bytes, headersAt, headerCount),
    });
    collection.next = offset + 1;
    collection.bytes += keyBytes + dataBytes;
  }
  return true;
}

function isFull(collection: Collection, offset: number, bytes: number): boolean {
  const count = collection.records.length;
  collection.full =
    offset >= collection.end ||
    count >= collection.recordsMax ||
    (count > 0 && collection.bytes + bytes > collection.bytesMax);
  return collection.full;
}

/** Position after the headers, or one beyond the run when they do not fit into it. */
function skipHeaders(run: EntryRun, from: number, count: number): number {
  let position = from;
  for (let index = 0; index < count; index += 1) {
    if (position + HEADER_FIXED_BYTES > run.to) return run.to + 1;
    position += HEADER_FIXED_BYTES + (run.bytes[position] ?? 0) + run.bytes.readUInt32LE(position + 1);
  }
  return position;
}

function decodeHeaders(bytes: Buffer, from: number, count: number): Header[] {
  const headers: Header[] = [];
  let position = from;
  for (let index = 0; index < count; index += 1) {
    const nameAt = position + HEADER_FIXED_BYTES;
    const valueAt = nameAt + (bytes[position] ?? 0);
    const end = valueAt + bytes.readUInt32LE(position + 1);
    headers.push([bytes.toString('latin1', nameAt, valueAt), bytes.subarray(valueAt, end)]);
    position = end;
  }
  return headers;
}
