import { Defect, type RequestError } from '../../../kernel/errors.ts';
import { encodeSequenceNumber } from '../../../kernel/stream/sequence-number.ts';
import { shardId } from '../../../kernel/names.ts';
import { assert } from '../../../kernel/assert.ts';
import type { Environment } from '../../../ports/environment.ts';
import type { Header } from '../../../ports/stream-store.ts';
import { mayPass, type RecordFailure, type RecordInput, type RecordPosition } from '../../../ports/records.ts';
import type { Records, StreamInfo } from '../../../ports/records.ts';
import { REDELIVERY_OF_HEADER } from '../../../ports/redelivery-header.ts';
import { refusal } from '../errors.ts';
import { limits } from '../limits.ts';
import { webhookId, type DedupeModel, type Lane, type StoredPlace } from '../model.ts';
import { standingRecord } from '../request-log/standing-record.ts';
import type { StreamRoute } from '../route.ts';

/** Header of a record that holds its webhook id: 16 bytes. */
export const ID_HEADER = 'millrace-id';
/** Header of a record that names the route it came in by, in UTF-8. */
export const ROUTE_HEADER = 'millrace-route';

/** A request of the log that is sent on again. */
export interface Redelivery {
  /** The id of the first request. */
  readonly of: string;
  /** As the log has it: the header that held it may be masked. */
  readonly deliveryId: string | undefined;
  /** Makes a record though its id has one. */
  readonly isAgain: boolean;
}

/** What receiving needs to know. */
export interface Receiver {
  readonly records: Records;
  readonly dedupe: DedupeModel;
  readonly environment: Environment;
}

/** A webhook that was verified. */
export interface Webhook {
  readonly deliveryId: string | undefined;
  /** At most 256 characters; absent: the delivery id. */
  readonly partitionKey?: string | undefined;
  /** The record's data. */
  readonly body: Uint8Array;
  readonly redelivery?: Redelivery | undefined;
}

/** What the sender is told once the record is durable. */
export interface Received {
  readonly ShardId: string;
  readonly SequenceNumber: string;
  readonly deliveryId: string;
  readonly duplicate: boolean;
}

/** Nothing was stored and the sender should come again. */
export function unavailable(): RequestError {
  return refusal('ServiceUnavailable', { 'retry-after': String(limits.retryAfterSeconds) });
}

/**
 * Stores a verified webhook, or finds the record that its id already has. Resolves once that record is durable.
 * Between the look-up and the append nothing is awaited, so of any number of requests with one id exactly one appends.
 */
export async function receiveWebhook(receiver: Receiver, route: StreamRoute, webhook: Webhook): Promise<Received> {
  const { environment, records } = receiver;
  const deliveryId = webhook.deliveryId ?? environment.random.uuid();
  checkDeliveryId(deliveryId);
  const { redelivery } = webhook;
  const gone = await goneFor(receiver, route, webhook.deliveryId, redelivery);
  const partitionKey = webhook.partitionKey ?? deliveryId;
  const stream = records.describe(route.stream);
  if (stream === undefined) throw unavailable();
  if (!fitsRecord(stream, partitionKey, webhook.body)) {
    throw refusal('RequestEntityTooLarge', { connection: 'close' });
  }
  const record = markedRecord({ partitionKey, data: webhook.body }, redelivery);
  if (route.dedupe === undefined || webhook.deliveryId === undefined || redelivery?.isAgain === true) {
    const position = await storeRecord(records, route.stream, record);
    return { ShardId: position.shardId, SequenceNumber: position.sequenceNumber, deliveryId, duplicate: false };
  }
  const id = webhookId(route.key, deliveryId);
  const earlier = knownPlace(receiver, route, id, gone);
  const place = await (earlier ?? storeOnce(receiver, route, stream, id, [record]));
  return answerOf(place, deliveryId, earlier !== undefined);
}

/**
 * Stores records that came together and go to one shard, or finds those that their id already has; tells the place of
 * the last. It alone carries the id: where it stands, the others stand before it.
 */
export async function receiveTogether(
  receiver: Receiver,
  route: StreamRoute,
  deliveryId: string,
  records: readonly RecordInput[],
  redelivery: Redelivery | undefined,
): Promise<Received> {
  const gone = await goneFor(receiver, route, deliveryId, redelivery);
  const stream = receiver.records.describe(route.stream);
  if (stream === undefined) throw unavailable();
  const id = webhookId(route.key, deliveryId);
  const earlier = knownPlace(receiver, route, id, gone);
  const place = await (earlier ?? storeOnce(receiver, route, stream, id, records));
  return answerOf(place, deliveryId, earlier !== undefined);
}

/** RequestError: InvalidDeliveryId for one of more than 256 characters. */
export function checkDeliveryId(deliveryId: string | undefined): void {
  if ((deliveryId?.length ?? 0) > limits.deliveryIdCharactersMax) throw refusal('InvalidDeliveryId');
}

/** The record with the header that says what it repeats, where it repeats something. */
export function markedRecord(record: RecordInput, redelivery: Redelivery | undefined): RecordInput {
  if (redelivery === undefined) return record;
  return { ...record, headers: [[REDELIVERY_OF_HEADER, Buffer.from(redelivery.of)]] };
}

/** Whether key and data are together no larger than a record of the stream. */
export function fitsRecord(stream: StreamInfo, partitionKey: string, data: Uint8Array): boolean {
  return data.length + Buffer.byteLength(partitionKey) <= stream.maxRecordBytes;
}

