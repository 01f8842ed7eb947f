import { asBuffer } from '../../kernel/bytes/as-buffer.ts';
import { EntryPlace, readEntryAt, readHeaders } from '../../kernel/stream/packed-entries.ts';
import { sequenceNumberEncoder } from '../../kernel/stream/sequence-number.ts';
import type { OutgoingRecord } from '../../ports/destination.ts';
import type { ShardInfo } from '../../ports/records.ts';
import { redeliveryOf } from '../../ports/redelivery-header.ts';
import type { Slice } from '../../ports/stream-store.ts';

/** What the records of one shard say of themselves; `placeOf`: the place of the record with this offset. */
export interface ShardNames {
  readonly shardId: string;
  readonly numberOf: (offset: number) => string;
  readonly placeOf: (offset: number) => number;
}

/** The names of a shard's records. */
export function shardNames({ id, ref }: ShardInfo, placeOf: (offset: number) => number): ShardNames {
  return { shardId: id, numberOf: sequenceNumberEncoder(ref), placeOf };
}

/** A stored record on its way out. Its names are made when they are asked for: most destinations want few of them. */
class StoredOutgoing implements OutgoingRecord {
  readonly data: Uint8Array;
  readonly at: number;
  index: number;
  readonly #bytes: Uint8Array;
  readonly #keyAt: number;
  readonly #keyEnd: number;
  readonly #offset: number;
  readonly #names: ShardNames;

  constructor(
    bytes: Uint8Array,
    { keyAt, headersAt, dataAt, end }: EntryPlace,
    offset: number,
    at: number,
    names: ShardNames,
  ) {
    this.data = bytes.subarray(dataAt, end);
    this.at = at;
    this.index = names.placeOf(offset);
    this.#bytes = bytes;
    this.#keyAt = keyAt;
    this.#keyEnd = headersAt;
    this.#offset = offset;
    this.#names = names;
  }

  get partitionKey(): string {
    return asBuffer(this.#bytes).toString('utf8', this.#keyAt, this.#keyEnd);
  }

  get sequenceNumber(): string {
    return this.#names.numberOf(this.#offset);
  }

  get redeliveryOf(): string | undefined {
    const dataAt = this.data.byteOffset - this.#bytes.byteOffset;
    return redeliveryOf(readHeaders(this.#bytes, { headersAt: this.#keyEnd, dataAt }));
  }

  get shardId(): string {
    return this.#names.shardId;
  }
}

/** The records of a slice below `to`, as they stand there. */
export function storedOutgoing({ runs }: Pick<Slice, 'runs'>, to: number, names: ShardNames): StoredOutgoing[] {
  const records: StoredOutgoing[] = [];
  const place = new EntryPlace();
  for (const { bytes, from, to: end, first, count, at } of runs) {
    let position = from;
    for (let offset = first; offset < first + count && offset < to; offset += 1) {
      readEntryAt(bytes, position, end, place);
      position = place.end;
      records.push(new StoredOutgoing(bytes, place, offset, at, names));
    }
  }
  return records;
}
