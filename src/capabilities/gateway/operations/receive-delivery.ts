import { asBuffer } from '../../../kernel/bytes/as-buffer.ts';
import { DeliveryError, RequestError } from '../../../kernel/errors.ts';
import type { Doors } from '../../../ports/capability.ts';
import { DELIVERY_DEFAULTS } from '../../../ports/destination.ts';
import type { Environment } from '../../../ports/environment.ts';
import type { RecordInput } from '../../../ports/records.ts';
import { gatewayErrors, refusal } from '../errors.ts';
import { deliveredAnswer } from '../firehose/delivery-answer.ts';
import { readDeliveryRequest, type DeliveryRequest } from '../firehose/delivery-request.ts';
import { readRecords, type ReceivedRecord, type SkippedRecord } from '../firehose/received-records.ts';
import { recordBatch } from '../firehose/record-batch.ts';
import { limits } from '../limits.ts';
import type { DestinationRoute, ReceivingRoute, StreamRoute } from '../route.ts';
import type { Accepted, Acceptor, ReadRequest } from './accept-request.ts';
import {
  fitsRecord,
  markedRecord,
  receiveTogether,
  storeRecords,
  unavailable,
  type Receiver,
} from './receive-webhook.ts';

const SOURCE_HEADER = 'x-amz-firehose-source-arn';

/** What receiving from Firehose needs. */
export interface DeliveryReceiver extends Pick<Doors, 'blobs' | 'http' | 'documents' | 'clusters'> {
  readonly environment: Environment;
}

/** What became of the records that could be kept. */
interface Kept extends Pick<Accepted, 'shardId' | 'sequenceNumber'> {
  readonly isDuplicate: boolean;
  /** Those that a destination did not take. */
  readonly refused: readonly SkippedRecord[];
}

const NOWHERE = { isDuplicate: false, shardId: undefined, sequenceNumber: undefined } as const;

/**
 * Keeps the records of a request of Firehose, and answers once they are durable, or where the destination has them. A
 * record that cannot be kept is named and left out: it goes to the route's quarantine, and holds back no other one.
 */
export async function receiveDelivery(
  acceptor: Acceptor,
  route: ReceivingRoute,
  read: Omit<ReadRequest, 'deliveryId'>,
): Promise<Accepted> {
  const { clock } = acceptor.environment;
  const { request, content, receivedAt } = read;
  // Texts and the bytes they stand for.
  await request.hold(content.bytes.length);
  const delivery = readDeliveryRequest(request.headers, content.json);
  const stream = route.stream === undefined ? undefined : acceptor.records.describe(route.stream);
  if (route.stream !== undefined && stream === undefined) throw unavailable();
  const { receive, check } = route;
  const recordBytesMax = stream?.maxRecordBytes ?? Infinity;
  const { taken, skipped } = await readRecords(delivery, { receive, check, recordBytesMax }, clock);
  await quarantine(acceptor, route, delivery, receivedAt, skipped);
  const kept = await keep(acceptor, route, { ...read, delivery, taken });
  await quarantine(acceptor, route, delivery, receivedAt, kept.refused);
  const problems = sentences([...skipped, ...kept.refused], delivery.records.length);
  return {
    outcome: kept.isDuplicate ? 'duplicate' : 'accepted',
    deliveryId: delivery.requestId,
    shardId: kept.shardId,
    sequenceNumber: kept.sequenceNumber,
    ...(kept.sequenceNumber !== undefined && taken.length > 1 && { records: taken.length }),
    answer: deliveredAnswer(delivery.requestId, clock.now(), problems.length === 0 ? undefined : problems.join('; ')),
    ...(problems.length > 0 && { problems }),
  };
}

interface Taken extends Omit<ReadRequest, 'deliveryId'> {
  readonly delivery: DeliveryRequest;
  readonly taken: readonly ReceivedRecord[];
}

