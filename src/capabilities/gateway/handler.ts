import { RequestError, ThrottleError } from '../../kernel/errors.ts';
import { nextTurn } from '../../kernel/flow/next-turn.ts';
import type { TokenBucket } from '../../kernel/flow/token-bucket.ts';
import type { HttpAnswer, HttpHandler, HttpRequest } from '../../ports/http.ts';
import { preflight, withCors } from './cors.ts';
import { refusal } from './errors.ts';
import type { GatewayEvents } from './events.ts';
import { undeliveredAnswer } from './firehose/delivery-answer.ts';
import { limits } from './limits.ts';
import type { Authorized } from './calls/call.ts';
import {
  acceptRequest,
  acceptedVerdict,
  bodyBytesMax,
  type Accepted,
  type Acceptor,
  type VerifiedRequest,
} from './operations/accept-request.ts';
import { unavailable } from './operations/receive-webhook.ts';
import { jsonAnswer, refusalAnswer } from './refusal-answer.ts';
import { isReserved } from './route-problems.ts';
import type { Match, RouteTable } from './route-table.ts';
import type { Route } from './route.ts';
import { refusedVerdict, type Trace } from './verdict.ts';
import type { AnsweredRequest } from './workers/request-log.ts';

/** What the handler asks of the running gateway. */
export interface Served extends Acceptor {
  readonly events: GatewayEvents;
  /** Routes as the file says now. */
  routes(): RouteTable;
  /** Of all requests together. */
  limit(): TokenBucket | undefined;
  /** Whether the route's repeats can be told, and the gateway takes work. */
  isReady(route: Route): boolean;
  /** An id was stored. */
  noteStored(): void;
  /** Told of each request that met a route, with its body where that was read. Must not throw, and answers at once. */
  observe?(answered: AnsweredRequest): void;
}

/** Serves the public listener. Bad input never rejects: it is answered here. */
export function createHandler(served: Served): HttpHandler {
  return async (request) => {
    if (request.path === '/healthz') return answerHealth(request);
    const table = served.routes();
    const match = isReserved(request.path) ? undefined : table.find(request.method, request.path);
    const question = match === undefined || match.route.method === 'ANY' ? preflight(table, request) : undefined;
    if (question !== undefined) return question;
    const startedAt = served.environment.clock.monotonic();
    const route = match?.route.key;
    const trace: Trace = { route, reason: '', body: undefined, startedAt };
    const answer = await serve(served, match, request, trace);
    return withCors(match?.route.cors, request, answer);
  };
}

async function serve(
  served: Served,
  match: Match | undefined,
  request: HttpRequest,
  trace: Trace,
): Promise<HttpAnswer> {
  try {
    const accepted = await answerRoute(served, match, request, trace);
    note(served, match?.route, request, trace, accepted);
    return accepted.answer;
  } catch (error) {
    const refused = asRefusal(error);
    if (isOfMemory(error)) trace.reason = 'memory';
    served.events.refused(trace.route, refused.code, request, causeOf(served, match?.route, refused, trace));
    const answer = refusedAnswer(match?.route, request, served.environment.clock.now(), refused);
    observe(served, match?.route, { request, answer, trace }, refusedVerdict(refused, trace, latencyOf(served, trace)));
    return answer;
  }
}

async function answerRoute(
  served: Served,
  match: Match | undefined,
  request: HttpRequest,
  trace: Trace,
): Promise<Accepted> {
  const { clock } = served.environment;
  const waitMs = served.limit()?.take(clock.monotonic()) ?? 0;
  if (waitMs > 0) throw limited('ServiceUnavailable', waitMs);
  if (match === undefined) throw noRoute(served, request);
  const { route, parameters } = match;
  if (!served.isReady(route)) throw unavailable();
  const { verifier } = route;
  if (route.isAllowedFrom?.(request.remoteAddress) === false) throw because(trace, 'address', refusal('Forbidden'));
  if (!verifier.mayVerify(request.headers)) throw because(trace, 'missing', refusal('Unauthorized'));
  const body = await request.readBody(bodyBytesMax(served, route));
  trace.body = body;
  const receivedAt = clock.now();
  const turn = async (): Promise<void> => await nextTurn(clock);
  const verification = await verifier.verify({
    headers: request.headers,
    body,
    nowMs: receivedAt,
    turn,
    room: request,
  });
  if (verification === 'unavailable') throw because(trace, 'keys', unavailable());
  if (verification !== 'valid') throw because(trace, verification, refusal('Unauthorized'));
  const pauseMs = route.limit?.take(clock.monotonic()) ?? 0;
  if (pauseMs > 0) throw limited('TooManyRequests', pauseMs);
  const claims = verifier.claims?.(request.headers);
  const verified = { request, parameters, body, receivedAt, claims };
  // Events are made of the body: as text or base64, and once more as bytes.
  if (route.authorizer !== undefined || route.call !== undefined)
    await request.hold(limits.eventBytesPerByte * body.length);
  const authorized = await authorize(served, route, verified);
  // The gateway may have begun to drain while the body came in.
  if (!served.isReady(route)) throw unavailable();
  return await acceptRequest(served, route, { request, parameters, body, receivedAt, claims, authorized });
}

