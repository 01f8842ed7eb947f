import { RequestError } from '../../kernel/errors.ts';
import type { HttpRequest } from '../../ports/http.ts';
import { checkSignatureShape } from './signature-shape.ts';
import { TERMINATOR, type Scope } from './signing-key.ts';

/** What a request says of its own signature. */
export interface Authorization {
  readonly accessKeyId: string;
  readonly scope: Scope;
  /** Lower-case names, sorted. */
  readonly signedHeaders: readonly string[];
  /** 64 hex digits. */
  readonly signature: string;
  /** When it was signed: the text that was signed, and the moment in ms. */
  readonly date: string;
  readonly at: number;
  /** A session's token, of the header or the query. */
  readonly token: string | undefined;
  /** How long it is good, in seconds; absent when signed in the headers. */
  readonly expiresSeconds?: number;
}

/** How long a signature in the query is good when it does not say so, and at most: as on AWS. */
const EXPIRES_SECONDS = 300;
const EXPIRES_SECONDS_MAX = 7 * 24 * 3600;
const SCHEME = 'AWS4-HMAC-SHA256';
/** What every SDK sends. */
const USUAL = /^AWS4-HMAC-SHA256 Credential=([^\s,]+), ?SignedHeaders=([^\s,]+), ?Signature=([^\s,]+)$/;
const PART = /^(Credential|SignedHeaders|Signature)=(\S*)$/;
/** Header names as signers write them: lower case, and nothing that could end a line. */
const HEADER_NAMES = /^(:authority|[a-z\d!#$%&'*+.^_`|~-]+)(;(:authority|[a-z\d!#$%&'*+.^_`|~-]+))*$/;
const SIGNATURE = /^[\da-f]{64}$/;
const BASIC_DATE = /^([1-9]\d{3})(\d\d)(\d\d)T([01]\d|2[0-3])([0-5]\d)([0-5]\d)Z$/;
const QUERY_NAMES = ['Algorithm', 'Credential', 'Date', 'Expires', 'Security-Token', 'Signature', 'SignedHeaders'];

/**
 * Reads how a request is signed, in its Authorization header or in its query. Throws RequestErrors
 * MissingAuthenticationTokenException, IncompleteSignatureException, InvalidSignatureException; they never repeat what
 * was sent.
 */
export function readAuthorization(request: HttpRequest): Authorization {
  checkSignatureShape(request);
  const { authorization } = request.headers;
  return authorization === undefined ? ofQuery(request) : ofHeader(authorization, request);
}

function ofHeader(header: string, { headers }: HttpRequest): Authorization {
  const [, credential, signedHeaders, signature] = USUAL.exec(header) ?? partsOf(header);
  return {
    ...readParts(credential, signedHeaders, signature),
    ...readDate(headers['x-amz-date'] ?? headers['date'] ?? ''),
    token: headers['x-amz-security-token'],
  };
}

/** The header, then its parts in the usual order, however they stand. */
function partsOf(header: string): readonly (string | undefined)[] {
  const parts = new Map<string, string>();
  for (const part of header.trim().slice(SCHEME.length).split(',')) {
    const [, name, value = ''] = PART.exec(part.trim()) ?? [];
    if (name === undefined || parts.has(name)) {
      throw incomplete('Authorization header has one each of Credential, SignedHeaders and Signature, and no more.');
    }
    parts.set(name, value);
  }
  return [header, parts.get('Credential'), parts.get('SignedHeaders'), parts.get('Signature')];
}

function ofQuery(request: HttpRequest): Authorization {
  const query = new URLSearchParams(request.query);
  for (const name of QUERY_NAMES) {
    if (query.getAll(`X-Amz-${name}`).length > 1) {
      throw incomplete(`AWS query-string parameters must include 'X-Amz-${name}' once.`);
    }
  }
  const one = (name: string): string => query.get(`X-Amz-${name}`) ?? '';
  if (one('Algorithm') !== SCHEME) throw incomplete(`The algorithm must be ${SCHEME}.`);
  const expires = query.get('X-Amz-Expires') ?? String(EXPIRES_SECONDS);
  if (!/^[1-9]\d{0,5}$/.test(expires) || Number(expires) > EXPIRES_SECONDS_MAX) {
    throw incomplete(`X-Amz-Expires must be a number of seconds from 1 to ${EXPIRES_SECONDS_MAX}.`);
  }
  return {
    ...readParts(one('Credential'), one('SignedHeaders'), one('Signature')),
    ...readDate(one('Date')),
    token: query.get('X-Amz-Security-Token') ?? request.headers['x-amz-security-token'],
    expiresSeconds: Number(expires),
  };
}

function readParts(credential = '', headers = '', signature = ''): Omit<Authorization, 'date' | 'at' | 'token'> {
  const [accessKeyId = '', date = '', region = '', service = '', terminator, ...rest] = credential.split('/');
  if (terminator === undefined || rest.length > 0) {
    throw incomplete('Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.');
  }
  if (terminator !== TERMINATOR) {
    throw invalid(`Credential should be scoped with a valid terminator: '${TERMINATOR}'.`);
  }
  const signedHeaders = headers.split(';');
  const isSorted = signedHeaders.every((name, index) => index === 0 || (signedHeaders[index - 1] ?? '') < name);
  if (!HEADER_NAMES.test(headers) || !isSorted) {
    throw incomplete('SignedHeaders must be names in lower case, sorted, each once, with ; between them.');
  }
  if (!SIGNATURE.test(signature)) throw incomplete('Signature must be 64 hexadecimal digits in lower case.');
  return { accessKeyId, scope: { date, region, service }, signedHeaders, signature };
}

/** ISO 8601 basic, or as the Date header is written. */
function readDate(given: string): { readonly date: string; readonly at: number } {
  const basic = BASIC_DATE.exec(given);
  const at = basic === null ? Date.parse(given) : basicTime(basic);
  if (Number.isNaN(at) || (basic === null && new Date(at).toUTCString() !== given)) {
    throw incomplete("Date must be in ISO-8601 'basic format'. See http://en.wikipedia.org/wiki/ISO_8601");
  }
  return { date: basic === null ? basicDate(at) : given, at };
}

/** In ms; NaN for a day that is none, such as the 31st of February, which would come out as another one. */
function basicTime(parts: RegExpExecArray): number {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number);
  const at = Date.UTC(year, month - 1, day, hour, minute, second);
  return new Date(at).getUTCDate() === day && month >= 1 && month <= 12 ? at : Number.NaN;
}

/** `20260131T120000Z`. */
export function basicDate(ms: number): string {
  return new Date(ms).toISOString().replaceAll(/[-:]|\.\d+/g, '');
}

function incomplete(sentence: string): RequestError {
  return new RequestError('IncompleteSignatureException', sentence);
}

function invalid(sentence: string): RequestError {
  return new RequestError('InvalidSignatureException', sentence);
}
