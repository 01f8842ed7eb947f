import { asBuffer } from '../../kernel/bytes/as-buffer.ts';
import { nextTurn } from '../../kernel/flow/next-turn.ts';
import { sequenceNumberEncoder } from '../../kernel/stream/sequence-number.ts';
import type { ShardInfo, StreamInfo } from '../../ports/records.ts';
import { redeliveryOf } from '../../ports/redelivery-header.ts';
import { orPastDamage, type Slice, type StoredRecord } from '../../ports/stream-store.ts';
import { looksAggregated, openAggregatedRecord } from '../../wire/kpl/aggregated-record.ts';
import { kinesisLimits } from './limits.ts';
import type { KinesisState } from './model.ts';
import { sealMark } from './view-mark.ts';
import { followed, type Place } from './view-places.ts';
import type { ViewQuery, Wanted } from './view-query.ts';

/** What is looked at before the loop turns, where each record, and each shard, costs some bytes more than it has. */
const TURN_BYTES = 512 * 1024;
const RECORD_COST_BYTES = 1024;
const SHARD_COST_BYTES = 8 * 1024;
const SKIPPED_COST_BYTES = 256;
const NO_HEADERS: StoredRecord['headers'] = [];
/** A shard that has nothing new, and one that is looked at for its children. */
const LOOKED_COST_BYTES = 2 * 1024;

/**
 * One record as the viewer shows it, but for its data, which is base64 there; `arrival` ISO 8601 in UTC.
 * `subSequenceNumber` is its place among the records that a producer packed into one, which all have that one's
 * sequence number; absent for others. `redeliveryOf`: the first request, where a webhook was sent on again.
 */
export interface ViewedRecord {
  readonly shardId: string;
  readonly sequenceNumber: string;
  readonly subSequenceNumber?: number;
  readonly partitionKey: string;
  readonly redeliveryOf?: string;
  readonly arrival: string;
  readonly data: Uint8Array;
}

/** A place that cannot be read, from a sequence number up to, without it, the next that can. */
interface DamagedPlace {
  readonly shardId: string;
  readonly from: string;
  readonly next: string;
}

/** What the viewer answers. */
export interface Page {
  /** By their arrival. */
  readonly records: readonly ViewedRecord[];
  /** Where the next page begins: `after` of the next question; opaque. */
  readonly next: string;
  /** Records that were looked at. */
  readonly scanned: number;
  /** Whether there was nothing behind `next` when this page was made. */
  readonly atEnd: boolean;
  readonly damaged: readonly DamagedPlace[];
}

/**
 * One page of a stream's records; of what was asked for, as much as its bounds let in. What it may take in memory is
 * held before it is read: ThrottleError as `hold` says.
 */
export async function viewPage(state: KinesisState, stream: StreamInfo, query: ViewQuery): Promise<Page> {
  await query.request.hold(kinesisLimits.viewerHoldBytes);
  const viewing = new Viewing(state, stream, query);
  await viewing.run();
  await viewing.turn();
  return viewing.page();
}

class Viewing {
  readonly #state: KinesisState;
  readonly #stream: StreamInfo;
  readonly #query: ViewQuery;
  #places: Map<ShardInfo, Place>;
  readonly #records: ViewedRecord[] = [];
  readonly #damaged: DamagedPlace[] = [];
  #scanned = 0;
  #scannedBytes = 0;
  #answerBytes = 0;
  #sinceTurn = 0;

  constructor(state: KinesisState, stream: StreamInfo, query: ViewQuery) {
    this.#state = state;
    this.#stream = stream;
    this.#query = query;
    this.#places = new Map(query.places);
  }

