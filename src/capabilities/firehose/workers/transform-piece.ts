import { Defect, DeliveryError } from '../../../kernel/errors.ts';
import { backoffMs } from '../../../kernel/flow/backoff.ts';
import { shardId } from '../../../kernel/names.ts';
import { decodeSequenceNumber, encodeSequenceNumber } from '../../../kernel/stream/sequence-number.ts';
import type { OutgoingRecord } from '../../../ports/destination.ts';
import type { RecordInput } from '../../../ports/records.ts';
import type { Offset } from '../../../ports/stream-store.ts';
import type { Failure } from '../error-lines.ts';
import type { ProcessingMeasures } from '../events.ts';
import { firehoseLimits } from '../limits.ts';
import type { Gap } from '../model.ts';
import { processedEntry, type Origin } from '../processed-record.ts';
import type { Transformed } from '../transform-answer.ts';
import { transformEvent, transformRecordId, type TransformSource } from '../transform-event.ts';
import type { Transform } from '../transform-options.ts';
import { tryTransform, type CallDoors, type Tried } from './transform-call.ts';

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
/** Our own: each is an object while its event is under way. */
export const EVENT_RECORDS_MAX = 5000;

/** What is kept of a group over the tries to have it transformed. */
export interface GroupTries {
  /** The same event each time. */
  readonly source: TransformSource;
  failures: number;
  waits: number;
}

/** What came of one try; `pauseMs`: the group is to be tried again then. */
export type GroupOutcome = readonly Processed[] | { readonly pauseMs: number; readonly error: DeliveryError | string };

const WAIT = { baseMs: firehoseLimits.functionWaitBaseMs, maxMs: firehoseLimits.functionWaitMaxMs };
const RETRY = { baseMs: firehoseLimits.backoffBaseMs, maxMs: firehoseLimits.backoffMaxMs };

/** What a group is transformed with. */
export interface GroupDoors extends CallDoors {
  readonly transform: Transform;
  /** Told of each call; absent: calls are not to be counted. */
  readonly measure?: (call: ProcessingMeasures) => void;
}

/** One try to have records of one shard transformed as one event; what is dropped leaves no entry. */
export async function transformGroup(
  records: readonly OutgoingRecord[],
  shard: SourceShard,
  tries: GroupTries,
  { transform, ...doors }: GroupDoors,
): Promise<GroupOutcome> {
  const event = transformEvent(tries.source, records);
  const { clock, random } = doors.environment;
  const { arn: lambdaArn } = transform;
  if (event.length > firehoseLimits.eventBytesMax) {
    const code = 'Lambda.FunctionRequestTooLarge';
    const message = `the event would have ${event.length} bytes of ${firehoseLimits.eventBytesMax} at most`;
    return failedRecords(records, shard, { code, message, attempts: 0, at: clock.now(), lambdaArn });
  }
  const startedAt = clock.monotonic();
  const tried = await tryTransform(event, records.map(transformRecordId), transform, doors);
  if (tried.kind !== 'waits') doors.measure?.(measuresOf(tried, records, clock.monotonic() - startedAt));
  if (tried.kind === 'waits') {
    tries.waits += 1;
    return { pauseMs: backoffMs(tries.waits, WAIT, random.fraction()), error: tried.message };
  }
  if (tried.kind === 'failed') {
    tries.failures += 1;
    const { code, message } = tried;
    if (tries.failures <= transform.retries) {
      const error = new DeliveryError(code, message, true);
      return { pauseMs: backoffMs(tries.failures, RETRY, random.fraction()), error };
    }
    return failedRecords(records, shard, { code, message, attempts: tries.failures, at: clock.now(), lambdaArn });
  }
  const [attempts, at] = [tries.failures + 1, clock.now()];
  return records.flatMap((record, index) => {
    const transformed = tried.records[index] as Transformed;
    if (transformed.result === 'Dropped') return [];
    const origin = originOf(record, shard);
    if (transformed.result === 'Ok') return [{ origin, entry: processedEntry(record, origin, transformed.data) }];
    const { code, message } = transformed;
    return [failedRecord(record, shard, { code, message, attempts, at, lambdaArn })];
  });
}

function measuresOf(tried: Tried, records: readonly OutgoingRecord[], ms: number): ProcessingMeasures {
  const isSuccess = tried.kind === 'done';
  const processed = isSuccess ? records.filter((_, index) => tried.records[index]?.result !== 'ProcessingFailed') : [];
  const bytes = processed.reduce((sum, { data }) => sum + data.length, 0);
  return { ms, isSuccess, records: processed.length, bytes };
}

/** An entry that tells of records which were gone before they could be transformed. */
export function goneEntry({ from, to, cause, isOpen, ...shard }: Gap, now: number): Processed {
  const id = shardId(shard.ordinal);
  const sequenceNumber = encodeSequenceNumber(shard, from);
  const record = { data: Buffer.alloc(0), at: now, partitionKey: id, sequenceNumber, shardId: id, index: 0 };
  const first = originOf(record, shard);
  const gone = { to: String(to), cause, ...(isOpen === true && { isOpen }) };
  return { origin: { ...first, offset: to - 1n }, entry: processedEntry(record, first, record.data, gone) };
}

function failedRecords(records: readonly OutgoingRecord[], shard: SourceShard, failure: Failure): readonly Processed[] {
  return records.map((record) => failedRecord(record, shard, failure));
}

function failedRecord(record: OutgoingRecord, shard: SourceShard, failure: Failure): Processed {
  const origin = originOf(record, shard);
  return { origin, entry: processedEntry(record, origin, record.data, failure) };
}

/** Gathers records until the next one would make more than an event that Lambda takes, or than is held at once. */
export class EventGathering {
  #group: OutgoingRecord[] = [];
  #bytes = EVENT_BYTES;

  /** The group that is full; undefined: the record is part of the one that is gathered. */
  take(record: OutgoingRecord): readonly OutgoingRecord[] | undefined {
    const more = ENTRY_BYTES + 2 * record.partitionKey.length + 4 * Math.ceil(record.data.length / 3);
    const isFull = this.#bytes + more > firehoseLimits.eventBytesMax || this.#group.length >= EVENT_RECORDS_MAX;
    const full = this.#group.length > 0 && isFull ? this.rest() : undefined;
    this.#group.push(record);
    this.#bytes += more;
    return full;
  }

  /** What was gathered; nothing is gathered then. */
  rest(): readonly OutgoingRecord[] {
    const group = this.#group;
    [this.#group, this.#bytes] = [[], EVENT_BYTES];
    return group;
  }
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
