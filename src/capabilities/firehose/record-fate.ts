import { RequestError } from '../../kernel/errors.ts';
import {
  decodeSequenceNumber,
  encodeSequenceNumber,
  type SequenceNumber,
} from '../../kernel/stream/sequence-number.ts';
import { mayPass, type ShardInfo, type StreamInfo } from '../../ports/records.ts';
import { positionKey } from '../../ports/stream-store.ts';
import { FUNCTION } from './function-options.ts';
import { rangeFromJson, sourceStream, type DeliveryStream, type FirehoseState, type Range } from './model.ts';
import { outgoingRecords, sourceForm, type PlacedRecord } from './outgoing.ts';
import { destinationOf, failuresOf } from './targets.ts';
import type { HistoryEntry } from './workers/delivery-history.ts';
import { DeliveryLanes } from './workers/delivery-lanes.ts';

/**
 * Where a record of a delivery is, by its sequence number (which is its RecordId where it was put directly).
 * RequestErrors: BadRequest, NotFound.
 */
export async function recordFate(state: FirehoseState, delivery: DeliveryStream, id: string): Promise<object> {
  const number = decodeSequenceNumber(id);
  if (number === undefined) throw new RequestError('BadRequest', `${id} is no sequence number and no RecordId`);
  const lanes = state.deliveries.worker(delivery.name);
  const stream = state.records.describe(sourceStream(delivery));
  const shard = stream?.shards.find(({ ref }) => positionKey(ref) === positionKey(number));
  if (!(lanes instanceof DeliveryLanes)) {
    const why = delivery.target.kind === FUNCTION ? 'what a function takes has no place' : 'nothing is delivered yet';
    throw new RequestError('BadRequest', `${delivery.name}: ${why}`);
  }
  const { underway } = lanes.status();
  if (number.offset >= lanes.position(number)) {
    if (stream === undefined || shard === undefined || number.offset >= state.records.bounds(shard).end) {
      throw new RequestError('NotFound', `no such record in ${sourceStream(delivery)}`, 404);
    }
    if (underway?.ranges.some((range) => holds(range, number)) !== true) return { state: 'waiting' };
    return { state: 'in flight', place: underway.place, attempts: lanes.status().attempts?.[0] ?? null };
  }
  const entry = await lanes.history.find(number, number.offset);
  if (entry?.ranges.some((range) => holds(rangeFromJson(range), number)) !== true) {
    const doc = 'before the position of the delivery; its batch is not remembered, or it began behind the record';
    return { state: 'past', doc };
  }
  return { ...fateIn(entry, number), ...(await detail(state, delivery, entry, number, stream, shard)) };
}

function holds(range: Range, number: SequenceNumber): boolean {
  return positionKey(range) === positionKey(number) && range.from <= number.offset && number.offset < range.to;
}

function fateIn(entry: HistoryEntry, number: SequenceNumber): object {
  const where = arrivedAt(entry, number);
  const { place, failedAt, lostAt, at, attempts, isFailedCut, failed, failedRanges } = entry;
  const shared = { batch: entry.id, at: new Date(at).toISOString(), attempts };
  const isFailed = failedRanges.some((range) => holds(rangeFromJson(range), number));
  if (isFailed) return { state: 'failed', place: failedAt, ...shared };
  if (isFailedCut === true) return { state: 'delivered or failed', ...where, failedPlace: failedAt, ...shared };
  if (place === undefined && failed === 0) return { state: 'lost', place: lostAt, ...shared };
  return { state: 'delivered', ...where, ...shared };
}

/** Its place, or those that it can have gone to: of what a producer packed, parts go to several. */
function arrivedAt({ place, places = [] }: HistoryEntry, number: SequenceNumber): object {
  const known = places.filter(({ ranges }) => ranges.some((range) => holds(rangeFromJson(range), number)));
  const found = known.length > 0 ? known : places.filter(({ isCut }) => isCut === true);
  const [first, ...more] = found.map((one) => one.place);
  return more.length === 0 ? { place: first ?? place } : { places: [first, ...more] };
}

/** What the log can still tell: the record's own members in the destination, and its offset in the object. */
async function detail(
  state: FirehoseState,
  delivery: DeliveryStream,
  entry: HistoryEntry,
  number: SequenceNumber,
  stream: StreamInfo | undefined,
  shard: ShardInfo | undefined,
): Promise<object> {
  if (stream === undefined || shard === undefined || delivery.target.kind !== entry.kind) return {};
  const { destinations } = state;
  const destination = destinationOf(destinations, delivery.target);
  const behind = destination.bytesBehindRecord?.(delivery.target.options as never);
  const path = failuresOf(destinations, delivery.target);
  try {
    const found = await walk(state, delivery, entry, encodeSequenceNumber(number, number.offset), stream, behind ?? 0);
    if (found === undefined) return { readable: false };
    const { record, before, isWhole } = found;
    return {
      arrivedAt: new Date(record.at).toISOString(),
      bytes: record.data.length,
      ...(behind !== undefined && isWhole && entry.isProcessed !== true && { offset: before }),
      ...path?.line(record, entry.planned),
    };
  } catch (error) {
    if (!mayPass(error)) throw error;
    return { readable: false };
  }
}

interface Found {
  readonly record: PlacedRecord;
  /** Bytes in front of it, before compression. */
  readonly before: number;
  /** Nothing in front of it is gone. */
  readonly isWhole: boolean;
}

async function walk(
  { records, environment }: FirehoseState,
  delivery: DeliveryStream,
  entry: HistoryEntry,
  sequenceNumber: string,
  stream: StreamInfo,
  behind: number,
): Promise<Found | undefined> {
  let [before, isWhole] = [0, true];
  const options = {
    form: sourceForm(delivery),
    gone: () => {
      isWhole = false;
    },
    turn: async () => await new Promise<void>((resolve) => environment.clock.soon(resolve)),
  };
  const intent = { ranges: entry.ranges.map(rangeFromJson) };
  for await (const some of outgoingRecords(records, stream, intent, options)) {
    for (const record of some) {
      if (record.sequenceNumber === sequenceNumber) return { record, before, isWhole };
      before += record.data.length + behind;
    }
  }
  return undefined;
}
