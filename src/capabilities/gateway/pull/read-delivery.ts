import { isoTime } from '../../../kernel/iso-time.ts';
import { jsonChildren, jsonMembers, jsonTextAt } from '../../../kernel/json-children.ts';
import { JsonPathFinder } from '../../../kernel/json-path.ts';
import { JsonScanner } from '../../../kernel/json-scanner.ts';
import type { HeaderLine } from '../../../ports/http.ts';
import { limits } from '../limits.ts';

/** One attempt to deliver, as a hook's list has it. */
export interface Attempt {
  /** Of the attempt, as it is written: it may be larger than numbers here can be. */
  readonly id: string;
  /** Of the delivery: all attempts to deliver it have the same. */
  readonly guid: string;
  readonly event: string;
  /** In ms. */
  readonly deliveredAt: number;
  readonly isRedelivery: boolean;
  /** Whether somebody took it: an answer of 200 to 299. */
  readonly isTaken: boolean;
}

/** What was sent, as GitHub keeps it. */
export interface SentRequest {
  /** In the sender's spelling. */
  readonly headers: readonly HeaderLine[];
  /** Where it went. */
  readonly url: string | undefined;
  /** The JSON, in the very bytes of the answer; undefined: GitHub does not have it any more. */
  readonly payload: Uint8Array | undefined;
}

const PIECE_BYTES = 64 * 1024;
const [OPEN_LIST, OPEN_OBJECT, QUOTE, NULL] = [0x5b, 0x7b, 0x22, 0x6e];
const FORM = 'application/x-www-form-urlencoded';
const ID = new JsonPathFinder(['id']);
const GUID = new JsonPathFinder(['guid']);
const EVENT = new JsonPathFinder(['event']);
const DELIVERED_AT = new JsonPathFinder(['delivered_at']);
const REDELIVERY = new JsonPathFinder(['redelivery']);
const STATUS_CODE = new JsonPathFinder(['status_code']);

/**
 * A page of a hook's list of attempts, in its order; entries without id, guid or time are left out. Undefined: it is no
 * list. Stops after each piece, so that others have their turn.
 */
export function* readAttempts(bytes: Uint8Array): Generator<undefined, readonly Attempt[] | undefined> {
  const from = yield* beginOf(bytes);
  if (from === undefined || bytes[from] !== OPEN_LIST) return undefined;
  const attempts: Attempt[] = [];
  for (const child of jsonChildren(bytes, from)) {
    if (child === undefined) yield;
    else attempts.push(...attemptOf(bytes.subarray(child.at, child.end)));
  }
  return attempts;
}

/** One attempt with all that was sent; undefined: it is none. Stops after each piece. */
export function* readDelivery(bytes: Uint8Array): Generator<undefined, SentRequest | undefined> {
  const from = yield* beginOf(bytes);
  if (from === undefined || bytes[from] !== OPEN_OBJECT) return undefined;
  const { url, request } = Object.fromEntries(yield* jsonMembers(bytes, from, ['url', 'request']));
  if (request === undefined || bytes[request.at] !== OPEN_OBJECT) return undefined;
  const { headers, payload } = Object.fromEntries(yield* jsonMembers(bytes, request.at, ['headers', 'payload']));
  return {
    headers: headers === undefined ? [] : headersOf(bytes.subarray(headers.at, headers.end)),
    url: url === undefined ? undefined : jsonTextAt(bytes, url.at, url.end),
    payload: payload === undefined ? undefined : payloadOf(bytes, payload.at, payload.end),
  };
}

/** The body of the request, as the hook's content type has it. */
export function bodyOf(payload: Uint8Array, contentType: string): Uint8Array {
  if (!contentType.toLowerCase().startsWith(FORM)) return payload;
  return new TextEncoder().encode(new URLSearchParams({ payload: new TextDecoder().decode(payload) }).toString());
}

/** Where JSON text begins; undefined: it is none. */
function* beginOf(bytes: Uint8Array): Generator<undefined, number | undefined> {
  const scanner = new JsonScanner(bytes);
  while (scanner.scan(PIECE_BYTES)) yield;
  return scanner.wrongAt === undefined ? bytes.findIndex((byte) => byte > 0x20) : undefined;
}

function attemptOf(bytes: Uint8Array): Attempt[] {
  const [id, guid] = [ID.findName(bytes), GUID.findName(bytes)];
  const deliveredAt = isoTime(DELIVERED_AT.find(bytes) ?? '');
  if (id === undefined || !/^\d{1,30}$/.test(id) || guid === undefined || deliveredAt === undefined) return [];
  const isTaken = /^2\d\d$/.test(STATUS_CODE.find(bytes) ?? '');
  const isRedelivery = REDELIVERY.find(bytes) === 'true';
  return [{ id, guid, event: EVENT.find(bytes) ?? '', deliveredAt, isRedelivery, isTaken }];
}

function headersOf(bytes: Uint8Array): HeaderLine[] {
  if (bytes[0] !== OPEN_OBJECT || bytes.length > limits.pullHeadersBytesMax) return [];
  const given = JSON.parse(new TextDecoder().decode(bytes)) as Readonly<Record<string, unknown>>;
  return Object.entries(given).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as const] : []));
}

function payloadOf(bytes: Uint8Array, at: number, end: number): Uint8Array | undefined {
  if (bytes[at] === NULL) return undefined;
  if (bytes[at] === QUOTE) return new TextEncoder().encode(jsonTextAt(bytes, at, end));
  return bytes.subarray(at, end);
}
