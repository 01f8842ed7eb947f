import { awsRequest, rawRequest, type RawRequest, type Sending } from './raw.ts';
import { ROUTE, signed, type Subject } from './subject.ts';

/** One hostile request; without a status, any 4xx or a closed connection will do. */
export interface Case {
  readonly what: string;
  readonly bytes: string | Uint8Array;
  readonly sending?: Sending;
  readonly status?: number;
}

const MIB = 1024 * 1024;
const CUT = { halfClose: true } as const;
const CHUNKED = { 'content-length': undefined, 'transfer-encoding': 'chunked' };

type Row = readonly [what: string, request: RawRequest, status?: number | undefined, sending?: Sending];

function cases(rows: readonly Row[], build: (request: RawRequest) => Uint8Array): Case[] {
  return rows.map(([what, request, status, sending]) => ({
    what,
    bytes: build(request),
    ...(status !== undefined && { status }),
    ...(sending !== undefined && { sending }),
  }));
}

function raw(rows: readonly (readonly [what: string, bytes: string])[]): Case[] {
  return rows.map(([what, bytes]) => ({ what, bytes: Buffer.from(bytes, 'latin1'), sending: CUT }));
}

const BODIES: readonly (readonly [what: string, body: string | Uint8Array])[] = [
  ['no body', ''],
  ['an open brace', '{'],
  ['an open member', '{"Limit":'],
  ['a trailing comma', '{"Limit":1,}'],
  ['single quotes', "{'Limit':1}"],
  ['two values', '{}{}'],
  ['a number with a leading zero', '{"Limit":01}'],
  ['NaN', '{"Limit":NaN}'],
  ['a number beyond all', '{"Limit":1e999999}'],
  ['a number of 100,000 digits', `{"Limit":${'9'.repeat(100_000)}}`],
  ['a list', '[]'],
  ['a text', '"x"'],
  ['a number', '1'],
  ['null', 'null'],
  ['a byte order mark of UTF-16', Buffer.from('\ufeff{}', 'utf16le')],
  ['bytes that are no UTF-8', Buffer.from('7b224c696d6974223aff7d', 'hex')],
  ['an overlong encoding', Buffer.from('7b22c080223a317d', 'hex')],
  ['a surrogate in UTF-8', Buffer.from('7b22eda080223a317d', 'hex')],
  ['a raw control character in a text', '{"ExclusiveStartStreamName":"\u0000"}'],
  ['a lone surrogate', '{"ExclusiveStartStreamName":"\\ud800"}'],
  ['lists 1,000,000 deep', '['.repeat(MIB)],
  ['closed lists 100,000 deep', `{"Limit":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
  ['structures 100,000 deep', `${'{"Limit":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
  ['__proto__ as a member that counts', '{"__proto__":{"Limit":1},"Limit":{"__proto__":1}}'],
  ['constructor.prototype', '{"constructor":{"prototype":{"Limit":1}},"Limit":[1]}'],
];

/** Requests that HTTP can carry and the api must not. */
export function brokenRequests(api: string): Case[] {
  const { host } = new URL(api);
  const target = (name: string | undefined): RawRequest => ({ headers: { 'x-amz-target': name } });
  const type = (name: string | undefined): RawRequest => ({ headers: { 'content-type': name } });
  const auth = (text: string | undefined): RawRequest => ({ headers: { authorization: text } });
  const rows: readonly Row[] = [
    ...BODIES.map(([what, body]): Row => [what, { body }, 400]),
    ...['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND'].map((method): Row => [
      method,
      { line: `${method} / HTTP/1.1` },
      405,
    ]),
    ['an unknown method', { line: 'BREW / HTTP/1.1' }, 400],
    ['CONNECT', { line: `CONNECT ${host} HTTP/1.1` }, 405],
    ['the target *', { line: 'OPTIONS * HTTP/1.1' }],
    ['a foreign absolute target', { line: 'POST http://foreign.example/ HTTP/1.1' }, 403],
    ['an absolute target of another scheme', { line: 'POST ftp://localhost/ HTTP/1.1' }],
    ['a target without a slash', { line: 'POST x HTTP/1.1' }],
    ['dots', { line: 'POST /../../etc/passwd HTTP/1.1' }, 404],
    ['a path', { line: 'POST /nowhere HTTP/1.1' }, 404],
    ['an endless path', { line: `POST /${'a'.repeat(33_000)} HTTP/1.1` }, 431],
    ['no Host', { headers: { host: undefined } }, 400],
    ['two Hosts', { lines: ['host: foreign.example'] }, 400],
    ['an empty Host', { headers: { host: '' } }, 403],
    ['a foreign Host', { headers: { host: 'foreign.example' } }, 403],
    ['a foreign Host that ends as ours', { headers: { host: 'foreign.localhost.example' } }, 403],
    ['a Host with a user', { headers: { host: `localhost@foreign.example` } }, 403],
    ['a foreign Origin', { headers: { origin: 'https://foreign.example' } }, 403],
    ['an opaque Origin', { headers: { origin: 'null' } }, 403],
    ['our Origin with another port', { headers: { origin: 'http://127.0.0.1:1' } }, 403],
    ['no X-Amz-Target', target(undefined), 400],
    ['an unknown target', target('Kinesis_20131202.MakeCoffee'), 400],
    ['another service', target('DynamoDB_20120810.ListTables'), 400],
    ['a target of every object', target('constructor'), 400],
    ['a target __proto__', target('Kinesis_20131202.__proto__'), 400],
    ['two targets', { lines: ['x-amz-target: Kinesis_20131202.ListStreams'] }, 400],
    ['no Authorization', auth(undefined), 400],
    ['a bearer token', auth('Bearer x'), 400],
    ['an algorithm alone', auth('AWS4-HMAC-SHA256'), 400],
    ['another algorithm', auth('AWS4-X Credential=a, SignedHeaders=b, Signature=c'), 400],
    ['half a signed query', { line: 'POST /?X-Amz-Algorithm=x HTTP/1.1', headers: { authorization: undefined } }, 400],
    ['a signed query and a header', { line: 'POST /?X-Amz-Algorithm=x HTTP/1.1' }, 400],
    ['no Content-Type', type(undefined), 400],
    ['text', type('text/plain'), 400],
    ['XML', type('application/xml'), 400],
    ['JSON said to be CBOR', type('application/x-amz-cbor-1.1'), 400],
    ['JSON of another version', type('application/x-amz-json-9.9'), 400],
    ['a compressed body', { headers: { 'content-encoding': 'gzip' }, body: Buffer.from('1f8b08', 'hex') }, 400],
    ['Expect', { headers: { expect: '200-ok' } }, 417],
    ['Expect for a body that is too large', { headers: { expect: '100-continue', 'content-length': '99999999' } }, 413],
    ['one header of 33,000 bytes', { headers: { 'x-long': 'a'.repeat(33_000) } }, 431],
    // So much is under way that the reset may overtake the answer.
    ['one header of 8 MiB', { headers: { 'x-long': 'a'.repeat(8 * MIB) } }],
    ['201 headers', { lines: Array.from({ length: 194 }, (_, index) => `x-${index}: ${index}`) }, 431],
    ['2,500 headers', { lines: Array.from({ length: 2500 }, (_, index) => `x-${index}: ${index}`) }, 431],
    ...adminPaths().map((path): Row => [path, { line: `GET ${path} HTTP/1.1` }]),
  ];
  return cases(rows, (request) => awsRequest(api, request));
}

/** The admin's own parameters and tokens. */
function adminPaths(): string[] {
  const records = '/admin/streams/conformance-hooks/records';
  return [
    '/admin/',
    '/admin/streams/__proto__',
    '/admin/streams/%00',
    '/admin/streams/%',
    '/admin/streams/%24dedupe',
    '/admin/streams/..%2f..',
    `${records}?limit=-1`,
    `${records}?limit=1e99`,
    `${records}?waitMs=-1`,
    `${records}?from=nowhere`,
    `${records}?after=garbage`,
    `${records}?after=shardId-000000000000:-1`,
    `${records}?after=shardId-000000000000%3A${'9'.repeat(200)}`,
    `${records}?after=shardId-999999999999%3A1`,
    '/admin/deliveries/__proto__',
    '/admin/deliveries/nowhere/flush',
    '/admin/buckets/..%2f..%2fetc',
    '/admin/buckets/%2e%2e',
    '/admin/buckets/conformance?limit=0',
  ];
}

/** Bytes that are no HTTP, or HTTP that contradicts itself. */
export function brokenFraming(api: string): Case[] {
  const { host } = new URL(api);
  const smuggled = 'GET /readyz HTTP/1.1\r\n\r\n';
  const rows: readonly Row[] = [
    ['a length that is no number', { headers: { 'content-length': 'ten' } }, 400],
    ['a negative length', { headers: { 'content-length': '-1' } }, 400],
    ['a length with a sign', { headers: { 'content-length': '+2' } }, 400],
    ['a hexadecimal length', { headers: { 'content-length': '0x2' } }, 400],
    ['a length beyond all', { headers: { 'content-length': '9'.repeat(30) } }],
    ['a length of 1 TiB', { headers: { 'content-length': String(MIB * MIB) } }, 413],
    ['two lengths', { lines: ['content-length: 3'] }, 400],
    ['a length and chunks', { headers: { 'transfer-encoding': 'chunked' }, body: '0\r\n\r\n' }, 400],
    ['a coding that is unknown', { headers: { ...CHUNKED, 'transfer-encoding': 'zip' } }, 400],
    ['chunked twice', { headers: { ...CHUNKED, 'transfer-encoding': 'chunked, chunked' } }],
    ['a body that is cut', { headers: { 'content-length': '100' } }, undefined, CUT],
    ['a body that is cut at once', { headers: { 'content-length': '100' }, body: '' }, undefined, CUT],
    ['chunks that are cut', { headers: CHUNKED, body: '2\r\n{}\r\n' }, undefined, CUT],
    ['a chunk that is cut', { headers: CHUNKED, body: 'ff\r\n{}' }, undefined, CUT],
    ['a chunk size that is no number', { headers: CHUNKED, body: 'zz\r\n{}\r\n0\r\n\r\n' }, undefined, CUT],
    ['a negative chunk size', { headers: CHUNKED, body: '-2\r\n{}\r\n0\r\n\r\n' }, undefined, CUT],
    ['a chunk size beyond all', { headers: CHUNKED, body: `${'f'.repeat(40)}\r\n{}\r\n0\r\n\r\n` }, undefined, CUT],
    ['a chunk without its end', { headers: CHUNKED, body: '2\r\n{}0\r\n\r\n' }, undefined, CUT],
    [
      'a chunk extension without end',
      { headers: CHUNKED, body: `2;${'a'.repeat(100_000)}\r\n{}\r\n0\r\n\r\n` },
      undefined,
      CUT,
    ],
    [
      'trailers without end',
      { headers: CHUNKED, body: `2\r\n{}\r\n0\r\n${'a: b\r\n'.repeat(20_000)}\r\n` },
      undefined,
      CUT,
    ],
    ['chunks of 17 MiB', { headers: CHUNKED, body: chunks(17) }, 413],
    ['a space before the colon', { lines: ['x-a : b'] }, 400],
    ['a folded header', { lines: ['x-a: b', ' c'] }],
    ['a header without a name', { lines: [': b'] }, 400],
    ['a header without a colon', { lines: ['nonsense'] }, 400],
    ['a zero byte in a header', { lines: ['x-a: \u0000'] }, 400],
    ['HTTP of another version', { line: 'POST / HTTP/9.9' }, 400],
  ];
  const noise = Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 167 + 13) % 256));
  return [
    ...cases(rows, (request) => awsRequest(api, request)),
    ...raw([
      ['HTTP/0.9', 'GET /\r\n\r\n'],
      ['an HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u0000\u0000\u0000\u0004\u0000\u0000\u0000\u0000\u0000'],
      ['a TLS greeting', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003'],
      ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n'],
      ['bare line feeds', `POST / HTTP/1.1\nhost: ${host}\ncontent-length: 2\n\n{}`],
      ['noise', noise.toString('latin1')],
      ['nothing', ''],
      ['a request line alone', 'POST / HTTP/1.1\r\n'],
      ['a request smuggled behind a Host that is missing', `POST / HTTP/1.1\r\n\r\n${smuggled}`],
    ]),
  ];
}

