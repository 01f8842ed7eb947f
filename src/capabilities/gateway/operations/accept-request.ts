import type { Clock } from '../../../ports/environment.ts';
import type { HttpAnswer, HttpRequest } from '../../../ports/http.ts';
import type { StreamInfo } from '../../../ports/records.ts';
import type { Authorized, RequestHead } from '../calls/call.ts';
import { Content, contentEncodings, inflated, mediaType } from '../content.ts';
import { contentDigest } from '../content-digest.ts';
import { envelope } from '../envelope.ts';
import { refusal } from '../errors.ts';
import { jsonAnswer } from '../refusal-answer.ts';
import { isReceiving, type Route } from '../route.ts';
import type { Verdict } from '../verdict.ts';
import { answerByFunction, type FunctionCaller } from './answer-by-function.ts';
import { receiveDelivery, type DeliveryReceiver } from './receive-delivery.ts';
import {
  fitsRecord,
  markedRecord,
  storeRecord,
  unavailable,
  type Receiver,
  type Redelivery,
} from './receive-webhook.ts';
import { storeRequest } from './store-request.ts';

/** What accepting needs. */
export interface Acceptor extends Receiver, FunctionCaller, DeliveryReceiver {}

/** A request whose sender is known: by its signature, or because it was once accepted and is sent on again. */
export interface VerifiedRequest {
  readonly request: RequestHead & Pick<HttpRequest, 'hold' | 'giveBack'>;
  readonly parameters: Readonly<Record<string, string>>;
  /** As it was sent. */
  readonly body: Uint8Array;
  readonly receivedAt: number;
  readonly claims: Readonly<Record<string, unknown>> | undefined;
  readonly authorized: Authorized | undefined;
  /** Absent: its sender sent it just now. */
  readonly redelivery?: Redelivery;
}

/** A verified request, read. */
export interface ReadRequest extends VerifiedRequest {
  readonly content: Content;
  readonly deliveryId: string | undefined;
}

/** What became of it. */
export interface Accepted extends Pick<Verdict, 'deliveryId' | 'shardId' | 'sequenceNumber' | 'records'> {
  readonly outcome: Exclude<Verdict['outcome'], 'refused'>;
  readonly answer: HttpAnswer;
  /** Of records that were left out, where a request holds many. */
  readonly problems?: readonly string[] | undefined;
}

/** The verdict on a request of so many bytes that was accepted. */
export function acceptedVerdict(accepted: Accepted, bytes: number, latencyMs: number): Omit<Verdict, 'route'> {
  const { outcome, answer, deliveryId, shardId, sequenceNumber, records, problems } = accepted;
  const { status } = answer;
  const told = { outcome, status, code: '', reason: '', deliveryId, shardId, sequenceNumber, bytes, latencyMs };
  return records === undefined && problems === undefined ? told : { ...told, records, problems };
}

/**
 * Serves a request after its verification: reads it, checks it against the route's schema, and stores it or calls the
 * route's function. RequestErrors of the closed list for what cannot be served.
 */
export async function acceptRequest(acceptor: Acceptor, route: Route, verified: VerifiedRequest): Promise<Accepted> {
  const content = await readContent(acceptor, route, verified);
  if (isReceiving(route)) return await receiveDelivery(acceptor, route, { ...verified, content });
  const challenge = route.verifier.challenge?.(content);
  if (challenge !== undefined) return challenged(challenge);
  const { redelivery } = verified;
  const own = redelivery === undefined ? ownId(route, verified, content) : redelivery.deliveryId;
  const read: ReadRequest = { ...verified, content, deliveryId: own };
  const problems = route.check === undefined ? [] : checked(route.check, content);
  if (problems.length > 0) return await refuseContent(acceptor, route, read, problems);
  return route.call === undefined
    ? await storeRequest(acceptor, route, read)
    : await answerByFunction(acceptor, route, read);
}

