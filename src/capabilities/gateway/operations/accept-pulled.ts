import { RequestError, ThrottleError } from '../../../kernel/errors.ts';
import { nextTurn } from '../../../kernel/flow/next-turn.ts';
import { parseUrl } from '../../../kernel/net/parse-url.ts';
import type { HeaderLine } from '../../../ports/http.ts';
import { PULLED_BY_HEADER } from '../calls/call.ts';
import { refusal } from '../errors.ts';
import type { Served } from '../handler.ts';
import { bodyOf, type Attempt, type SentRequest } from '../pull/read-delivery.ts';
import { refusalAnswer } from '../refusal-answer.ts';
import { matchRoutePath } from '../route-path.ts';
import type { Route } from '../route.ts';
import { refusedVerdict } from '../verdict.ts';
import type { AnsweredRequest } from '../workers/request-log.ts';
import { acceptRequest, acceptedVerdict, bodyBytesMax, type Accepted, type VerifiedRequest } from './accept-request.ts';

/** A delivery that was fetched from its sender. */
export interface Pulled {
  /** The hook, as the config file calls it. */
  readonly hook: string;
  readonly attempt: Attempt;
  readonly sent: SentRequest & { readonly payload: Uint8Array };
  readonly signal: AbortSignal;
}

/** What became of it: `failed`, the function did; `later`, nothing now, but it may be taken then. */
export type PulledVerdict =
  | { readonly kind: 'taken'; readonly outcome: Accepted['outcome'] }
  | { readonly kind: 'refused' | 'failed'; readonly code: string }
  | { readonly kind: 'later'; readonly cause: string; readonly afterMs: number };

/** Headers of a signature: of bytes that may have been written otherwise. */
const SIGNATURES = new Set(['x-hub-signature', 'x-hub-signature-256']);
const GUID_HEADER = 'X-GitHub-Delivery';
const EVENT_HEADER = 'X-GitHub-Event';

/**
 * Hands a delivery to its route, behind verification: that its sender made it is known from the sender's own API. Its
 * id is that of the delivery, so that it is one record with what came itself.
 */
export async function acceptPulled(served: Served, route: Route, pulled: Pulled): Promise<PulledVerdict> {
  const { clock } = served.environment;
  if (!served.isReady(route)) return { kind: 'later', cause: 'the route is not ready', afterMs: 0 };
  const pauseMs = route.limit?.take(clock.monotonic()) ?? 0;
  if (pauseMs > 0) return { kind: 'later', cause: 'the limit of the route', afterMs: pauseMs };
  const startedAt = clock.monotonic();
  const verified = await requestOf(served, route, pulled);
  try {
    if (verified.body.length > bodyBytesMax(served, route)) throw refusal('RequestEntityTooLarge');
    const accepted = await acceptRequest(served, route, verified);
    const { outcome, answer } = accepted;
    const { request, body } = verified;
    served.events.accepted(route.key, outcome, body.length, startedAt);
    if (outcome === 'accepted') served.noteStored();
    // It stands in the log of requests like one that came itself.
    const verdict = acceptedVerdict(accepted, body.length, clock.monotonic() - startedAt);
    served.observe?.({ route, request, body, answer, verdict });
    return outcome === 'answered' ? judged(answer.status) : { kind: 'taken', outcome };
  } catch (error) {
    if (error instanceof ThrottleError) return { kind: 'later', cause: error.code, afterMs: error.retryAfterMs };
    if (!(error instanceof RequestError)) throw error;
    if (error.status >= 500 || error.status === 429) return { kind: 'later', cause: error.code, afterMs: 0 };
    const latencyMs = clock.monotonic() - startedAt;
    observeRefused(served, route, verified, { attempt: pulled.attempt, refused: error, latencyMs });
    return { kind: 'refused', code: error.code };
  }
}

/** A delivery that is longer than its route could take: of it nothing was read but that. */
export function refuseUnread(served: Served, route: Route, { hook, attempt }: Pick<Pulled, 'hook' | 'attempt'>): void {
  const headers = headersOf(ownLines(hook, attempt, undefined));
  const request = { id: served.environment.random.uuid(), method: 'POST', path: route.path.text, query: '' };
  const sent = { request: { ...request, headers, remoteAddress: '' }, body: undefined };
  observeRefused(served, route, sent, { attempt, refused: refusal('RequestEntityTooLarge'), latencyMs: 0 });
}

