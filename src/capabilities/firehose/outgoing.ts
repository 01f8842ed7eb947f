import { sequenceNumberEncoder } from '../../kernel/stream/sequence-number.ts';
import type { OutgoingRecord } from '../../ports/destination.ts';
import type { Records, ShardInfo, StreamInfo } from '../../ports/records.ts';
import { Damaged, positionKey, type Offset, type Slice, type StoredRecord } from '../../ports/stream-store.ts';
import { type AggregatedRecord, looksAggregated, openAggregatedRecord } from '../../wire/kpl/aggregated-record.ts';
import type { Failure } from './error-lines.ts';
import { firehoseLimits } from './limits.ts';
import { processedRecord, type GoneUpTo } from './processed-record.ts';
import { countOf, type Gap, type Intent, type LossCause, type Range } from './model.ts';

/** One read of a stream by a delivery. */
export const READ_LIMIT = { records: firehoseLimits.readRecords, bytes: firehoseLimits.readBytes } as const;

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
  { form, gone, turn }: OutgoingOptions,
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
    const outgoing = outgoingOf(shard, form, (offset) => (place + Number(offset - range.from)) * PACKED_MAX);
    const open = async (data: Uint8Array): Promise<AggregatedRecord | undefined> =>
      form === 'packed' ? await openAggregatedRecord(data, turn) : undefined;
    for await (const some of rangeRecords(records, stream, shard, range, gone)) {
      let isFirst = true;
      for await (const group of groups(some, outgoing, open)) {
        if (!isFirst) await turn();
        isFirst = false;
        yield group;
      }
    }
  }
}

/** Closed shards are given up once retention took all of their records. */
function causeOf(stream: StreamInfo | undefined, { generation }: Range): LossCause {
  const isSame = stream?.shards.some(({ ref }) => ref.generation === generation) === true;
  return isSame ? 'RetentionExceeded' : 'StreamDeleted';
}

/** Whether the record is the first, or the only one, of what stands in the stream as one. */
export function isFirstOfStored({ subSequenceNumber = 0 }: Pick<OutgoingRecord, 'subSequenceNumber'>): boolean {
  return subSequenceNumber === 0;
}

async function* rangeRecords(
  records: Records,
  stream: StreamInfo,
  shard: ShardInfo,
  range: Range,
  gone: (gap: Gap) => void,
): AsyncGenerator<readonly StoredRecord[]> {
  const { generation, ordinal } = range;
  const tell = (from: Offset, to: Offset, cause: LossCause): void => {
    const end = to < range.to ? to : range.to;
    if (from < end) gone({ generation, ordinal, from, to: end, cause });
  };
  for (let from = range.from; from < range.to;) {
    const found = await readOrDamage(records, stream, shard, from);
    if (found instanceof Damaged) {
      tell(from, found.next, 'LogDamaged');
      if (found.next <= from) return;
      from = found.next;
      continue;
    }
    const first = found.records[0]?.offset ?? found.next;
    // Behind the oldest that is kept may stand numbers that nobody has.
    tell(from, found.start < first ? found.start : first, 'RetentionExceeded');
    yield found.records.filter(({ offset }) => offset < range.to);
    if (found.next <= from) return;
    from = found.next;
  }
}

async function readOrDamage(
  records: Records,
  stream: StreamInfo,
  shard: ShardInfo,
  from: Offset,
): Promise<Slice | Damaged> {
  try {
    return await records.read(stream, shard, from, READ_LIMIT);
  } catch (error) {
    if (error instanceof Damaged) return error;
    throw error;
  }
}

type ToOutgoing = (stored: StoredRecord, packed: AggregatedRecord | undefined) => Iterable<PlacedRecord>;

function outgoingOf(shard: ShardInfo, form: RecordForm, placeOf: (offset: Offset) => number): ToOutgoing {
  if (form === 'processed') return (stored) => [{ ...processedRecord(stored), index: placeOf(stored.offset) }];
  const encode = sequenceNumberEncoder(shard.ref);
  return function* ({ data, at, key, offset }, packed) {
    const sequenceNumber = encode(offset);
    const place = placeOf(offset);
    const shared = { at, sequenceNumber, shardId: shard.id };
    if (packed === undefined) {
      yield { data, partitionKey: Buffer.from(key).toString(), ...shared, index: place };
      return;
    }
    let subSequenceNumber = 0;
    let [keyAt, partitionKey] = [-1, ''];
    for (const sub of packed.records()) {
      // Mostly many have one key: its place in the table tells.
      if (sub.key.byteOffset !== keyAt) [keyAt, partitionKey] = [sub.key.byteOffset, Buffer.from(sub.key).toString()];
      yield { data: sub.data, partitionKey, ...shared, subSequenceNumber, index: place + subSequenceNumber };
      subSequenceNumber += 1;
    }
  };
}

/** A record can hold more records than anybody wants to hold at once. */
async function* groups(
  stored: readonly StoredRecord[],
  outgoing: ToOutgoing,
  open: (data: Uint8Array) => Promise<AggregatedRecord | undefined>,
): AsyncGenerator<readonly PlacedRecord[]> {
  let group: PlacedRecord[] = [];
  let bytes = 0;
  for (const one of stored) {
    const packed = looksAggregated(one.data) ? await open(one.data) : undefined;
    for (const record of outgoing(one, packed)) {
      const more = record.data.length + record.partitionKey.length;
      // One record may be larger than all that are held at once.
      if (group.length >= READ_LIMIT.records || (group.length > 0 && bytes + more > READ_LIMIT.bytes)) {
        yield group;
        [group, bytes] = [[], 0];
      }
      group.push(record);
      bytes += more;
    }
  }
  if (group.length > 0) yield group;
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

/** The stored records of an intent that these places name, as ranges; places ascend. */
export function rangesOf({ ranges }: Pick<Intent, 'ranges'>, places: Iterable<number>): Range[] {
  const found: Range[] = [];
  let [index, before] = [0, 0];
  for (const place of places) {
    const at = Math.floor(place / PACKED_MAX);
    let range = ranges[index];
    while (range !== undefined && at - before >= countOf(range)) {
      before += countOf(range);
      index += 1;
      range = ranges[index];
    }
    if (range === undefined) break;
    const from = range.from + BigInt(at - before);
    const last = found.at(-1);
    const isNext = last !== undefined && last.to >= from && positionKey(last) === positionKey(range);
    if (isNext && last.from <= from) found[found.length - 1] = { ...last, to: from + 1n };
    else found.push({ ...range, from, to: from + 1n });
  }
  return found;
}