  /** Reads shard after shard, again and again, up to the ends or a bound. */
  async run(): Promise<void> {
    for (let hasMore = true; hasMore && !this.#isFull();) {
      hasMore = false;
      for (const [shard, place] of Array.from(this.#places)) {
        if (this.#isFull()) break;
        const isAtEnd = place.offset >= this.#state.records.bounds(shard).end;
        this.#sinceTurn += isAtEnd ? LOOKED_COST_BYTES : SHARD_COST_BYTES;
        await this.#turnIfDue();
        if (isAtEnd) continue;
        const slice = await this.#read(shard, place);
        const next = await this.#take(shard, place, slice);
        // Shards that were read go to the end, so that a busy one leaves room for the others.
        this.#places.delete(shard);
        this.#places.set(shard, next);
        hasMore ||= next.offset < this.#state.records.bounds(shard).end;
      }
      if (this.#query.isFollowed) hasMore = this.#follow() || hasMore;
      await this.#turnIfDue();
    }
  }

  page(): Page {
    const { records } = this.#state;
    const places = [...this.#places];
    const byArrival = (a: ViewedRecord, b: ViewedRecord): number => compare(a.arrival, b.arrival);
    return {
      records: this.#records.toSorted(byArrival),
      next: sealMark(places.map(([{ ref }, place]) => [ref, place])),
      scanned: this.#scanned,
      atEnd: places.every(([shard, { offset }]) => offset >= records.bounds(shard).end),
      damaged: this.#damaged,
    };
  }

  /** Goes on in children; true when there are any. */
  #follow(): boolean {
    const before = this.#places;
    this.#sinceTurn += LOOKED_COST_BYTES * before.size;
    this.#places = new Map(followed(this.#state, this.#stream, before));
    return Array.from(this.#places.keys()).some((shard) => !before.has(shard));
  }

  #isFull(): boolean {
    const { viewerBytesMax, viewerScanBytesMax } = kinesisLimits;
    return (
      this.#query.request.signal.aborted ||
      this.#records.length >= this.#query.limit ||
      this.#answerBytes >= viewerBytesMax ||
      this.#scanned >= this.#query.scanMax ||
      this.#scannedBytes >= viewerScanBytesMax
    );
  }

  async #read(shard: ShardInfo, { offset }: Place): Promise<Pick<Slice, 'records' | 'next'>> {
    const { wanted, limit, scanMax } = this.#query;
    const isSearch = wanted.key !== undefined || wanted.content !== undefined;
    const records = Math.min(
      scanMax - this.#scanned,
      isSearch ? kinesisLimits.viewerRecordsMax : limit - this.#records.length,
    );
    const bytes = kinesisLimits.viewerBytesMax / this.#places.size;
    return await orPastDamage(this.#state.records.read(this.#stream, shard, offset, { records, bytes }), ({ next }) => {
      const number = sequenceNumberEncoder(shard.ref);
      this.#damaged.push({ shardId: shard.id, from: number(offset), next: number(next) });
    });
  }

  /** Takes what is wanted of a slice, and says where it came to. */
  async #take(shard: ShardInfo, from: Place, { records, next }: Pick<Slice, 'records' | 'next'>): Promise<Place> {
    const number = sequenceNumberEncoder(shard.ref);
    for (const record of records) {
      const { offset } = record;
      if (this.#isFull()) return { offset, sub: 0 };
      const skip = offset === from.offset ? from.sub : 0;
      const stoppedAt = await this.#takeRecord(shard, number(offset), record, skip);
      if (stoppedAt !== undefined) return { offset, sub: stoppedAt };
    }
    return { offset: next, sub: 0 };
  }

  /** Undefined, or the first of the record's own records that there was no room for. */
  async #takeRecord(
    shard: ShardInfo,
    sequenceNumber: string,
    record: StoredRecord,
    skip: number,
  ): Promise<number | undefined> {
    await this.#turnIfDue();
    const { data } = record;
    const packed = looksAggregated(data) ? await openAggregatedRecord(data, async () => await this.turn()) : undefined;
    if (packed === undefined) {
      this.#offer(shard, sequenceNumber, record.at, record);
      return undefined;
    }
    let sub = 0;
    for (const one of packed.records()) {
      if (this.#sinceTurn >= TURN_BYTES) await this.turn();
      if (sub < skip) this.#sinceTurn += SKIPPED_COST_BYTES;
      else if (this.#isFull()) return sub;
      else this.#offer(shard, sequenceNumber, record.at, { ...one, headers: NO_HEADERS }, sub);
      sub += 1;
    }
    return undefined;
  }

  async #turnIfDue(): Promise<void> {
    if (this.#sinceTurn >= TURN_BYTES) await this.turn();
  }

  /** Others get their turn. */
  async turn(): Promise<void> {
    this.#sinceTurn = 0;
    await nextTurn(this.#state.environment.clock);
  }

  #offer(shard: ShardInfo, sequenceNumber: string, at: number, { key, data, headers }: Bytes, sub?: number): void {
    this.#scanned += 1;
    this.#scannedBytes += key.length + data.length;
    this.#sinceTurn += RECORD_COST_BYTES + key.length + data.length;
    if (!isWanted(this.#query.wanted, key, data)) return;
    this.#answerBytes += key.length + data.length;
    const repeated = redeliveryOf(headers);
    this.#records.push({
      shardId: shard.id,
      sequenceNumber,
      ...(sub !== undefined && { subSequenceNumber: sub }),
      partitionKey: asBuffer(key).toString(),
      ...(repeated !== undefined && { redeliveryOf: repeated }),
      arrival: new Date(at).toISOString(),
      data,
    });
  }
}

type Bytes = Pick<StoredRecord, 'key' | 'data' | 'headers'>;

function isWanted({ key, content }: Wanted, itsKey: Uint8Array, data: Uint8Array): boolean {
  if (key !== undefined && !key.equals(itsKey)) return false;
  return content === undefined || asBuffer(data).includes(content);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
