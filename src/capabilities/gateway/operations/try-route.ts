import { isUtf8 } from 'node:buffer';
import { asBuffer } from '../../../kernel/bytes/as-buffer.ts';
import { RequestError } from '../../../kernel/errors.ts';
import { isMapping, parseJson } from '../../../kernel/json.ts';
import { parseAddress } from '../../../kernel/net/ip-address.ts';
import { jsonMember } from '../../../kernel/json-children.ts';
import type { Environment } from '../../../ports/environment.ts';
import type { HttpAnswer, HttpHandler, HttpRequest } from '../../../ports/http.ts';
import type { Headers } from '../kinds/verifier.ts';
import { limits } from '../limits.ts';
import type { RequestEntry } from '../request-log/request-entry.ts';
import { matchRoutePath } from '../route-path.ts';
import type { RouteTable } from '../route-table.ts';
import type { Route } from '../route.ts';
import type { Asker } from './redeliver-request.ts';
import { resigned } from './send-request.ts';

/** A request that somebody wants to try, as the body of the admin's request says it. */
export interface Trial {
  /** `POST /path` as in the file; absent: that of `from`. */
  readonly route: string | undefined;
  /** Id or number of a request of the log, whose parts are taken where nothing else is said. */
  readonly from: string | undefined;
  readonly path: string | undefined;
  readonly query: string | undefined;
  readonly headers: Headers;
  readonly body: Uint8Array | undefined;
  /** The sender's word for what happened. */
  readonly event: string | undefined;
  readonly deliveryId: string | undefined;
  /** The address that it seems to come from. */
  readonly remoteAddress: string | undefined;
}

/** What was answered. */
export interface TrialAnswer {
  /** Of its entry in the log. */
  readonly requestId: string;
  readonly status: number;
  readonly headers: Headers;
  /** Text, or base64 in `bodyBase64`. */
  readonly body?: string;
  readonly bodyBase64?: string;
}

const TEXTS = ['route', 'from', 'path', 'query', 'event', 'deliveryId', 'remoteAddress'] as const;
const MEMBERS: ReadonlySet<string> = new Set([...TEXTS, 'headers', 'body', 'bodyBase64']);
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const HEADER_VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;
/** Where a request comes from that nothing else is said of. */
const LOOPBACK = '127.0.0.1';
const PATH = /^\/[\u0021-\u007e]*$/;

