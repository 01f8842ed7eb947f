import type { HttpAnswer } from '../../../ports/http.ts';

/** One header of an answer that a function made: name and value of whatever type. */
export type GivenHeader = readonly [name: string, value: unknown];

const NAME = /^[\w!#$%&'*+.^`|~-]{1,256}$/;
const UNFIT = /[^\t\x20-\x7e\x80-\xff]/;
/** The connection is ours, and so are the length and the id; HTTP/2 takes no answer with the others. */
const OURS: ReadonlySet<string> = new Set([
  'connection', 'content-length', 'http2-settings', 'keep-alive', 'proxy-connection', 'te', 'trailer',
  'transfer-encoding', 'upgrade', 'x-amzn-requestid',
]); // prettier-ignore
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * An answer of what a function returned; undefined when a part of it is no part of an answer. Header names become lower
 * case, repeated ones are joined, and each `Set-Cookie` stays one.
 */
export function functionAnswer(parts: {
  readonly statusCode: unknown;
  readonly headers: readonly GivenHeader[];
  readonly cookies: readonly unknown[];
  readonly body: unknown;
  readonly isBase64: unknown;
  readonly contentType: string;
}): HttpAnswer | undefined {
  const status = statusOf(parts.statusCode);
  const body = bodyOf(parts.body, parts.isBase64);
  const cookies = parts.cookies.filter((cookie) => typeof cookie === 'string' && !UNFIT.test(cookie)) as string[];
  if (status === undefined || body === undefined || cookies.length < parts.cookies.length) return undefined;
  const headers = new Map<string, string>();
  for (const [given, value] of parts.headers) {
    const name = given.toLowerCase();
    const text = headerText(value);
    if (text === undefined || !NAME.test(given)) return undefined;
    if (OURS.has(name)) continue;
    if (name === 'set-cookie') cookies.push(text);
    else headers.set(name, headers.has(name) ? `${headers.get(name)}, ${text}` : text);
  }
  if (!headers.has('content-type')) headers.set('content-type', parts.contentType);
  return {
    status,
    headers: Object.fromEntries(headers),
    ...(cookies.length > 0 && { cookies }),
    body: BODILESS.has(status) ? '' : body,
  };
}

/** Answers of 1xx go before another one: a function has no way to send both. */
function statusOf(value: unknown): number | undefined {
  const status = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value;
  return typeof status === 'number' && Number.isInteger(status) && status >= 200 && status <= 599 ? status : undefined;
}

function bodyOf(value: unknown, isBase64: unknown): string | Uint8Array | undefined {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') return undefined;
  return isBase64 === true ? Buffer.from(value, 'base64') : value;
}

function headerText(value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined;
  const text = String(value);
  return UNFIT.test(text) ? undefined : text;
}
