/** The parts of a request that a signature covers. */
export interface SignedParts {
  readonly method: string;
  /** As sent, without query. */
  readonly path: string;
  /** As sent, without `?`. */
  readonly query: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Lower-case names, sorted. */
  readonly signedHeaders: readonly string[];
  /** SHA-256 of the body in hex. */
  readonly payloadHash: string;
}

/**
 * The request in the one form that both sides sign, as AWS writes it for every service but S3. Characters above U+007F
 * stand for one byte each, as headers are read.
 */
export function canonicalRequest(parts: SignedParts): string {
  const { method, path, query, headers, signedHeaders, payloadHash } = parts;
  let fields = '';
  for (const name of signedHeaders) fields += `${name}:${trimmed(signedValue(headers, name) ?? '')}\n`;
  const first = `${method}\n${canonicalPath(path)}\n${canonicalQuery(query)}`;
  return `${first}\n${fields}\n${signedHeaders.join(';')}\n${payloadHash}`;
}

/** What AWS's SDKs sign over HTTP/2 in place of `host`, under which it reaches us. */
export const AUTHORITY = ':authority';

/** What a request says under a name that is signed. */
export function signedValue(headers: Readonly<Record<string, string>>, name: string): string | undefined {
  return headers[name === AUTHORITY ? 'host' : name];
}

const UNTRIMMED = /\t| {2}|^ | $/;

/** Without blanks around it, and with one where there are more. */
function trimmed(value: string): string {
  // Nearly all values are so already, and looking is cheaper than making.
  if (!UNTRIMMED.test(value)) return value;
  return value.replaceAll(/[\t ]+/g, ' ').replaceAll(/^ | $/g, '');
}

/** Without empty and dotted segments, each encoded once more: only S3 signs its paths as they are sent. */
function canonicalPath(path: string): string {
  if (path === '/') return '/';
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(encode(segment));
  }
  return kept.length > 0 && path.endsWith('/') ? `/${kept.join('/')}/` : `/${kept.join('/')}`;
}

/** Sorted by name, then by value, as encoded; read by the same rules as those who look at the query later. */
function canonicalQuery(query: string): string {
  if (query === '') return '';
  const pairs: (readonly [string, string])[] = [];
  for (const [name, value] of new URLSearchParams(query)) {
    if (name !== 'X-Amz-Signature') pairs.push([encode(name), encode(value)]);
  }
  pairs.sort(([name, value], [otherName, otherValue]) => order(name, otherName) || order(value, otherValue));
  return pairs.map(([name, value]) => `${name}=${value}`).join('&');
}

function order(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

/** RFC 3986: all but letters, digits and `-_.~`. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
