import { RequestError, ThrottleError } from '../../kernel/errors.ts';
import type { HttpAnswer, HttpHandler, HttpRequest } from '../../ports/http.ts';
import { sentences } from './errors.ts';
import type { GatewayEvents } from './events.ts';
import { limits } from './limits.ts';
import { receiveWebhook, refusal, unavailable, type Receiver } from './operations/receive-webhook.ts';
import { isReserved, type Route } from './routes.ts';

/** What the handler asks of the running gateway. */
export interface Served extends Receiver {
  readonly events: GatewayEvents;
  /** Routes by path, as the file says now. */
  routes(): ReadonlyMap<string, Route>;
  /** Whether the route's repeats can be told, and the gateway takes work. */
  isReady(route: Route): boolean;
  /** An id was stored. */
  noteStored(): void;
}

const BODY_TYPES = new Set(['application/json', 'application/x-www-form-urlencoded']);

/** Serves the public listener. Bad input never rejects: it is answered here. */
export function createHandler(served: Served): HttpHandler {
  return async (request) => {
    if (request.path === '/healthz') return answerHealth(request);
    const route = isReserved(request.path) ? undefined : served.routes().get(request.path);
    try {
      return await answerRoute(served, route, request);
    } catch (error) {
      const refused = asRefusal(error);
      served.events.refused(route?.key, refused.code, request, causeOf(served, route, refused));
      return answerRefusal(request, refused);
    }
  };
}

async function answerRoute(served: Served, route: Route | undefined, request: HttpRequest): Promise<HttpAnswer> {
  const startedAt = served.environment.clock.monotonic();
  if (route === undefined) throw refusal('NotFound');
  if (request.method !== 'POST') throw refusal('MethodNotAllowed', { allow: 'POST' });
  if (!served.isReady(route)) throw unavailable();
  if (!route.verifier.mayVerify(request.headers)) throw refusal('Unauthorized');
  const recordBytesMax = served.records.describe(route.stream)?.maxRecordBytes ?? limits.bodyBytesMax;
  const body = await request.readBody(Math.min(route.bodyBytesMax, recordBytesMax));
  if (!route.verifier.verify(body, request.headers, served.environment.clock.now())) throw refusal('Unauthorized');
  checkBodyType(request);
  // The gateway may have begun to drain while the body came in.
  if (!served.isReady(route)) throw unavailable();
  const webhook = { body, deliveryId: route.verifier.deliveryId(request.headers) };
  const received = await receiveWebhook(served, route, webhook);
  served.events.accepted(route.key, body.length, received.duplicate, startedAt);
  if (!received.duplicate) served.noteStored();
  return answer(request, 200, received);
}

/** GitHub sends plain JSON, or a form with the JSON in `payload`; either is stored as it came. */
function checkBodyType(request: HttpRequest): void {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (!BODY_TYPES.has(type) || encoding !== 'identity') throw refusal('UnsupportedMediaType');
}

/** The refusal an error stands for; others are bugs and pass. */
function asRefusal(error: unknown): RequestError {
  if (error instanceof ThrottleError) {
    const seconds = String(Math.max(1, Math.ceil(error.retryAfterMs / 1000)));
    return refusal('ServiceUnavailable', { 'retry-after': seconds });
  }
  if (!(error instanceof RequestError)) throw error;
  if (error.status !== 413) return error;
  // What is left of the body is not read.
  return refusal('RequestEntityTooLarge', { ...error.headers, connection: 'close' });
}

function causeOf(served: Served, route: Route | undefined, refused: RequestError): string | undefined {
  if (route === undefined || refused.status !== 503) return undefined;
  if (served.records.describe(route.stream) === undefined) return `no stream ${route.stream}`;
  return served.isReady(route) ? 'the log refuses writes' : 'not ready, or stopping';
}

function answerHealth(request: HttpRequest): HttpAnswer {
  if (request.method === 'GET' || request.method === 'HEAD') return answer(request, 200, { ok: true });
  return answerRefusal(request, refusal('MethodNotAllowed', { allow: 'GET, HEAD' }));
}

function answerRefusal(request: HttpRequest, { status, code, headers }: RequestError): HttpAnswer {
  const message = Object.hasOwn(sentences, code) ? sentences[code as keyof typeof sentences] : 'the request is refused';
  return answer(request, status, { error: code, message }, headers);
}

function answer(
  request: HttpRequest,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  const own = { 'content-type': 'application/json', 'x-amzn-requestid': request.id };
  return { status, headers: { ...own, ...headers }, body: JSON.stringify(value) };
}
