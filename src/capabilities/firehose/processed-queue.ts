import type { SequenceNumber } from '../../kernel/stream/sequence-number.ts';
import type { Records, ShardInfo, StreamInfo } from '../../ports/records.ts';
import { orPastDamage, positionKey, type Offset, type StoredRecord } from '../../ports/stream-store.ts';
import { firehoseLimits } from './limits.ts';
import { READ_LIMIT } from './range-slices.ts';
import { originOf, processedRecord, type ProcessedRecord } from './processed-record.ts';
import { originRange } from './workers/batch-records.ts';

/** What was made of a record, with its place in the internal stream. */
export interface Queued {
  readonly offset: Offset;
  readonly record: ProcessedRecord;
}

/** Looks for what was made of a record in the internal stream that it waits in: in it each shard has its own order. */
export class QueueSearch {
  readonly #records: Pick<Records, 'bounds' | 'read'>;
  readonly #stream: StreamInfo;
  readonly #shard: ShardInfo;
  readonly #number: SequenceNumber;
  #readBytes = 0;

  constructor(records: Pick<Records, 'bounds' | 'read'>, stream: StreamInfo, shard: ShardInfo, number: SequenceNumber) {
    this.#records = records;
    this.#stream = stream;
    this.#shard = shard;
    this.#number = number;
  }

  /** From a place on; undefined: nothing of it stands there; `too far`: too much stands there to say. */
  async find(from: Offset): Promise<Queued | 'too far' | undefined> {
    let [low, high] = [from, this.#records.bounds(this.#shard).end];
    let found: StoredRecord | undefined;
    while (low < high) {
      const middle = (low + high) / 2n;
      const next = await this.#next(middle, high);
      if (next === 'too far') return next;
      if (next !== undefined && originOf(next).offset < this.#number.offset) {
        low = next.offset + 1n;
        continue;
      }
      found = next ?? found;
      high = middle;
    }
    return found === undefined ? undefined : this.#queued(found);
  }

  /** The first of the record's shard from a place up to but without another. */
  async #next(from: Offset, to: Offset): Promise<StoredRecord | 'too far' | undefined> {
    for (let at = from; at < to;) {
      const found = await orPastDamage(this.#records.read(this.#stream, this.#shard, at, READ_LIMIT));
      const next = found.records.find((record) => positionKey(originOf(record)) === positionKey(this.#number));
      if (next !== undefined) return next.offset < to ? next : undefined;
      this.#readBytes += found.records.reduce((sum, { data }) => sum + data.length, 0);
      if (found.next <= at) return undefined;
      if (this.#readBytes > firehoseLimits.fateBytesMax) return 'too far';
      at = found.next;
    }
    return undefined;
  }

  /** The first that does not end in front of the record may stand behind it. */
  #queued(found: StoredRecord): Queued | undefined {
    const record = processedRecord(found);
    return originRange(record).from > this.#number.offset ? undefined : { offset: found.offset, record };
  }
}
