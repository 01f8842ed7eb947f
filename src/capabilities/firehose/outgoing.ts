import type { BufferPool } from '../../kernel/bytes/buffer-pool.ts';
import type { OutgoingRecord } from '../../ports/destination.ts';
import type { Records, ShardInfo, StreamInfo } from '../../ports/records.ts';
import { positionKey, type Slice } from '../../ports/stream-store.ts';
import { type AggregatedRecord, looksAggregated, openAggregatedRecord } from '../../wire/kpl/aggregated-record.ts';
import type { Failure } from './error-lines.ts';
import { processedRecord, type GoneUpTo } from './processed-record.ts';
import { countOf, type Gap, type Intent, type LossCause, type Range } from './model.ts';
import { rangeSlices, READ_LIMIT } from './range-slices.ts';
import { shardNames, storedOutgoing } from './stored-outgoing.ts';

/**
 * What stands in a stream: records as they came, of which producers may have packed several into one (`packed`), or not
 * (`plain`); or what a function made of records (`processed`).
 */
export type RecordForm = 'plain' | 'packed' | 'processed';

/** What stands in the source of a delivery: only a stream can be a source to producers that pack. */
export function sourceForm({ from }: { readonly from?: string }): RecordForm {
  return from === undefined ? 'plain' : 'packed';
}

/** How the records of an intent are read. */
export interface OutgoingOptions {
  readonly form: RecordForm;
  /** Called where records of the intent are gone, which is passed over. */
  readonly gone: (gap: Gap) => void;
  /** Lets the loop turn: between the groups of one read, which comes as several only where records hold many. */
  readonly turn: () => Promise<void>;
  /** For what is read: then bytes of a group are gone when the next one is asked for. Absent: memory of their own. */
  readonly memory?: BufferPool;
}

/** A record with its place in the intent for `index`: it stays the same when others are gone. */
export type PlacedRecord = { -readonly [K in keyof OutgoingRecord]: OutgoingRecord[K] } & {
  /** Why it could not be processed: then it goes to no destination. */
  readonly failure?: Failure;
  /** It stands for records that were gone before. */
  readonly gone?: GoneUpTo;
};

/** More records than a producer can pack into one. */
const PACKED_MAX = 2 ** 24;

/**
 * The records of an intent, shard after shard, read anew from the log, without those that it cannot give any more; at
 * most as many, and as many bytes, at once as one read gives. What a producer packed into one record leaves as the
 * records it holds. `stream` undefined: it was deleted.
 */
export async function* outgoingRecords(
  records: Records,
  stream: StreamInfo | undefined,
  intent: Pick<Intent, 'ranges'>,
  { form, gone, turn, memory }: OutgoingOptions,
): AsyncGenerator<readonly PlacedRecord[]> {
  let before = 0;
  for (const range of intent.ranges) {
    const place = before;
    before += countOf(range);
    const shard = stream?.shards.find(({ ref }) => positionKey(ref) === positionKey(range));
    if (stream === undefined || shard === undefined) {
      gone({ ...range, cause: causeOf(stream, range) });
      continue;
    }
    const recordsOf = outgoingOf(shard, form, range, place);
    for await (const slice of rangeSlices(range, { records, stream, shard, gone, memory })) {
      const some = recordsOf(slice);
      if (form === 'packed' && some.some(({ data }) => looksAggregated(data))) yield* opened(some, turn);
      else if (some.length > 0) yield some;
    }
  }
}

/** Closed shards are given up once retention took all of their records. */
function causeOf(stream: StreamInfo | undefined, { generation }: Range): LossCause {
  const isSame = stream?.shards.some(({ ref }) => ref.generation === generation) === true;
  return isSame ? 'RetentionExceeded' : 'StreamDeleted';
}

/** The record with other data. */
export function withData(
  { at, partitionKey, sequenceNumber, shardId, index }: OutgoingRecord,
  data: Uint8Array,
): OutgoingRecord {
  return { data, at, partitionKey, sequenceNumber, shardId, index };
}

/** Whether the record is the first, or the only one, of what stands in the stream as one. */
export function isFirstOfStored({ subSequenceNumber = 0 }: Pick<OutgoingRecord, 'subSequenceNumber'>): boolean {
  return subSequenceNumber === 0;
}

/** Makes the records of a slice that stand in the range, whose first has this place. */
function outgoingOf(shard: ShardInfo, form: RecordForm, range: Range, place: number): (slice: Slice) => PlacedRecord[] {
  const [first, to] = [Number(range.from), Number(range.to)];
  const placeOf = (offset: number): number => (place + offset - first) * PACKED_MAX;
  const names = shardNames(shard, placeOf);
  if (form !== 'processed') return (slice) => storedOutgoing(slice, to, names);
  return ({ records }) =>
    records
      .filter(({ offset }) => offset < range.to)
      .map((stored) => ({ ...processedRecord(stored), index: placeOf(Number(stored.offset)) }));
}

/** With what producers packed in place of what they packed it in, which is more than anybody wants to hold at once. */
async function* opened(
  stored: readonly PlacedRecord[],
  turn: () => Promise<void>,
): AsyncGenerator<readonly PlacedRecord[]> {
  let group: PlacedRecord[] = [];
  let bytes = 0;
  for (const one of stored) {
    const packed = looksAggregated(one.data) ? await openAggregatedRecord(one.data, turn) : undefined;
    for (const record of packed === undefined ? [one] : insideRecords(one, packed)) {
      const more = record.data.length + record.partitionKey.length;
      // One record may be larger than all that are held at once.
      if (group.length >= READ_LIMIT.records || (group.length > 0 && bytes + more > READ_LIMIT.bytes)) {
        yield group;
        await turn();
        [group, bytes] = [[], 0];
      }
      group.push(record);
      bytes += more;
    }
  }
  if (group.length > 0) yield group;
}

function* insideRecords(stored: PlacedRecord, packed: AggregatedRecord): Generator<PlacedRecord> {
  const { at, sequenceNumber, shardId, index: place } = stored;
  let subSequenceNumber = 0;
  let [keyAt, partitionKey] = [-1, ''];
  for (const { key, data } of packed.records()) {
    // Mostly many have one key: its place in the table tells.
    if (key.byteOffset !== keyAt) [keyAt, partitionKey] = [key.byteOffset, Buffer.from(key).toString()];
    const index = place + subSequenceNumber;
    yield { data, partitionKey, at, sequenceNumber, shardId, subSequenceNumber, index };
    subSequenceNumber += 1;
  }
}

/** Whether no record of an intent stands between these two places, as far as they tell it themselves. */
export function isNextPlace(place: number, next: number): boolean {
  const isSameStored = Math.floor(next / PACKED_MAX) === Math.floor(place / PACKED_MAX);
  if (isSameStored) return next === place + 1;
  return next % PACKED_MAX === 0 && next / PACKED_MAX === Math.floor(place / PACKED_MAX) + 1;
}

/** The stored records of an intent from one place to another, that one included, as ranges. */
export function rangesBetween(intent: Pick<Intent, 'ranges'>, first: number, last: number): Range[] {
  const [from, to] = [first, last].map((place) => Math.floor(place / PACKED_MAX)) as [number, number];
  let before = 0;
  return intent.ranges.flatMap((range) => {
    const start = before;
    before += countOf(range);
    if (to < start || from >= before) return [];
    const begin = range.from + BigInt(Math.max(0, from - start));
    return [{ ...range, from: begin, to: range.from + BigInt(Math.min(before - 1, to) + 1 - start) }];
  });
}