/** The sender's id of the delivery, where it or the route names one. */
function ownId(
  { idSource, verifier }: Route,
  { request, parameters }: VerifiedRequest,
  content: Content,
): string | undefined {
  const { headers } = request;
  return idSource === undefined ? verifier.deliveryId?.(headers, content) : idSource({ headers, content, parameters });
}

async function readContent(acceptor: Acceptor, route: Route, { request, body }: VerifiedRequest): Promise<Content> {
  const type = mediaType(request.headers);
  // API Gateway hands bodies over as they came, however they are encoded.
  const sent = new Content(body, type);
  if (!route.readsContent) return sent;
  const encodings = contentEncodings(request.headers);
  if (encodings === undefined) throw refusal('UnsupportedMediaType');
  const isOpaque = route.stream === undefined || route.payload === 'envelope';
  if (!isOpaque && !sent.isReadable) throw refusal('UnsupportedMediaType');
  if (encodings.length === 0) return sent;
  const maxBytes = route.inflatedBytesMax ?? bodyBytesMax(acceptor, route);
  return new Content(await inflated(acceptor.environment.compute, body, encodings, maxBytes, request), type);
}

/** The largest body that the route can do something with. */
export function bodyBytesMax({ records }: Pick<Receiver, 'records'>, route: Route): number {
  if (route.call !== undefined || isReceiving(route) || route.claimCheckBucket !== undefined) return route.bodyBytesMax;
  return Math.min(route.bodyBytesMax, records.describe(route.stream)?.maxRecordBytes ?? route.bodyBytesMax);
}

function checked(check: NonNullable<Route['check']>, content: Content): readonly string[] {
  return content.json === undefined ? ['the body is no JSON'] : check(content.json);
}

async function refuseContent(
  { records, environment }: Acceptor,
  route: Route,
  read: ReadRequest,
  problems: readonly string[],
): Promise<Accepted> {
  const stream = route.quarantine === undefined ? undefined : records.describe(route.quarantine);
  if (route.quarantine === undefined) throw refusal('InvalidContent');
  if (stream === undefined) throw unavailable();
  const partitionKey = read.request.id;
  const data = await quarantined(stream, { partitionKey, route, read, problems, clock: environment.clock });
  if (!fitsRecord(stream, partitionKey, data)) throw refusal('RequestEntityTooLarge', { connection: 'close' });
  const record = markedRecord({ partitionKey, data }, read.redelivery);
  const { shardId, sequenceNumber } = await storeRecord(records, stream.name, record);
  const deliveryId = read.deliveryId ?? read.request.id;
  const told = { ShardId: shardId, SequenceNumber: sequenceNumber, deliveryId, duplicate: false, quarantined: true };
  return { outcome: 'quarantined', deliveryId, shardId, sequenceNumber, answer: jsonAnswer(200, told) };
}

/** What does not fit its route's schema. */
interface Quarantined {
  readonly partitionKey: string;
  readonly route: Route;
  readonly read: ReadRequest;
  readonly problems: readonly string[];
  readonly clock: Clock;
}

/** An envelope; without its body where a record of the stream is too small for it: the sender would send in vain. */
async function quarantined(
  stream: StreamInfo,
  { partitionKey, route, read, problems, clock }: Quarantined,
): Promise<Uint8Array> {
  const { secrets } = route;
  const { request, body } = read;
  // What cannot fit in base64 is not even written so.
  const whole = body.length < stream.maxRecordBytes ? envelope(request, secrets, read, problems) : undefined;
  if (whole !== undefined && fitsRecord(stream, partitionKey, whole)) return whole;
  const bodySha256 = await contentDigest(clock, body);
  return envelope(request, secrets, read, problems, { bodySha256, bodyBytes: body.length });
}

function challenged(challenge: string): Accepted {
  const answer = { status: 200, headers: { 'content-type': 'text/plain' }, body: challenge };
  return { outcome: 'challenged', deliveryId: undefined, shardId: undefined, sequenceNumber: undefined, answer };
}