async function keep(acceptor: Acceptor, route: ReceivingRoute, read: Taken): Promise<Kept> {
  if (read.taken.length === 0) return { ...NOWHERE, refused: [] };
  return route.stream === undefined ? await deliver(acceptor, route, read) : await store(acceptor, route, read);
}

async function store(receiver: Receiver, route: StreamRoute, { delivery, taken, redelivery }: Taken): Promise<Kept> {
  const { requestId } = delivery;
  const inputs = taken.map(({ data, partitionKey = requestId }) => markedRecord({ partitionKey, data }, redelivery));
  if (route.dedupe === undefined || redelivery?.isAgain === true) {
    const { shardId, sequenceNumber } = await storeRecords(receiver.records, route.stream, inputs);
    return { isDuplicate: false, shardId, sequenceNumber, refused: [] };
  }
  const { duplicate, ShardId, SequenceNumber } = await receiveTogether(receiver, route, requestId, inputs, redelivery);
  return { isDuplicate: duplicate, shardId: ShardId, sequenceNumber: SequenceNumber, refused: [] };
}

async function deliver(receiver: DeliveryReceiver, route: DestinationRoute, read: Taken): Promise<Kept> {
  const { blobs, http, documents, clusters, environment } = receiver;
  const { kind, options } = route.destination;
  const doors = { blobs, http, documents, clusters, settings: DELIVERY_DEFAULTS };
  const open = kind.open(options as never, doors, environment);
  const deliveryStreamArn = read.request.headers[SOURCE_HEADER] ?? '';
  const batch = recordBatch(read.delivery, read.taken, { deliveryStreamArn, receivedAt: read.receivedAt });
  try {
    const { refused = [] } = await open.deliver(batch, open.place(batch), read.request.signal);
    const again = refused.find(({ retryable }) => retryable);
    if (again !== undefined) throw new DeliveryError(again.code, again.message, true);
    const bytes = new Map(read.taken.map(({ index, data }) => [index, data] as const));
    const left = refused.map(({ index, code, message }) => ({
      index,
      problem: `${code}: ${message}`,
      data: bytes.get(index) ?? new Uint8Array(),
    }));
    return { ...NOWHERE, refused: left };
  } catch (error) {
    if (!(error instanceof DeliveryError)) throw error;
    const said = `${refusal('DestinationFailed').message}: ${error.code}: ${error.message}`;
    throw new RequestError('DestinationFailed', said, gatewayErrors.DestinationFailed);
  } finally {
    await open.close();
  }
}

/** What cannot be kept is kept here, each time it is sent; without a quarantine it is told, counted and logged only. */
async function quarantine(
  { records }: Receiver,
  route: ReceivingRoute,
  { requestId, commonAttributes }: DeliveryRequest,
  receivedAt: number,
  skipped: readonly SkippedRecord[],
): Promise<void> {
  if (route.quarantine === undefined || skipped.length === 0) return;
  const stream = records.describe(route.quarantine);
  if (stream === undefined) throw unavailable();
  const inputs = skipped.map(({ index, problem, data }): RecordInput => {
    const parts = { requestId, receivedAt: new Date(receivedAt).toISOString(), route: route.key, index };
    const line = (more: object): Uint8Array =>
      new TextEncoder().encode(JSON.stringify({ ...parts, commonAttributes, problems: [problem], ...more }));
    const whole = line({ body: asBuffer(data).toString('base64') });
    // A record that is too large for its stream may be for this one.
    const isFit = fitsRecord(stream, requestId, whole);
    return { partitionKey: requestId, data: isFit ? whole : line({ bodyBytes: data.length }) };
  });
  await storeRecords(records, stream.name, inputs);
}

function sentences(skipped: readonly SkippedRecord[], count: number): readonly string[] {
  if (skipped.length === 0) return [];
  const named = skipped.slice(0, limits.problemsShown).map(({ index, problem }) => `record ${index}: ${problem}`);
  return [`${skipped.length} of ${count} records were left out`, ...named];
}