/** Whether the id has a record already, or will have one. */
export function isKnownId(receiver: Receiver, route: StreamRoute, deliveryId: string): boolean {
  return knownPlace(receiver, route, webhookId(route.key, deliveryId)) !== undefined;
}

/**
 * The place of the id's record when that is sent on again and can be read by nobody any more: it is new again. For its
 * sender an id is known as long as the window has it, whatever the stream keeps.
 */
export async function goneFor(
  receiver: Receiver,
  route: StreamRoute,
  deliveryId: string | undefined,
  redelivery: Redelivery | undefined,
): Promise<StoredPlace | undefined> {
  if (redelivery === undefined || deliveryId === undefined) return undefined;
  const place = knownPlace(receiver, route, webhookId(route.key, deliveryId));
  if (place === undefined || place instanceof Promise) return undefined;
  const { shard, offset } = place;
  const sequenceNumber = place.sequenceNumber ?? encodeSequenceNumber(shard, BigInt(offset));
  try {
    const standing = await standingRecord(receiver.records, { sequenceNumber }, shard.stream);
    return standing === undefined ? place : undefined;
  } catch (error) {
    if (!mayPass(error)) throw error;
    throw unavailable();
  }
}

/** Stores a record of no id; resolves once it is durable. */
export async function storeRecord(records: Records, stream: string, record: RecordInput): Promise<RecordPosition> {
  return await storeRecords(records, stream, [record]);
}

/** Stores records of no id, at least one; resolves with the place of the last once all are durable. */
export async function storeRecords(
  records: Records,
  stream: string,
  inputs: readonly RecordInput[],
): Promise<RecordPosition> {
  return await appended(records.append(stream, inputs));
}

/** The place of the id's record, already stored or on its way; not the one that is `gone`. */
function knownPlace(
  receiver: Receiver,
  route: StreamRoute,
  id: Uint8Array,
  gone?: StoredPlace,
): Promise<StoredPlace> | StoredPlace | undefined {
  const { dedupe, environment, records } = receiver;
  const pending = dedupe.pending(id);
  if (pending !== undefined) return pending;
  const place = dedupe.stored(route.key, id, environment.clock.now());
  if (place === undefined || (gone !== undefined && isSamePlace(place, gone))) return undefined;
  // A record that went with its stream can be read by nobody: the id is new again.
  return records.describe(place.shard.stream)?.createdAt === place.shard.createdAt ? place : undefined;
}

function isSamePlace(one: StoredPlace, other: StoredPlace): boolean {
  return one.shard === other.shard && one.offset === other.offset;
}

/** Appends the records of an id that nobody else is appending. */
async function storeOnce(
  receiver: Receiver,
  route: StreamRoute,
  stream: StreamInfo,
  id: Uint8Array,
  inputs: readonly RecordInput[],
): Promise<StoredPlace> {
  const { dedupe, records } = receiver;
  const lane = dedupe.lane(stream.name);
  if (lane.length >= limits.pendingMax) throw unavailable();
  const stored = settle(dedupe, lane, route.key, stream, id, records.append(stream.name, marked(inputs, route, id)));
  dedupe.begin(id, stored);
  return await stored;
}

/** The records; the last one says whose id it has. */
function marked(inputs: readonly RecordInput[], { key }: StreamRoute, id: Uint8Array): readonly RecordInput[] {
  const last = inputs.at(-1);
  assert(last !== undefined, 'an id has at least one record');
  const own: readonly Header[] = [[ID_HEADER, id], [ROUTE_HEADER, Buffer.from(key)], ...(last.headers ?? [])];
  return [...inputs.slice(0, -1), { ...last, headers: own }];
}

async function settle(
  dedupe: DedupeModel,
  lane: Lane,
  route: string,
  stream: StreamInfo,
  id: Uint8Array,
  append: Promise<readonly (RecordPosition | RecordFailure)[]>,
): Promise<StoredPlace> {
  const ticket = lane.enter();
  let position: { shard: number; after: bigint } | undefined;
  try {
    const stored = await appended(append);
    const { ref, offset, at, sequenceNumber } = stored;
    const shard = dedupe.shardName(stream, ref);
    const place = { shard, offset: Number(offset), seconds: Math.ceil(at / 1000), sequenceNumber };
    dedupe.store(route, id, place);
    position = { shard: dedupe.shardNumber(place.shard), after: stored.offset + 1n };
    return place;
  } finally {
    lane.leave(ticket, position);
    dedupe.finish(id);
  }
}

async function appended(append: Promise<readonly (RecordPosition | RecordFailure)[]>): Promise<RecordPosition> {
  let results: readonly (RecordPosition | RecordFailure)[];
  try {
    results = await append;
  } catch (error) {
    if (error instanceof Defect) throw error;
    throw unavailable();
  }
  const result = results.at(-1);
  assert(result !== undefined, 'each record has a result');
  if ('failed' in result || results.some((one) => 'failed' in one)) throw unavailable();
  return result;
}

function answerOf({ shard, offset, sequenceNumber }: StoredPlace, deliveryId: string, duplicate: boolean): Received {
  const SequenceNumber = sequenceNumber ?? encodeSequenceNumber(shard, BigInt(offset));
  return { ShardId: shardId(shard.ordinal), SequenceNumber, deliveryId, duplicate };
}
