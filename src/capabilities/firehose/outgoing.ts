import { sequenceNumberEncoder } from '../../kernel/stream/sequence-number.ts';
import type { OutgoingRecord } from '../../ports/destination.ts';
import type { Records, ShardInfo, StreamInfo } from '../../ports/records.ts';
import { positionKey, orPastDamage, type StoredRecord } from '../../ports/stream-store.ts';
import { openAggregatedRecord } from '../../wire/kpl/aggregated-record.ts';
import { firehoseLimits } from './limits.ts';
import { type Intent, type Range } from './model.ts';

/** One read of a stream by a delivery. */
export const READ_LIMIT = { records: firehoseLimits.readRecords, bytes: firehoseLimits.readBytes } as const;

/** How the records of an intent are read. */
export interface OutgoingOptions {
  readonly unpack: boolean;
  /** Called where the log does not hold what was written, which is passed over. */
  readonly damaged: () => void;
  /** Lets the loop turn: between the groups of one read, which comes as several only where records hold many. */
  readonly turn: () => Promise<void>;
}

/**
 * The records of an intent, shard after shard, read anew from the log, without those that it cannot give any more; at
 * most as many, and as many bytes, at once as one read gives. With `unpack`, what a producer packed into one record
 * leaves as the records it holds. `stream` undefined: it was deleted.
 */
export async function* outgoingRecords(
  records: Records,
  stream: StreamInfo | undefined,
  intent: Pick<Intent, 'ranges'>,
  { unpack, damaged, turn }: OutgoingOptions,
): AsyncGenerator<readonly OutgoingRecord[]> {
  const count = { next: 0 };
  for (const range of intent.ranges) {
    const shard = stream?.shards.find(({ ref }) => positionKey(ref) === positionKey(range));
    if (stream === undefined || shard === undefined) continue;
    const outgoing = outgoingOf(shard, unpack, count);
    for await (const some of rangeRecords(records, stream, shard, range, damaged)) {
      let isFirst = true;
      for (const group of groups(some, outgoing)) {
        if (!isFirst) await turn();
        isFirst = false;
        yield group;
      }
    }
  }
}

/** Whether the record is the first, or the only one, of what stands in the stream as one. */
export function isFirstOfStored({ subSequenceNumber = 0 }: OutgoingRecord): boolean {
  return subSequenceNumber === 0;
}

async function* rangeRecords(
  records: Records,
  stream: StreamInfo,
  shard: ShardInfo,
  range: Range,
  damaged: () => void,
): AsyncGenerator<readonly StoredRecord[]> {
  for (let from = range.from; from < range.to;) {
    const found = await orPastDamage(records.read(stream, shard, from, READ_LIMIT), damaged);
    yield found.records.filter(({ offset }) => offset < range.to);
    if (found.next <= from) return;
    from = found.next;
  }
}

type ToOutgoing = (stored: StoredRecord) => Iterable<OutgoingRecord>;

function outgoingOf(shard: ShardInfo, unpack: boolean, count: { next: number }): ToOutgoing {
  const encode = sequenceNumberEncoder(shard.ref);
  return function* ({ data, at, key, offset }) {
    const sequenceNumber = encode(offset);
    const shared = { at, sequenceNumber, shardId: shard.id };
    const packed = unpack ? openAggregatedRecord(data) : undefined;
    if (packed === undefined) {
      yield { data, partitionKey: Buffer.from(key).toString(), ...shared, index: count.next++ };
      return;
    }
    let subSequenceNumber = 0;
    let [keyAt, partitionKey] = [-1, ''];
    for (const sub of packed.records()) {
      // Mostly many have one key: its place in the table tells.
      if (sub.key.byteOffset !== keyAt) [keyAt, partitionKey] = [sub.key.byteOffset, Buffer.from(sub.key).toString()];
      yield { data: sub.data, partitionKey, ...shared, subSequenceNumber, index: count.next++ };
      subSequenceNumber += 1;
    }
  };
}

/** A record can hold more records than anybody wants to hold at once. */
function* groups(stored: readonly StoredRecord[], outgoing: ToOutgoing): Generator<readonly OutgoingRecord[]> {
  let group: OutgoingRecord[] = [];
  let bytes = 0;
  for (const one of stored) {
    for (const record of outgoing(one)) {
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
