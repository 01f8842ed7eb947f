import { positionKey, type Offset, type ShardRef, type Slice, type StoredRecord } from '../../ports/stream-store.ts';
import { type Range } from './model.ts';

/** The part of a stream that is to leave as one batch: ranges and sums, never the records themselves. */
export class Gathering {
  readonly #bytesMax: number;
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

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
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

  /**
   * Takes records from the slice that was read at `cursor`, up to the first that does not fit. `arrivalOf`: when a
   * record came to the delivery stream.
   */
  take(
    shard: ShardRef,
    position: Offset,
    { records, next }: Pick<Slice, 'records' | 'next'>,
    arrivalOf: (record: StoredRecord) => number = ({ at }) => at,
  ): void {
    const { generation, ordinal } = shard;
    const key = positionKey(shard);
    const from = this.#ranges.get(key)?.from ?? position;
    let to = next;
    for (const record of records) {
      const { offset, at, data } = record;
      if (this.recordCount > 0 && this.sizeBytes + data.length > this.#bytesMax) {
        this.isFull = true;
        to = offset;
        break;
      }
      this.recordCount += 1;
      this.sizeBytes += data.length;
      this.oldestAt = Math.min(this.oldestAt, arrivalOf(record));
      this.waitingSince = Math.min(this.waitingSince, at);
    }
    if (this.sizeBytes >= this.#bytesMax) this.isFull = true;
    if (to > from) this.#ranges.set(key, { generation, ordinal, from, to });
  }
}