function chunks(mib: number): string {
  return `${MIB.toString(16)}\r\n${'x'.repeat(MIB)}\r\n`.repeat(mib);
}

/** Hostile webhooks; those that are signed would be taken if they were whole. */
export function gatewayRequests({ gateway }: Subject): Case[] {
  const body = '{"refused":true}';
  const own = {
    'content-type': 'application/json',
    'x-github-delivery': 'conformance-refused-malformed',
    'x-hub-signature-256': signed(body),
  };
  const announced = { 'content-length': String(body.length + 1) };
  const rows: readonly Row[] = [
    ['a webhook that is cut', { body, headers: announced }, undefined, CUT],
    ['chunks that are cut', { body: `10\r\n${body}\r\n`, headers: CHUNKED }, undefined, CUT],
    ['chunks of 3 MiB', { body: chunks(3), headers: CHUNKED }, 413],
    ['a length beyond the record size', { body, headers: { 'content-length': '99999999' } }, 413],
    ['a body that is not the signed one', { body: body.replace('true', 'null') }, 401],
    ['bytes that are no UTF-8', { body: Buffer.from('fffe00', 'hex') }, 401],
    ['two signatures', { body, lines: [`x-hub-signature-256: ${signed(body)}`] }, 401],
    ['a signature of 20,000 characters', { body, headers: { 'x-hub-signature-256': 'sha256='.repeat(3000) } }, 401],
    ['an id of 300 characters', { body, headers: { 'x-github-delivery': 'i'.repeat(300) } }, 400],
    ['two types', { body, lines: ['content-type: text/plain'], headers: { 'content-type': 'text/plain' } }, 415],
    ['no type', { body, headers: { 'content-type': undefined } }, 415],
    ['a body that is not compressed as it says', { body, headers: { 'content-encoding': 'br' } }, 400],
    ['Expect', { body, headers: { expect: 'a miracle' } }, 417],
    [
      'Expect without a signature',
      { body, headers: { expect: '100-continue', 'x-hub-signature-256': undefined } },
      401,
    ],
    ['no Host', { body, headers: { host: undefined } }, 400],
    ['a method', { body, line: `PUT ${ROUTE} HTTP/1.1` }, 405],
    ['an unknown method', { body, line: `HOOK ${ROUTE} HTTP/1.1` }, 400],
    ['a path of every object', { body, line: 'POST /__proto__ HTTP/1.1' }, 404],
    ['an encoded path', { body, line: 'POST /conformance%2Fhook HTTP/1.1' }, 404],
    ['a broken escape', { body, line: 'POST /% HTTP/1.1' }, 404],
    [
      'an upgrade',
      { body, line: 'GET / HTTP/1.1', headers: { connection: 'upgrade, close', upgrade: 'websocket' } },
      404,
    ],
    ['AWS', { body, line: 'POST / HTTP/1.1', headers: { 'x-amz-target': 'Kinesis_20131202.ListStreams' } }, 404],
    ['a header of 33,000 bytes', { body, headers: { 'x-long': 'a'.repeat(33_000) } }, 431],
    ['a length and chunks', { body, headers: { 'transfer-encoding': 'chunked' } }, 400],
  ];
  return cases(rows, (request) => rawRequest(gateway, `POST ${ROUTE} HTTP/1.1`, own, request));
}
