import { RequestError } from '../../kernel/errors.ts';
import { nextTurn } from '../../kernel/flow/next-turn.ts';
import {
  decodeSequenceNumber,
  encodeSequenceNumber,
  type SequenceNumber,
} from '../../kernel/stream/sequence-number.ts';
import { mayPass, type StreamInfo } from '../../ports/records.ts';
import { positionKey } from '../../ports/stream-store.ts';
import { FUNCTION } from './function-options.ts';
import { rangeFromJson, sourceStream, type DeliveryStream, type FirehoseState, type Range } from './model.ts';
import { outgoingRecords, sourceForm, type PlacedRecord } from './outgoing.ts';
import { QueueSearch } from './processed-queue.ts';
import { destinationOf, failuresOf } from './targets.ts';
import type { HistoryEntry, Missed } from './workers/delivery-history.ts';
import { DeliveryLanes } from './workers/delivery-lanes.ts';

/**
 * Where a record of a delivery is, by its sequence number (which is its RecordId where it was put directly).
 * RequestErrors: BadRequest, NotFound.
 */
export async function recordFate(state: FirehoseState, delivery: DeliveryStream, id: string): Promise<object> {
  const number = decodeSequenceNumber(id);
  if (number === undefined) throw new RequestError('BadRequest', `${id} is no sequence number and no RecordId`);
  const lanes = state.deliveries.worker(delivery.name);
  if (!(lanes instanceof DeliveryLanes)) {
    const why = delivery.target.kind === FUNCTION ? 'what a function takes has no place' : 'nothing is delivered yet';
    throw new RequestError('BadRequest', `${delivery.name}: ${why}`);
  }
  const stream = state.records.describe(sourceStream(delivery));
  const shard = stream?.shards.find(({ ref }) => positionKey(ref) === positionKey(number));
  // Asked for first: what is delivered meanwhile is found behind it.
  const waiting = await waitingFate(state, lanes, number);
  if (waiting !== undefined && !isDelivered(lanes, number)) return waiting;
  const entry = await lanes.history.find(number, number.offset);
  if (entry?.ranges.some((range) => holds(rangeFromJson(range), number)) === true) {
    const fate = fateIn(entry, number);
    if (fate.state === 'lost' || stream === undefined || shard === undefined) return fate;
    const isThere = fate.state !== 'dropped' && fate.state !== 'processing failed';
    return { ...fate, ...(await detail(state, delivery, { entry, number, stream, isThere })) };
  }
  if (number.offset < lanes.position(number)) {
    const doc = 'before the position of the delivery; its batch is not remembered, or it began behind the record';
    return { state: 'past', doc };
  }
  if (stream === undefined || shard === undefined || number.offset >= state.records.bounds(shard).end) {
    throw new RequestError('NotFound', `no such record in ${sourceStream(delivery)}`, 404);
  }
  return { state: lanes.queue === undefined ? 'waiting' : 'unprocessed' };
}

/** Behind the place where the delivery stands, and where records are processed, where that does. */
function isDelivered(lanes: DeliveryLanes, number: SequenceNumber): boolean {
  const { queue } = lanes;
  if (queue === undefined) return number.offset < lanes.position(number);
  return number.offset < BigInt(queue.origins?.[positionKey(number)] ?? '0');
}

/** Of a record that is to be delivered, as far as more is known than where the delivery stands. */
async function waitingFate(
  { records }: FirehoseState,
  lanes: DeliveryLanes,
  number: SequenceNumber,
): Promise<object | undefined> {
  const { queue } = lanes;
  if (isDelivered(lanes, number)) return undefined;
  if (queue === undefined) return inFlight(lanes, number);
  const isProcessed = number.offset < lanes.position(number);
  const [shard] = queue.stream?.shards ?? [];
  if (queue.stream === undefined || shard === undefined) return undefined;
  const found = await new QueueSearch(records, queue.stream, shard, number).find(queue.from);
  if (found === 'too far') return { state: 'waiting or dropped', doc: 'too much waits to look through all of it' };
  // An older version did not note where it began.
  if (found === undefined) return isProcessed && queue.origins !== undefined ? { state: 'dropped' } : undefined;
  const { gone, failure } = found.record;
  if (gone !== undefined) return { state: 'lost', cause: gone.cause };
  if (failure !== undefined) return { state: 'processing failed', code: failure.code, message: failure.message };
  return inFlight(lanes, { ...shard.ref, offset: found.offset }) ?? { state: 'waiting' };
}

/** Of a record of the batch that is being attempted, by where the delivery reads it. */
function inFlight(
  lanes: DeliveryLanes,
  at: Pick<SequenceNumber, 'generation' | 'ordinal' | 'offset'>,
): object | undefined {
  const { underway, attempts } = lanes.status();
  if (underway?.ranges.some((range) => holds(range, at)) !== true) return undefined;
  if (underway.isOfDeleted === true) return { state: 'lost', cause: 'StreamDeleted' };
  return { state: 'in flight', place: underway.place, attempts: attempts?.[0] ?? null };
}

