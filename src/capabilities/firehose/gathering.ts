import { EntryPlace, readEntryAt, readHeaders } from '../../kernel/stream/packed-entries.ts';
import { positionKey, type Offset, type ShardRef, type Slice } from '../../ports/stream-store.ts';
import { recordsAtMost } from '../../wire/kpl/aggregated-record.ts';
import { type Range } from './model.ts';
import type { RecordForm } from './outgoing.ts';
import { arrivalOf } from './processed-record.ts';

/** What one batch holds at most. */
export interface BatchBounds {
  readonly bytesMax: number;
  /** Those that producers packed into one count each. */
  readonly recordsMax: number;
}

/** The part of a stream that is to leave as one batch: ranges and sums, never the records themselves. */
export class Gathering {
  readonly #bytesMax: number;
  readonly #recordsMax: number;
  readonly #form: RecordForm;
  /** Records that leave, at most: more than are stored where producers packed several into one. */
  #leaving = 0;
  readonly #ranges = new Map<string, Range>();
  recordCount = 0;
  sizeBytes = 0;
  /** When the oldest record came to the delivery stream, in ms. */
  oldestAt = Infinity;
  /** When the first of these records came to be there to be delivered, in ms: later where they were processed. */
  waitingSince = Infinity;
  /** Numbers of records that were gone already; the ranges hold them too. */
  lost = 0;
  /** Whether the next record would not fit. */
  isFull = false;

  constructor({ bytesMax, recordsMax }: BatchBounds, form: RecordForm) {
    this.#bytesMax = bytesMax;
    this.#recordsMax = recordsMax;
    this.#form = form;
  }

  /** Records that leave, at most. */
  get leavingCount(): number {
    return this.#leaving;
  }

  /** Whether there is something to tell: records, or that some are gone. */
  get isEmpty(): boolean {
    return this.recordCount === 0 && this.lost === 0;
  }

  get ranges(): readonly Range[] {
    return [...this.#ranges.values()];
  }

  /** Where the shard is to be read on, given the position where its delivery stands. */
  cursor(shard: ShardRef, position: Offset): Offset {
    return this.#ranges.get(positionKey(shard))?.to ?? position;
  }

  /** Numbers of records are gone that stood in front of what is taken; told at `now`. */
  loses(count: number, now: number): void {
    this.lost += count;
    this.oldestAt = Math.min(this.oldestAt, now);
    this.waitingSince = Math.min(this.waitingSince, now);
  }

  /** Takes records from the slice that was read at `cursor`, up to `next` or to the first that does not fit. */
  take(shard: ShardRef, position: Offset, { runs, next }: Pick<Slice, 'runs' | 'next'>): void {
    const { generation, ordinal } = shard;
    const key = positionKey(shard);
    const from = this.#ranges.get(key)?.from ?? position;
    const full = this.#takeRuns(runs, Number(next));
    const hasAll = this.#leaving >= this.#recordsMax;
    if (hasAll || this.sizeBytes >= this.#bytesMax) this.isFull = true;
    const to = full === undefined ? next : BigInt(full);
    if (to > from) this.#ranges.set(key, { generation, ordinal, from, to });
  }

  /** The offset of the first record below `to` that does not fit; undefined: all do. */
  #takeRuns(runs: Slice['runs'], to: number): number | undefined {
    const place = new EntryPlace();
    for (const { bytes, from, to: end, first, count, at } of runs) {
      let position = from;
      for (let offset = first; offset < first + count && offset < to; offset += 1) {
        readEntryAt(bytes, position, end, place);
        position = place.end;
        const dataBytes = place.end - place.dataAt;
        const leaving = this.#form === 'packed' ? recordsAtMost(bytes.subarray(place.dataAt, place.end)) : 1;
        if (this.recordCount > 0 && !this.#hasRoom(dataBytes, leaving)) {
          this.isFull = true;
          return offset;
        }
        this.recordCount += 1;
        this.#leaving += leaving;
        this.sizeBytes += dataBytes;
        const arrivedAt = this.#form === 'processed' ? arrivalOf(readHeaders(bytes, place)) : at;
        this.oldestAt = Math.min(this.oldestAt, arrivedAt);
        this.waitingSince = Math.min(this.waitingSince, at);
      }
    }
    return undefined;
  }

  #hasRoom(dataBytes: number, leaving: number): boolean {
    return this.sizeBytes + dataBytes <= this.#bytesMax && this.#leaving + leaving <= this.#recordsMax;
  }
}
