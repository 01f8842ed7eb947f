import { Defect } from '../../../kernel/errors.ts';
import { decodeSequenceNumber, encodeSequenceNumber } from '../../../kernel/stream/sequence-number.ts';
import type { OutgoingRecord } from '../../../ports/destination.ts';
import type { RecordInput, ShardInfo } from '../../../ports/records.ts';
import type { Offset } from '../../../ports/stream-store.ts';
import type { Failure } from '../error-lines.ts';
import { firehoseLimits } from '../limits.ts';
import type { Gap } from '../model.ts';
import { processedEntry, type Origin } from '../processed-record.ts';
import type { Transformed } from '../transform-answer.ts';
import { transformEvent, transformRecordId, type TransformSource } from '../transform-event.ts';
import { transformCall, type CallDoors } from './transform-call.ts';

/** The shard that records come from. */
export interface SourceShard {
  readonly generation: number;
  readonly ordinal: number;
}

/** A transformed record on its way into the internal stream. */
export interface Processed {
  readonly entry: RecordInput;
  readonly origin: Origin;
}

/** What stands around a record's data in an event, in bytes, near enough. */
const ENTRY_BYTES = 600;
const EVENT_BYTES = 1024;

/**
 * Has records of one shard transformed, in their order; what is dropped leaves no entry. Undefined: it was cut off.
 * `source` makes the head of each event.
 */
export async function transformPiece(
  records: readonly OutgoingRecord[],
  shard: SourceShard,
  source: () => TransformSource,
  doors: CallDoors,
): Promise<readonly Processed[] | undefined> {
  const done: Processed[] = [];
  for (const group of eventsOf(records)) {
    const found = await transformGroup(group, shard, source, doors);
    if (found === undefined) return undefined;
    done.push(...found);
  }
  return done;
}

async function transformGroup(
  records: readonly OutgoingRecord[],
  shard: SourceShard,
  source: () => TransformSource,
  doors: CallDoors,
): Promise<readonly Processed[] | undefined> {
  const event = transformEvent(source(), records);
  const { clock } = doors.environment;
  if (event.length > firehoseLimits.eventBytesMax) {
    const code = 'Lambda.FunctionRequestTooLarge';
    const message = `the event would have ${event.length} bytes of ${firehoseLimits.eventBytesMax} at most`;
    const failure = { code, message, attempts: 0, at: clock.now() };
    return records.map((record) => failedRecord(record, shard, failure));
  }
  const outcome = await transformCall(event, records.map(transformRecordId), doors);
  if (outcome === undefined) return undefined;
  const [attempts, at] = [outcome.calls, clock.now()];
  return records.flatMap((record, index) => {
    const transformed = outcome.records[index] as Transformed;
    if (transformed.result === 'Dropped') return [];
    const origin = originOf(record, shard);
    if (transformed.result === 'Ok') return [{ origin, entry: processedEntry(record, origin, transformed.data) }];
    const { code, message } = transformed;
    return [failedRecord(record, shard, { code, message, attempts, at })];
  });
}

/** An entry that tells of records which were gone before they could be transformed. */
export function goneEntry(gap: Gap, shard: ShardInfo, now: number): Processed {
  const { from, to, cause } = gap;
  const sequenceNumber = encodeSequenceNumber(shard.ref, from);
  const record = {
    data: Buffer.alloc(0),
    at: now,
    partitionKey: shard.id,
    sequenceNumber,
    shardId: shard.id,
    index: 0,
  };
  const last = encodeSequenceNumber(shard.ref, to - 1n);
  const message = `${to - from} records, up to ${last}, were gone before they were processed`;
  return failedRecord(record, shard.ref, { code: cause, message, attempts: 0, at: now });
}

function failedRecord(record: OutgoingRecord, shard: SourceShard, failure: Failure): Processed {
  const origin = originOf(record, shard);
  return { origin, entry: processedEntry(record, origin, record.data, failure) };
}

/** Records of which each group makes an event that Lambda takes, but for one that is too large alone. */
function* eventsOf(records: readonly OutgoingRecord[]): Generator<readonly OutgoingRecord[]> {
  let group: OutgoingRecord[] = [];
  let bytes = EVENT_BYTES;
  for (const record of records) {
    const more = ENTRY_BYTES + 2 * record.partitionKey.length + 4 * Math.ceil(record.data.length / 3);
    if (group.length > 0 && bytes + more > firehoseLimits.eventBytesMax) {
      yield group;
      [group, bytes] = [[], EVENT_BYTES];
    }
    group.push(record);
    bytes += more;
  }
  if (group.length > 0) yield group;
}

function originOf(record: OutgoingRecord, { generation, ordinal }: SourceShard): Origin {
  return { generation, ordinal, offset: offsetOf(record), subSequenceNumber: record.subSequenceNumber };
}

/** Where the record stands in its shard. */
export function offsetOf({ sequenceNumber }: OutgoingRecord): Offset {
  const offset = decodeSequenceNumber(sequenceNumber)?.offset;
  if (offset === undefined) throw new Defect(`${sequenceNumber} is no sequence number`);
  return offset;
}