function holds(range: Range, number: Pick<SequenceNumber, 'generation' | 'ordinal' | 'offset'>): boolean {
  const isInside = range.from <= number.offset && (number.offset < range.to || range.isOpen === true);
  return isInside && positionKey(range) === positionKey(number);
}

/** What became of a record, in a word, with all that is known. */
interface Fate {
  readonly state: string;
  readonly [member: string]: unknown;
}

function fateIn(entry: HistoryEntry, number: SequenceNumber): Fate {
  const { at, attempts, id } = entry;
  const shared = { batch: id, at: new Date(at).toISOString(), attempts };
  const missed = missedIn(entry);
  const known = missed.find(({ ranges }) => ranges.some((range) => holds(rangeFromJson(range), number)));
  if (known !== undefined) return { ...whatOf(known), ...shared };
  const arrived: readonly Fate[] =
    entry.place === undefined ? [] : [{ state: 'delivered', ...arrivedAt(entry, number) }];
  const others = missed.filter(({ isCut }) => isCut === true).map(whatOf);
  const [first, ...more] = [...arrived, ...others];
  if (first === undefined) return { state: 'lost', ...shared };
  if (more.length === 0) return { ...first, ...shared };
  return { state: [first, ...more].map(({ state }) => state).join(' or '), either: [first, ...more], ...shared };
}

function whatOf({ state, cause, place }: Missed): Fate {
  return { state, ...(cause !== undefined && { cause }), ...(place !== undefined && { place }) };
}

/** What did not arrive, also of an entry of an older version: what else is lost there has no range. */
function missedIn({ missed = [], failedRanges = [], failedAt, isFailedCut }: HistoryEntry): readonly Missed[] {
  if (failedRanges.length === 0) return missed;
  const place = failedAt !== undefined && { place: failedAt };
  return [{ state: 'failed', ranges: failedRanges, ...place, ...(isFailedCut === true && { isCut: true }) }];
}

/** Its place, or those that it can have gone to: of what a producer packed, parts go to several. */
function arrivedAt({ place, places = [] }: HistoryEntry, number: SequenceNumber): object {
  const known = places.filter(({ ranges }) => ranges.some((range) => holds(rangeFromJson(range), number)));
  const found = known.length > 0 ? known : places.filter(({ isCut }) => isCut === true);
  const [first, ...more] = found.map((one) => one.place);
  return more.length === 0 ? { place: first ?? place } : { places: [first, ...more] };
}

interface Delivered {
  readonly entry: HistoryEntry;
  readonly number: SequenceNumber;
  readonly stream: StreamInfo;
  /** Whether the destination, or its error output, has it. */
  readonly isThere: boolean;
}

/** What the log can still tell: the record's own members in the destination, and its offset in the object. */
async function detail(
  state: FirehoseState,
  delivery: DeliveryStream,
  { entry, number, stream, isThere }: Delivered,
): Promise<object> {
  if (delivery.target.kind !== entry.kind) return {};
  const { destinations } = state;
  const destination = destinationOf(destinations, delivery.target);
  const behind = destination.bytesBehindRecord?.(delivery.target.options as never);
  const path = failuresOf(destinations, delivery.target);
  try {
    const found = await walk(state, delivery, { entry, number, stream }, behind ?? 0);
    if (found === undefined) return { readable: false };
    const { record, before, isWhole, count } = found;
    return {
      arrivedAt: new Date(record.at).toISOString(),
      ...(record.subSequenceNumber !== undefined && { records: count }),
      bytes: record.data.length,
      ...(behind !== undefined && isWhole && entry.isProcessed !== true && { offset: before }),
      ...(isThere && path?.line(record, entry.planned)),
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
  /** How many a producer packed into it: then `record` is the first of them. */
  readonly count: number;
}

async function walk(
  { records, environment }: FirehoseState,
  delivery: DeliveryStream,
  { entry, number, stream }: Omit<Delivered, 'isThere'>,
  behind: number,
): Promise<Found | undefined> {
  const sequenceNumber = encodeSequenceNumber(number, number.offset);
  let [before, isWhole] = [0, true];
  const options = {
    form: sourceForm(delivery),
    gone: () => {
      isWhole = false;
    },
    turn: async () => await nextTurn(environment.clock),
  };
  // Where a function made others of them, what stood in front of it says nothing.
  const alone = { ...number, from: number.offset, to: number.offset + 1n };
  const intent = { ranges: entry.isProcessed === true ? [alone] : entry.ranges.map(rangeFromJson) };
  let found: Found | undefined;
  for await (const some of outgoingRecords(records, stream, intent, options)) {
    for (const record of some) {
      if (record.sequenceNumber === sequenceNumber) {
        found = found === undefined ? { record, before, isWhole, count: 1 } : { ...found, count: found.count + 1 };
      } else if (found !== undefined) return found;
      before += record.data.length + behind;
    }
  }
  return found;
}