/** Reads a trial. RequestError BadRequest that names the member. */
export function readTrial(bytes: Uint8Array): Trial {
  const given = parseJson(bytes);
  if (!isMapping(given)) throw bad('the body is a JSON object such as {"route": "POST /hook", "body": {}}');
  const unknown = Object.keys(given).find((name) => !MEMBERS.has(name));
  if (unknown !== undefined) throw bad(`${unknown} is not known; there are ${[...MEMBERS].join(', ')}`);
  for (const name of TEXTS) {
    if (given[name] !== undefined && typeof given[name] !== 'string') throw bad(`${name} is a text`);
  }
  const texts = given as Readonly<Record<string, string | undefined>>;
  const { route, from, path, query, event, deliveryId, remoteAddress } = texts;
  if (route === undefined && from === undefined) throw bad('say which route, or from which request of the log');
  if (path !== undefined && (!PATH.test(path) || /[?#]/.test(path))) throw bad('path is one such as /hooks/7');
  if (query !== undefined && !/^[\u0021-\u007e]*$/.test(query)) throw bad('query is a text such as a=1&b=2');
  if (remoteAddress !== undefined && parseAddress(remoteAddress) === undefined) {
    throw bad('remoteAddress is an address such as 192.0.2.1');
  }
  return {
    route,
    from,
    path,
    query,
    event,
    deliveryId,
    remoteAddress,
    headers: headersOf(given['headers']),
    body: bodyOf(given, bytes),
  };
}

/**
 * Runs a request through a route as if it had come from outside, signed with the route's own secret where it has one,
 * and tells the answer. Whatever the route does is done. RequestErrors for what cannot be made a request.
 */
export async function tryRoute(
  { handle, routes, environment }: { handle: HttpHandler; routes: RouteTable; environment: Environment },
  trial: Trial,
  saved: RequestEntry | undefined,
  asker: Asker,
): Promise<TrialAnswer> {
  const route = chosenRoute(routes, trial.route ?? saved?.head.route ?? '');
  const body = trial.body ?? wholeBody(saved) ?? new Uint8Array();
  const requestId = environment.random.uuid();
  const nowMs = environment.clock.now();
  const deliveryId = trial.deliveryId ?? environment.random.uuid();
  const signed = route.sign({ body, event: trial.event ?? (saved === undefined ? 'test' : ''), deliveryId, nowMs });
  if (signed === undefined) {
    throw new RequestError('NoSecret', `${route.key} has no secret to sign with: give the headers that prove it`, 409);
  }
  const usual = { 'content-type': 'application/json' };
  const headers = { ...usual, ...resigned(headersOfSaved(saved, trial), signed), ...trial.headers };
  const request: HttpRequest = {
    id: requestId,
    method: route.method === 'ANY' ? (saved?.head.method ?? 'POST') : route.method,
    path: pathOf(route, trial.path ?? saved?.head.path),
    query: trial.query ?? saved?.head.query ?? '',
    headers,
    headerList: () => Object.entries(headers),
    remoteAddress: trial.remoteAddress ?? LOOPBACK,
    signal: asker.signal,
    hold: async (bytes) => await asker.hold(bytes),
    giveBack: (bytes) => asker.giveBack(bytes),
    recycleBody: () => undefined,
    readBody: async (maxBytes) => {
      if (body.length > maxBytes) throw new RequestError('RequestEntityTooLarge', 'the body is too large', 413);
      return body;
    },
  };
  return { requestId, ...(await told(await handle(request))) };
}

function chosenRoute({ all }: RouteTable, wanted: string): Route {
  const route = all.find(({ key, method, path }) => key === wanted || `${method} ${path.text}` === wanted);
  if (route !== undefined) return route;
  const names = all.map(({ key }) => key).join(', ');
  throw new RequestError('NotFound', `no route ${wanted}; there are ${names === '' ? 'none' : names}`, 404);
}

/** Only bodies that are all there are tried again. */
function wholeBody(saved: RequestEntry | undefined): Uint8Array | undefined {
  if (saved === undefined) return undefined;
  if (!saved.head.isWhole) throw new RequestError('BodyNotKept', 'its body was cut in the log: give one', 409);
  return saved.body;
}

/** How the saved body was encoded says nothing of another one. */
function headersOfSaved(saved: RequestEntry | undefined, { body }: Trial): Headers {
  const { 'content-encoding': encoding, ...others } = saved?.head.headers ?? {};
  return body !== undefined || encoding === undefined ? others : { ...others, 'content-encoding': encoding };
}

function pathOf({ key, path }: Route, given: string | undefined): string {
  if (given === undefined) {
    if (path.isLiteral) return path.text;
    throw bad(`${key} has parameters: say which path`);
  }
  if (matchRoutePath(path, given) === undefined) throw bad(`${given} is no path of ${key}`);
  return given;
}

function headersOf(given: unknown): Headers {
  if (given === undefined) return {};
  if (!isMapping(given)) throw bad('headers is an object of texts');
  const entries = Object.entries(given).map(([name, value]) => [name.toLowerCase(), value] as const);
  for (const [name, value] of entries) {
    const isFit = typeof value === 'string' && HEADER_NAME.test(name) && HEADER_VALUE.test(value);
    if (!isFit) throw bad(`headers: ${name} is no header`);
  }
  return Object.fromEntries(entries) as Headers;
}

/** JSON is sent as it stands in the request: made anew its long numbers would be others. */
function bodyOf({ body, bodyBase64 }: Readonly<Record<string, unknown>>, bytes: Uint8Array): Uint8Array | undefined {
  if (bodyBase64 !== undefined) {
    if (body !== undefined) throw bad('body and bodyBase64 are two ways to say one thing');
    const isBase64 = typeof bodyBase64 === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(bodyBase64);
    if (!isBase64) throw bad('bodyBase64 is base64');
    return Buffer.from(bodyBase64, 'base64');
  }
  if (body === undefined) return undefined;
  if (typeof body === 'string') return new TextEncoder().encode(body);
  const found = jsonMember(bytes, 'body');
  return bytes.slice(found?.at, found?.end);
}

async function told({ status, headers, body }: HttpAnswer): Promise<Omit<TrialAnswer, 'requestId'>> {
  const bytes = await bytesOf(body);
  const shown = isUtf8(bytes) ? { body: bytes.toString() } : { bodyBase64: bytes.toString('base64') };
  return { status, headers, ...shown };
}

/** At most as much as a function may answer. */
async function bytesOf(body: HttpAnswer['body']): Promise<Buffer> {
  if (typeof body === 'string') return Buffer.from(body);
  if (body instanceof Uint8Array) return asBuffer(body);
  if (!('pieces' in body)) return Buffer.concat(body);
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body.pieces) {
    pieces.push(piece.slice());
    bytes += piece.length;
    if (bytes >= limits.trialAnswerBytesMax) break;
  }
  return Buffer.concat(pieces);
}

function bad(message: string): RequestError {
  return new RequestError('BadRequest', message);
}
