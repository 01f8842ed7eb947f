import { EntryPlace, readEntryAt } from '../../kernel/stream/packed-entries.ts';
import type { StoredRun } from '../../ports/stream-store.ts';

/** What one read collects, and where it stops. */
export interface Collection {
  readonly runs: StoredRun[];
  count: number;
  /** Offset of the next record wanted. */
  next: number;
  /** Offset at which to stop. */
  readonly end: number;
  readonly recordsMax: number;
  readonly bytesMax: number;
  /** Of data and key. */
  bytes: number;
  full: boolean;
}

/** Adds the run's records from `collection.next` on, until a limit is met; false when the run is not well formed. */
export function collectEntries(run: StoredRun, collection: Collection): boolean {
  const { bytes, to, first } = run;
  const place = new EntryPlace();
  const bytesBefore = collection.bytes;
  let from = -1;
  let wanted = 0;
  let position = run.from;
  for (let index = 0; index < run.count && !collection.full; index += 1) {
    if (!readEntryAt(bytes, position, to, place)) return refuse(collection, bytesBefore);
    if (first + index >= collection.next) {
      if (isFull(collection, first + index, wanted, place.payloadBytes)) break;
      if (from < 0) from = position;
      wanted += 1;
      collection.bytes += place.payloadBytes;
    }
    position = place.end;
  }
  if (!collection.full && position !== to) return refuse(collection, bytesBefore);
  if (wanted === 0) return true;
  collection.runs.push({
    bytes,
    from,
    to: position,
    first: Math.max(first, collection.next),
    count: wanted,
    at: run.at,
  });
  collection.count += wanted;
  collection.next = Math.max(first, collection.next) + wanted;
  return true;
}

function refuse(collection: Collection, bytes: number): false {
  collection.bytes = bytes;
  return false;
}

function isFull(collection: Collection, offset: number, wanted: number, bytes: number): boolean {
  const count = collection.count + wanted;
  collection.full =
    offset >= collection.end ||
    count >= collection.recordsMax ||
    (count > 0 && collection.bytes + bytes > collection.bytesMax);
  return collection.full;
}
