import type { SeededRandom } from '../../environments/simulated/chance.ts';

/** One connection as a hostile sender may write it. */
export interface HostileScript {
  /** Well-formed requests before it, each answered before the next is sent. */
  readonly before: number;
  /** The bytes of the odd request, in the pieces in which they are sent. */
  readonly pieces: readonly Buffer[];
}

const METHODS = ['GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'];
const ODD_METHODS = ['get', 'BREW', 'TRACE', 'PROPFIND', 'CONNECT', 'PRI', 'P', '', 'GET\t', 'P OST', 'QUERY'];
const TARGETS = ['/read', '/read?x=1', '/unread', '/refuse', '/bytes?y', '/text', '/empty', '/closes', '//', '/%zz?=&'];
const ODD_TARGETS = [
  '*', 'http://localhost/read', 'http://evil.example/read', 'read', '', '/read#f', '/read?a#f', '/re ad', '/r\u00e9ad',
  '/\u007f', '/\t', '/"<>\\^`{|}', '/..', 'ftp://x/', 'localhost:80', `/${'a'.repeat(17_000)}`, '/a\u0000b',
]; // prettier-ignore
const ODD_VERSIONS = [
  'HTTP/1.0',
  'HTTP/1.1 ',
  'http/1.1',
  'HTTP/2.0',
  'HTTP/1.2',
  'HTTP/11',
  'HTTP/1.1\t',
  '',
  'HTTP/1,1',
];
const ODD_HOSTS = [
  [], ['evil.example'], ['localhost', 'localhost'], ['localhost', 'evil.example'], [''], ['localhost:99999'],
  [' localhost '], ['local host'],
]; // prettier-ignore
const CONNECTIONS = ['keep-alive', 'close', 'Keep-Alive', 'CLOSE', 'close, te', 'foo', '', 'keep-alive, close'];
const ENDS = ['\n', '\r', '\r\r\n', '\n\r\n', '\r\n\r\n', ' \r\n'];
const FIELDS = [
  'X-A: b', 'x-a:b', 'x-a:  b', 'x-a:\tb', 'x-a: b ', 'x-a: b\t', 'x-a: b  c', 'x-a:', 'x-a: ', 'x-a : b', 'x a: b', ': b',
  'x-a', ' x-a: b', 'x-a: b\r\n c', 'x_a: b', 'x(a: b', 'x\u00e9: b', 'x-a: \u00e9', 'x-a: \u0000', 'x-a: \u0001',
  'x-a: \u007f', '__proto__: b', 'constructor: b', 'cookie: a=1\r\ncookie: b=2', 'set-cookie: a\r\nset-cookie: b',
  'x-a: 1\r\nX-A: 2', 'age: 1\r\nage: 2', 'accept: */*', 'user-agent: someone/1.0 (like; x)', 'expect: 100-continue',
  'expect: tea', 'te: trailers', 'proxy-connection: close',
  'origin: https://page.example', 'origin: https://evil.example', 'access-control-request-method: POST',
  'content-type: application/x-amz-json-1.1', `x-long: ${'v'.repeat(9000)}`, 'keep-alive: timeout=1', 'http2-settings: x',
]; // prettier-ignore
const CODINGS = ['chunked', 'identity', 'chunked, chunked', 'xchunked', 'gzip, chunked', 'Chunked', 'chunked\r\nX: y'];

/** Draws a script; one seed gives one script. */
export function hostileScript(random: SeededRandom): HostileScript {
  const body = Buffer.alloc(random.fraction() < 0.02 ? 70_000 : random.below(300), random.below(256));
  let bytes: Buffer = Buffer.concat([Buffer.from(head(random, body.length), 'latin1'), framed(random, body)]);
  if (random.chance(0.25)) bytes = mutated(random, bytes);
  return { before: random.below(3), pieces: split(random, bytes) };
}

function head(random: SeededRandom, bodyBytes: number): string {
  const method = random.chance(0.95) ? pick(random, METHODS) : pick(random, ODD_METHODS);
  const target = random.chance(0.92) ? pick(random, TARGETS) : pick(random, ODD_TARGETS);
  const version = random.chance(0.97) ? 'HTTP/1.1' : pick(random, ODD_VERSIONS);
  const lines = [`${method} ${target} ${version}`];
  for (const host of random.chance(0.95) ? ['localhost'] : pick(random, ODD_HOSTS)) lines.push(`Host: ${host}`);
  lines.push(...lengths(random, bodyBytes));
  if (random.chance(0.2)) lines.push(`Connection: ${pick(random, CONNECTIONS)}`);
  while (random.chance(0.4)) lines.splice(1 + random.below(lines.length), 0, pick(random, FIELDS));
  if (random.chance(0.01)) for (let index = 0; index < 200; index += 1) lines.push(`x-${index}: v`);
  const end = (): string => (random.chance(0.99) ? '\r\n' : pick(random, ENDS));
  const before = random.chance(0.02) ? pick(random, ['\r\n', '\n', ' ', '\u0000', '\r\n\r\n']) : '';
  return `${before}${lines.map((line) => line + end()).join('')}${end()}`;
}

function lengths(random: SeededRandom, bytes: number): string[] {
  if (random.chance(0.75)) return bytes === 0 && random.chance(0.5) ? [] : [`Content-Length: ${bytes}`];
  if (random.chance(0.3)) return [`Transfer-Encoding: ${pick(random, CODINGS)}`];
  const odd = [
    `+${bytes}`, `-${bytes}`, `0x${bytes}`, `0${bytes}`, `${bytes}.0`, `${bytes}, ${bytes}`, '', ` ${bytes} `, `${bytes} 1`,
    `${bytes + 1}`, `${Math.max(0, bytes - 1)}`, '1e2', '9'.repeat(20), '\t3', `${bytes}\r\nContent-Length: ${bytes}`,
    `${bytes}\r\ncontent-length: ${bytes + 1}`, `${bytes}\r\nTransfer-Encoding: chunked`, '\u0661', '0', '00',
  ]; // prettier-ignore
  return [`Content-Length: ${pick(random, odd)}`];
}

function framed(random: SeededRandom, body: Buffer): Buffer {
  if (random.chance(0.93)) return body;
  const chunks = [`${body.length.toString(16)}\r\n`, body, '\r\n0\r\n\r\n'].map((part) =>
    Buffer.from(part as string, 'latin1'),
  );
  return Buffer.concat(chunks);
}

function mutated(random: SeededRandom, bytes: Buffer): Buffer {
  const at = random.below(Math.min(bytes.length, 400));
  const byte = Buffer.from([
    random.chance(0.5) ? pick(random, [0, 9, 10, 13, 32, 35, 58, 127, 128, 255]) : random.below(256),
  ]);
  const kind = random.below(3);
  return Buffer.concat([
    bytes.subarray(0, at),
    kind === 1 ? Buffer.alloc(0) : byte,
    bytes.subarray(kind === 2 ? at : at + 1),
  ]);
}

function split(random: SeededRandom, bytes: Buffer): Buffer[] {
  if (random.chance(0.5)) return [bytes];
  const places = Array.from({ length: 1 + random.below(3) }, () => random.below(bytes.length + 1)).sort(
    (a, b) => a - b,
  );
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length));
}

function pick<T>(random: SeededRandom, of: readonly T[]): T {
  return of[random.below(of.length)] as T;
}