async function authorize(
  { identity }: Served,
  { authorizer, key, path }: Route,
  verified: Omit<VerifiedRequest, 'authorized'>,
): Promise<Authorized | undefined> {
  if (authorizer === undefined) return undefined;
  const facts = { routeKey: key, resource: path.text, identity, deliveryId: undefined, authorized: undefined };
  return await authorizer.authorize({ ...verified, ...facts });
}

/** A refusal in the words of those who send by the route. */
function refusedAnswer(route: Route | undefined, request: HttpRequest, now: number, refused: RequestError): HttpAnswer {
  if (route?.receive !== undefined) return undeliveredAnswer(request, now, refused);
  return route?.call?.form.refusals?.get(refused.code) ?? refusalAnswer(refused);
}

function because(trace: Trace, reason: string, refused: RequestError): RequestError {
  trace.reason = reason;
  return refused;
}

function limited(code: 'ServiceUnavailable' | 'TooManyRequests', waitMs: number): RequestError {
  return refusal(code, { 'retry-after': String(Math.ceil(waitMs / 1000)) });
}

function noRoute(served: Served, { path }: HttpRequest): RequestError {
  const methods = isReserved(path) ? [] : served.routes().methods(path);
  return methods.length === 0 ? refusal('NotFound') : refusal('MethodNotAllowed', { allow: methods.join(', ') });
}

function note(served: Served, route: Route | undefined, request: HttpRequest, trace: Trace, accepted: Accepted): void {
  const { outcome, answer, problems } = accepted;
  const bytes = trace.body?.length ?? 0;
  served.events.accepted(trace.route ?? '', outcome, bytes, trace.startedAt);
  if (outcome === 'accepted') served.noteStored();
  if (problems !== undefined) served.events.leftOut(trace.route ?? '', request.id, problems);
  observe(served, route, { request, answer, trace }, acceptedVerdict(accepted, bytes, latencyOf(served, trace)));
}

function observe(
  served: Served,
  route: Route | undefined,
  { request, answer, trace }: { readonly request: HttpRequest; readonly answer: HttpAnswer; readonly trace: Trace },
  verdict: AnsweredRequest['verdict'],
): void {
  if (route !== undefined) served.observe?.({ route, request, body: trace.body, answer, verdict });
}

function latencyOf({ environment }: Served, { startedAt }: Trace): number {
  return environment.clock.monotonic() - startedAt;
}

/** The refusal an error stands for; others are bugs and pass. */
function asRefusal(error: unknown): RequestError {
  if (error instanceof ThrottleError) return limited('ServiceUnavailable', Math.max(1, error.retryAfterMs));
  if (!(error instanceof RequestError)) throw error;
  if (error.status !== 413) return error;
  // What is left of the body is not read.
  return refusal('RequestEntityTooLarge', { ...error.headers, connection: 'close' });
}

/** Whether it waited in vain for a part of what all requests may hold in memory. */
function isOfMemory(error: unknown): boolean {
  return error instanceof ThrottleError && error.code === 'ServiceUnavailable';
}

function causeOf(served: Served, route: Route | undefined, refused: RequestError, trace: Trace): string | undefined {
  if (trace.reason !== '') return trace.reason;
  if (refused.code === 'DestinationFailed') return refused.message;
  if (route === undefined || refused.status !== 503) return undefined;
  if (!served.isReady(route)) return 'not ready, or stopping';
  if (route.call !== undefined) return `the function ${route.call.function} is busy`;
  if (route.stream === undefined) return 'nothing more is taken';
  return served.records.describe(route.stream) === undefined ? `no stream ${route.stream}` : 'the log refuses writes';
}

function answerHealth(request: HttpRequest): HttpAnswer {
  if (request.method === 'GET' || request.method === 'HEAD') return jsonAnswer(200, { ok: true });
  return refusalAnswer(refusal('MethodNotAllowed', { allow: 'GET, HEAD' }));
}
