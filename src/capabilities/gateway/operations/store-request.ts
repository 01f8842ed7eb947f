import { DeliveryError } from '../../../kernel/errors.ts';
import { recordKey } from '../../../ports/record-key.ts';
import { contentDigest } from '../content-digest.ts';
import { envelope } from '../envelope.ts';
import { refusal } from '../errors.ts';
import { webhookId } from '../model.ts';
import { jsonAnswer } from '../refusal-answer.ts';
import type { StreamRoute } from '../route.ts';
import type { Accepted, Acceptor, ReadRequest } from './accept-request.ts';
import { checkDeliveryId, fitsRecord, goneFor, isKnownId, receiveWebhook, unavailable } from './receive-webhook.ts';

/** Makes a record of a request by the route's words, and tells the sender where it stands. */
export async function storeRequest(acceptor: Acceptor, route: StreamRoute, read: ReadRequest): Promise<Accepted> {
  const { headers } = read.request;
  const { content, parameters, deliveryId } = read;
  const partitionKey = recordKey(route.partitionKey?.({ headers, content, parameters }));
  checkDeliveryId(deliveryId);
  const data = dataOf(route, read);
  const bucket = route.claimCheckBucket;
  const body = bucket === undefined ? data : await checkedIn(acceptor, route, bucket, { ...read, partitionKey, data });
  const { redelivery } = read;
  const received = await receiveWebhook(acceptor, route, { deliveryId, partitionKey, body, redelivery });
  return {
    outcome: received.duplicate ? 'duplicate' : 'accepted',
    deliveryId: received.deliveryId,
    shardId: received.ShardId,
    sequenceNumber: received.SequenceNumber,
    answer: jsonAnswer(200, received),
  };
}

function dataOf(route: StreamRoute, read: ReadRequest): Uint8Array {
  if (route.payload === 'envelope') return envelope(read.request, route.secrets, read);
  if (route.payload === 'raw') return read.content.bytes;
  const json = read.content.jsonBytes;
  if (json === undefined) throw refusal('InvalidBody');
  return json;
}

/** The data, or, where it is larger than a record, what names the object that has it now. */
async function checkedIn(
  acceptor: Acceptor,
  route: StreamRoute,
  bucket: string,
  read: ReadRequest & { readonly partitionKey: string | undefined; readonly data: Uint8Array },
): Promise<Uint8Array> {
  const { records, blobs } = acceptor;
  const { data, deliveryId, content } = read;
  const stream = records.describe(route.stream);
  if (stream === undefined) throw unavailable();
  if (fitsRecord(stream, read.partitionKey ?? deliveryId ?? read.request.id, data)) return data;
  const isNamed = route.dedupe !== undefined && deliveryId !== undefined;
  const name = isNamed ? Buffer.from(webhookId(route.key, deliveryId)).toString('hex') : read.request.id;
  const sha256 = await contentDigest(acceptor.environment.clock, data);
  // Of two that come at once with one id either may become the record: each has an object of its own.
  const key = `claims/${name}-${sha256}`;
  const { redelivery } = read;
  const isGone = (await goneFor(acceptor, route, deliveryId, redelivery)) !== undefined;
  const isRepeat = isNamed && redelivery?.isAgain !== true && !isGone && isKnownId(acceptor, route, deliveryId);
  if (!isRepeat) await put(blobs, bucket, key, data);
  const claimCheck = { bucket, key, bytes: data.length, sha256, contentType: content.type };
  return new TextEncoder().encode(JSON.stringify({ claimCheck }));
}

async function put(blobs: Acceptor['blobs'], bucket: string, key: string, data: Uint8Array): Promise<void> {
  try {
    await blobs.put(bucket, key, pieces(data));
  } catch (error) {
    if (error instanceof DeliveryError) throw unavailable();
    throw error;
  }
}

async function* pieces(data: Uint8Array): AsyncGenerator<Uint8Array> {
  yield data;
}