/** What a refusal says of a delivery. */
interface Refused {
  readonly attempt: Attempt;
  readonly refused: RequestError;
  readonly latencyMs: number;
}

/** It stands in the log of requests like one that came itself. */
function observeRefused(
  served: Served,
  route: Route,
  { request, body }: Pick<AnsweredRequest, 'request' | 'body'>,
  { attempt, refused, latencyMs }: Refused,
): void {
  const verdict = { ...refusedVerdict(refused, { reason: '', body }, latencyMs), deliveryId: attempt.guid };
  served.observe?.({ route, request, body, answer: refusalAnswer(refused), verdict });
}

/** A function's own answer, as GitHub would take it. */
function judged(status: number): PulledVerdict {
  if (status < 400) return { kind: 'taken', outcome: 'answered' };
  if (status < 500) return { kind: 'refused', code: String(status) };
  return { kind: 'failed', code: String(status) };
}

async function requestOf(
  served: Served,
  route: Route,
  { hook, attempt, sent, signal }: Pulled,
): Promise<VerifiedRequest> {
  const { clock, random } = served.environment;
  const own = new Set([GUID_HEADER, EVENT_HEADER, PULLED_BY_HEADER].map((name) => name.toLowerCase()));
  const type = valueOf(sent.headers, 'content-type') ?? 'application/json';
  const body = bodyOf(sent.payload, type);
  const lines: readonly HeaderLine[] = [
    ...sent.headers.filter(([name]) => !own.has(name.toLowerCase())),
    ...(valueOf(sent.headers, 'content-type') === undefined ? [['Content-Type', type] as const] : []),
    ...ownLines(hook, attempt, valueOf(sent.headers, EVENT_HEADER)),
  ];
  const receivedAt = clock.now();
  const whole = headersOf(lines);
  // Of JSON that GitHub writes otherwise now than when it signed it nobody is to think that the signature is its own.
  const turn = async (): Promise<void> => await nextTurn(clock);
  const isSame = (await route.verifier.verify({ headers: whole, body, nowMs: receivedAt, turn })) === 'valid';
  const headerLines = isSame ? lines : lines.filter(([name]) => !SIGNATURES.has(name.toLowerCase()));
  const { path, query, parameters } = targetOf(route, sent.url);
  return {
    request: {
      id: random.uuid(),
      method: 'POST',
      path,
      query,
      headers: headersOf(headerLines),
      headerList: () => headerLines,
      remoteAddress: '',
      signal,
      hold: async () => undefined,
      giveBack: () => undefined,
    },
    parameters,
    body,
    receivedAt,
    claims: undefined,
    authorized: undefined,
  };
}

function ownLines(hook: string, { guid, event }: Attempt, sentEvent: string | undefined): readonly HeaderLine[] {
  return [
    [GUID_HEADER, guid],
    [EVENT_HEADER, sentEvent ?? event],
    [PULLED_BY_HEADER, hook],
  ];
}

/** Where it was sent to, when that was this route's path; else the route's path as it is written. */
function targetOf(
  { path: own }: Route,
  url: string | undefined,
): { readonly path: string; readonly query: string; readonly parameters: Readonly<Record<string, string>> } {
  const target = url === undefined ? undefined : parseUrl(url);
  const parameters = target === undefined ? undefined : matchRoutePath(own, target.pathname);
  if (target === undefined || parameters === undefined) return { path: own.text, query: '', parameters: {} };
  return { path: target.pathname, query: target.search.slice(1), parameters };
}

function headersOf(lines: readonly HeaderLine[]): Readonly<Record<string, string>> {
  return Object.fromEntries(lines.map(([name, value]) => [name.toLowerCase(), value]));
}

function valueOf(lines: readonly HeaderLine[], name: string): string | undefined {
  return lines.find(([one]) => one.toLowerCase() === name.toLowerCase())?.[1];
}
