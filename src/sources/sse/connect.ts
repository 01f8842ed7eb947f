import { EnvironmentError } from '../../kernel/errors.ts';
import { parseUrl } from '../../kernel/net/parse-url.ts';
import type { ClientAnswer, HttpClient } from '../../ports/http-client.ts';
import { sseLimits } from './limits.ts';
import { feedUrl, headerValue } from './position.ts';
import { retryAfterMs } from './retry-after.ts';
import type { SseSettings } from './settings.ts';

/** What a request for events came to; `ended`: the server says that there is no more (204). */
export type Connected =
  | { readonly kind: 'open'; readonly answer: ClientAnswer }
  | { readonly kind: 'ended' }
  | { readonly kind: 'failed'; readonly cause: string; readonly retryAfterMs?: number };

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Sent to wherever a redirect leads; the others may hold what only the first server is to know. */
const HARMLESS = new Set(['user-agent']);

/** How a connection is made. */
export interface ConnectOptions {
  readonly http: HttpClient;
  readonly settings: SseSettings;
  /** Empty: none. */
  readonly lastEventId: string;
  readonly signal: AbortSignal;
  readonly nowMs: number;
}

/** Asks for the event stream and follows redirects. Never rejects but with Defects. */
export async function connect(options: ConnectOptions): Promise<Connected> {
  try {
    return await follow(options);
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    return { kind: 'failed', cause: error.code === 'ENOTALLOWED' ? error.message : error.code };
  }
}

async function follow(options: ConnectOptions): Promise<Connected> {
  const { settings, lastEventId } = options;
  // A position says more than the time at which the first connection began.
  let url = lastEventId === '' ? settings.url : feedUrl(settings.url);
  const origin = new URL(url).origin;
  let waitMs: ReturnType<typeof askedWaitMs> = {};
  for (let hop = 0; hop <= sseLimits.redirectsMax; hop += 1) {
    const answer = await ask(options, url, new URL(url).origin === origin);
    if (!REDIRECTS.has(answer.status)) return await judge(answer, options.nowMs);
    await discard(answer);
    waitMs = askedWaitMs(answer, options.nowMs);
    const next = target(url, answer.headers['location']);
    if (next === undefined) return { kind: 'failed', cause: `${answer.status} without a location to go to`, ...waitMs };
    if (url.startsWith('https:') && !next.startsWith('https:')) {
      return { kind: 'failed', cause: `${answer.status} to an address without TLS`, ...waitMs };
    }
    url = next;
  }
  return { kind: 'failed', cause: `more than ${sseLimits.redirectsMax} redirects`, ...waitMs };
}

async function ask(options: ConnectOptions, url: string, isOwnServer: boolean): Promise<ClientAnswer> {
  const { http, settings, lastEventId, signal } = options;
  const own = Object.entries(settings.headers).filter(([name]) => isOwnServer || HARMLESS.has(name));
  const headers = {
    'user-agent': 'millrace',
    ...Object.fromEntries(own),
    accept: 'text/event-stream',
    'cache-control': 'no-store',
    'accept-encoding': 'identity',
    ...(lastEventId !== '' && { 'last-event-id': headerValue(lastEventId) }),
  };
  return await http.send({ url, method: 'GET', headers, timeoutMs: sseLimits.connectTimeoutMs, signal });
}

async function judge(answer: ClientAnswer, nowMs: number): Promise<Connected> {
  const { status, headers } = answer;
  if (status === 200) {
    const [type = ''] = (headers['content-type'] ?? '').split(';');
    const encoding = headers['content-encoding'] ?? 'identity';
    if (type.trim().toLowerCase() === 'text/event-stream' && encoding === 'identity') return { kind: 'open', answer };
    await discard(answer);
    const cause =
      encoding === 'identity'
        ? `content type ${shorten(type)}, not text/event-stream`
        : `encoded as ${shorten(encoding)}`;
    return { kind: 'failed', cause, ...askedWaitMs(answer, nowMs) };
  }
  await discard(answer);
  if (status === 204) return { kind: 'ended' };
  return { kind: 'failed', cause: `status ${status}`, ...askedWaitMs(answer, nowMs) };
}

/** What any answer may ask for that is no event stream, a redirect that leads nowhere too. */
function askedWaitMs({ headers }: ClientAnswer, nowMs: number): { readonly retryAfterMs?: number } {
  const waitMs = retryAfterMs(headers['retry-after'], nowMs);
  return waitMs === undefined ? {} : { retryAfterMs: waitMs };
}

/** Takes what belongs to an answer that is not looked at; a long one ends its connection. */
async function discard(answer: ClientAnswer): Promise<void> {
  await answer.readBody(sseLimits.discardedBytesMax).catch((error: unknown) => {
    if (!(error instanceof EnvironmentError)) throw error;
  });
}

function target(from: string, location: string | undefined): string | undefined {
  // Servers send UTF-8; headers come as one character for each byte.
  const text = location === undefined ? '' : Buffer.from(location, 'latin1').toString('utf8');
  const url = text === '' ? undefined : parseUrl(text, from);
  if (url === undefined) return undefined;
  url.hash = '';
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : undefined;
}

function shorten(text: string): string {
  const [start] = text
    .trim()
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .match(/^.{0,80}/) ?? [''];
  return start === '' ? '(none)' : start;
}
