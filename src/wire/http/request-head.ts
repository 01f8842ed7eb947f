import type { HeaderLine } from '../../ports/http.ts';
import { httpLimits } from './limits.ts';

/** The head of one request as every sender usually writes it. */
export interface RequestHead {
  readonly method: string;
  /** Starts with `/`. */
  readonly target: string;
  /** Lower-case names, each once; Host is among them. */
  readonly headers: Readonly<Record<string, string>>;
  /** The lines of the fields as they came, each with its end. */
  readonly fields: string;
  readonly contentLength: number;
  /** False: the sender wants the connection closed after the answer. */
  readonly isKept: boolean;
  /** Bytes of the head with its empty line. */
  readonly length: number;
}

const METHODS = '(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH)';
/** Visible ASCII without `#`. */
const TARGET = '\\/[!"$-~]*';
/** One blank or none before the value, blanks inside, none behind. */
const FIELD = '[A-Za-z\\d-]+: ?(?:[!-~]+(?: +[!-~]+)*)?\\r\\n';
const WHOLE = new RegExp(`^${METHODS} ${TARGET} HTTP/1\\.1\\r\\n(?:${FIELD})+$`);
const LINES = new RegExp(`^${METHODS} ${TARGET} HTTP/1\\.1\\r\\n(?:${FIELD})*$`);
const FIRST_LINE = new RegExp(`^${METHODS} ${TARGET}(?: [HTP/1.]{0,8}\\r?)?$`);
const CONTENT_LENGTH = /^(?:0|[1-9]\d{0,14})$/;
const SPACE = 32;

/** Headers that change how the rest is to be read, or how one goes on: none of them is usual. */
const UNUSUAL: ReadonlySet<string> = new Set([
  'expect',
  'transfer-encoding',
  'upgrade',
  'proxy-connection',
  'http2-settings',
]);

/** Names as SDKs write them, to the name in lower case: looking one up is cheaper than making it anew each time. */
const USUAL_NAMES: ReadonlyMap<string, string> = new Map(
  [
    'Accept', 'Accept-Encoding', 'Authorization', 'Connection', 'Content-Length', 'Content-Type', 'Host', 'Origin',
    'User-Agent', 'X-Amz-Content-Sha256', 'X-Amz-Date', 'X-Amz-Security-Token', 'X-Amz-Target', 'X-Amz-User-Agent',
    'X-GitHub-Delivery', 'X-GitHub-Event', 'X-Hub-Signature-256', 'amz-sdk-invocation-id', 'amz-sdk-request',
  ].flatMap((name) => [[name, name.toLowerCase()], [name.toLowerCase(), name.toLowerCase()]]),
); // prettier-ignore

/**
 * Reads the head at the start of `bytes`. Whatever is not written as usual senders do is `unusual`, right or wrong:
 * that is for the platform's parser. So this one never has to decide what odd bytes mean, and cannot differ about it.
 * `partial`: usual as far as it came.
 */
export function readHead(bytes: Buffer): RequestHead | 'partial' | 'unusual' {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return isUsualSoFar(bytes) ? 'partial' : 'unusual';
  if (end > httpLimits.usualHeadBytesMax) return 'unusual';
  const text = bytes.toString('latin1', 0, end + 2);
  if (!WHOLE.test(text)) return 'unusual';
  const lineEnd = text.indexOf('\r\n');
  const space = text.indexOf(' ');
  const headers = readFields(text, lineEnd + 2);
  if (headers === undefined) return 'unusual';
  const announced = headers['content-length'] ?? '0';
  const connection = headers['connection']?.toLowerCase() ?? 'keep-alive';
  if (headers['host'] === undefined || !CONTENT_LENGTH.test(announced)) return 'unusual';
  if (connection !== 'keep-alive' && connection !== 'close') return 'unusual';
  return {
    method: text.slice(0, space),
    target: text.slice(space + 1, lineEnd - ' HTTP/1.1'.length),
    headers,
    fields: text.slice(lineEnd + 2),
    contentLength: Number(announced),
    isKept: connection === 'keep-alive',
    length: end + 4,
  };
}

/** The fields one by one, as they were written. */
export function fieldLines(fields: string): HeaderLine[] {
  return fields.split('\r\n', httpLimits.headersMax).flatMap((line): HeaderLine[] => {
    const colon = line.indexOf(':');
    return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1).trim()]];
  });
}

/** The fields by name; undefined when one is unusual, or there twice. `text` was checked. */
function readFields(text: string, start: number): Readonly<Record<string, string>> | undefined {
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  let count = 0;
  for (let at = start; at < text.length;) {
    const colon = text.indexOf(':', at);
    const end = text.indexOf('\r\n', colon);
    const written = text.slice(at, colon);
    const name = USUAL_NAMES.get(written) ?? written.toLowerCase();
    const isSpaced = text.charCodeAt(colon + 1) === SPACE;
    if (headers[name] !== undefined || UNUSUAL.has(name)) return undefined;
    headers[name] = text.slice(isSpaced ? colon + 2 : colon + 1, end);
    count += 1;
    at = end + 2;
  }
  return count > httpLimits.headersMax ? undefined : headers;
}

/** Whether more bytes can make a usual head of these. */
function isUsualSoFar(bytes: Buffer): boolean {
  if (bytes.length > httpLimits.usualHeadBytesMax) return false;
  const text = bytes.toString('latin1');
  const end = text.lastIndexOf('\n') + 1;
  return end === 0 ? FIRST_LINE.test(text) : LINES.test(text.slice(0, end));
}
