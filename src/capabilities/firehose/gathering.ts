import { positionKey, type Offset, type ShardRef, type StoredRecord } from '../../ports/stream-store.ts';
import { type Range } from './model.ts';

/** The part of a stream that is to leave as one batch: ranges and sums, never the records themselves. */
export class Gathering {
  readonly #bytesMax: number;
  readonly #ranges = new Map<string, Range>();
  recordCount = 0;
  sizeBytes = 0;
  oldestAt = Infinity;
  /** Whether the next record would not fit. */
  isFull = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get ranges(): readonly Range[] {
    return [...this.#ranges.values()];
  }

  /** Where the shard is to be read on, given the position where its delivery stands. */
  cursor(shard: ShardRef, position: Offset): Offset {
    return this.#ranges.get(positionKey(shard))?.to ?? position;
  }

  /** Takes records from the slice that was read at `cursor`, up to the first that does not fit. */
  take(shard: ShardRef, position: Offset, records: readonly StoredRecord[], next: Offset): void {
    const { generation, ordinal } = shard;
    const key = positionKey(shard);
    const from = this.#ranges.get(key)?.from ?? position;
    let to = next;
    for (const { offset, at, data } of records) {
      if (this.recordCount > 0 && this.sizeBytes + data.length > this.#bytesMax) {
        this.isFull = true;
        to = offset;
        break;
      }
      this.recordCount += 1;
      this.sizeBytes += data.length;
      this.oldestAt = Math.min(this.oldestAt, at);
    }
    if (this.sizeBytes >= this.#bytesMax) this.isFull = true;
    if (to > from) this.#ranges.set(key, { generation, ordinal, from, to });
  }
}
