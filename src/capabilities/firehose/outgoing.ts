import { sequenceNumberEncoder } from '../../kernel/stream/sequence-number.ts';
import type { OutgoingRecord } from '../../ports/destination.ts';
import type { Records, ShardInfo, StreamInfo } from '../../ports/records.ts';
import { orPastDamage, type StoredRecord } from '../../ports/stream-store.ts';
import { firehoseLimits } from './limits.ts';
import { positionKey, type Intent, type Range } from './model.ts';

/** One read of a stream by a delivery. */
export const READ_LIMIT = { records: firehoseLimits.readRecords, bytes: firehoseLimits.readBytes } as const;

/**
 * The records of an intent, shard after shard, read anew from the log, without those that it cannot give any more;
 * `stream` undefined: it was deleted.
 */
export async function* outgoingRecords(
  records: Records,
  stream: StreamInfo | undefined,
  intent: Intent,
): AsyncGenerator<readonly OutgoingRecord[]> {
  for (const range of intent.ranges) {
    const shard = stream?.shards.find(({ ref }) => positionKey(ref) === positionKey(range));
    if (stream !== undefined && shard !== undefined) yield* rangeRecords(records, stream, shard, range);
  }
}

async function* rangeRecords(
  records: Records,
  stream: StreamInfo,
  shard: ShardInfo,
  range: Range,
): AsyncGenerator<readonly OutgoingRecord[]> {
  const sequenceNumber = sequenceNumberEncoder(shard.ref);
  const outgoing = ({ data, at, key, offset }: StoredRecord): OutgoingRecord => ({
    data,
    at,
    partitionKey: Buffer.from(key).toString(),
    sequenceNumber: sequenceNumber(offset),
    shardId: shard.id,
  });
  for (let from = range.from; from < range.to;) {
    const found = await orPastDamage(records.read(stream, shard, from, READ_LIMIT));
    yield found.records.filter(({ offset }) => offset < range.to).map(outgoing);
    if (found.next <= from) return;
    from = found.next;
  }
}
