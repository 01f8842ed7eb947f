import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { signRequest } from '../wire/sigv4/sign.ts';
import { withNode } from './key-pairs.fixture.ts';

const PAIR = { accessKeyId: 'KEY', secretAccessKey: 'the secret of this pair' };
const BODY = '{}';

/** What is sent in place of a request that is all right. */
interface Change {
  readonly start?: string;
  /** Instead of those that are signed; undefined: left out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** Lines behind all others. */
  readonly more?: readonly string[];
}

/** The whole answer to one request, as bytes stand on the wire. */
async function spoken(api: string, text: string): Promise<string> {
  const socket = connect(Number(new URL(api).port), '127.0.0.1');
  socket.setEncoding('latin1').setTimeout(10_000, () => socket.destroy());
  socket.write(Buffer.from(text, 'latin1'));
  let answer = '';
  for await (const piece of socket) answer += piece as string;
  return answer;
}

function request(api: string, { start = 'POST / HTTP/1.1', headers: changed, more = [] }: Change): string {
  const url = new URL(`${api}/`);
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'Kinesis_20131202.ListStreams' };
  const signing = { ...PAIR, region: 'us-east-1', service: 'kinesis', now: Date.now() };
  const signed = signRequest({ method: 'POST', url, headers, body: BODY }, signing);
  const lines = Object.entries({ host: url.host, ...signed, ...changed }).map(([name, value]) => {
    return value === undefined ? undefined : `${name}: ${value.replace('$&', signed[name] ?? '')}`;
  });
  const kept = lines.filter((line) => line !== undefined);
  return [start, ...kept, ...more, `content-length: ${BODY.length}`, 'connection: close', '', BODY].join('\r\n');
}

function presigned(change: Readonly<Record<string, string>>, more = ''): Change {
  const query = new URLSearchParams({
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': 'KEY/20260131/us-east-1/kinesis/aws4_request',
    'X-Amz-Date': '20260131T120000Z',
    'X-Amz-SignedHeaders': 'host;x-amz-target',
    'X-Amz-Signature': 'a'.repeat(64),
    ...change,
  });
  const headers = { authorization: undefined, 'x-amz-date': undefined };
  return { start: `POST /?${query.toString()}${more} HTTP/1.1`, headers };
}

/** Stands for the day on which a request is sent: midnight may come in between. */
const DAY = '<day>';
const scope = `KEY/${DAY}/us-east-1/kinesis/aws4_request`;
const authorized = (text: string): Change => ({ headers: { authorization: text } });
const listed = (names: string): Change => {
  return authorized(`AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=${names}, Signature=${'a'.repeat(64)}`);
};

const table: readonly (readonly [what: string, change: Change, status: number, said: string])[] = [
  ['nothing changed', {}, 200, 'StreamNames'],
  ['blanks and tabs', { headers: { authorization: ' \t $& \t ' } }, 200, 'StreamNames'],
  ['the scheme in small letters', authorized('aws4-hmac-sha256 Credential=a'), 400, 'MissingAuthenticationToken'],
  ['another scheme', authorized('Basic eDp5'), 400, 'MissingAuthenticationToken'],
  ['no scheme', authorized(''), 400, 'MissingAuthenticationToken'],
  ['another algorithm', authorized(`AWS4-NONE Credential=${scope}`), 400, 'The algorithm must be'],
  ['a second Authorization', { more: ['Authorization: Basic eDp5'] }, 200, 'StreamNames'],
  ['a second Authorization before it', { start: 'POST / HTTP/1.1\r\nAuthorization: Basic eDp5' }, 400, 'MissingAuthenticationToken'],
  ['a second date', { more: ['X-Amz-Date: 20260131T120000Z'] }, 400, 'IncompleteSignature'],
  ['a second target', { more: ['X-Amz-Target: Kinesis_20131202.DeleteStream'] }, 400, 'does not match'],
  ['a second type before it', { start: 'POST / HTTP/1.1\r\nContent-Type: application/json' }, 400, 'does not match'],
  ['a second Host', { more: ['Host: evil.example'] }, 400, 'a request has one Host'],
  ['another Host', { headers: { host: 'evil.example' } }, 403, 'does not answer to the host'],
  ['another port in Host', { headers: { host: '127.0.0.1:1' } }, 400, 'does not match'],
  ['a header of AWS more', { more: ['X-Amz-Meta: a'] }, 400, "'x-amz-meta' must be a 'SignedHeader'"],
  ['no payload signed', { more: ['X-Amz-Content-Sha256: UNSIGNED-PAYLOAD'] }, 400, "'x-amz-content-sha256' must be a 'SignedHeader'"],
  ['a session', { headers: { 'x-amz-security-token': 'token' } }, 400, 'security token included in the request is invalid'],
  ['no signed headers', listed(''), 400, 'SignedHeaders must be names'],
  ['signed headers that every object has', listed('__proto__;constructor;host;x-amz-date;x-amz-target'), 400, "The signed header '__proto__' is not in the request"],
  ['signed headers without end', listed(Array.from({ length: 2000 }, (_, one) => `a${one + 10_000}`).join(';')), 400, "'Host' or ':authority' must"],
  ['10,000 slashes', authorized(`AWS4-HMAC-SHA256 Credential=${'/'.repeat(10_000)}, SignedHeaders=host, Signature=aa`), 400, '5 slash-delimited'],
  ['10,000 commas', authorized(`AWS4-HMAC-SHA256 ${',='.repeat(10_000)}`), 400, 'IncompleteSignature'],
  ['a header of 100 KiB', authorized(`AWS4-HMAC-SHA256 ${'a'.repeat(100_000)}`), 431, 'headers take at most'],
  ['bytes that are no UTF-8', authorized(`AWS4-HMAC-SHA256 Credential=K\xff\xfeY/${scope}, SignedHeaders=host, Signature=\xff`), 400, 'IncompleteSignature'],
  ['a NUL', authorized('AWS4-HMAC-SHA256 \0'), 400, 'not HTTP/1.1'],
  ['a key of ours in other letters', authorized(`AWS4-HMAC-SHA256 Credential=key/20260131/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=${'a'.repeat(64)}`), 400, 'security token included in the request is invalid'],
  ['header and query', { start: 'POST /?X-Amz-Algorithm=AWS4-HMAC-SHA256 HTTP/1.1' }, 400, 'Found both'],
  ['a query that was not signed', { start: 'POST /?a=%ff&a=%&=&b HTTP/1.1' }, 400, 'does not match'],
  ['presigned by nobody', presigned({}), 400, 'Signature expired'],
  ['presigned twice', presigned({}, '&X-Amz-Signature=bb'), 400, "must include 'X-Amz-Signature' once"],
  ['presigned for ever', presigned({ 'X-Amz-Expires': '1e9' }), 400, 'X-Amz-Expires must be a number'],
  ['presigned on no day', presigned({ 'X-Amz-Date': '20260231T120000Z' }), 400, 'Date must be in ISO-8601'],
  ['presigned with broken escapes', presigned({}, '&X-Amz-Expires=%E0%A4%A'), 400, 'X-Amz-Expires must be a number'],
  ['presigned by bytes', presigned({ 'X-Amz-Credential': '\ud83d\0;%' }), 400, '5 slash-delimited'],
  ['a path that comes to the same', { start: 'POST /./ HTTP/1.1' }, 400, "correct service: 'millrace'"],
  ['a path out of one that is open', { start: 'GET /healthz/../metrics HTTP/1.1' }, 400, "correct service: 'millrace'"],
  ['an open path in capitals', { start: 'GET /HEALTHZ HTTP/1.1' }, 400, "correct service: 'millrace'"],
  ['a path that is no text', { start: 'GET /admin/streams/%ff HTTP/1.1' }, 400, "correct service: 'millrace'"],
  ['no path', { start: 'OPTIONS * HTTP/1.1' }, 400, "correct service: 'millrace'"],
  ['a whole URL of somebody else', { start: 'POST http://evil.example/ HTTP/1.1' }, 403, 'does not answer to the host'],
  ['another method', { start: 'TRACE / HTTP/1.1' }, 405, 'MethodNotAllowed'],
]; // prettier-ignore

test('what strangers try is refused, and is never a fault of ours', async () => {
  await withNode([PAIR], { streams: { mine: { ShardCount: 1 } } }, async ({ api }) => {
    for (const [what, change, status, said] of table) {
      const today = new Date().toISOString().slice(0, 10).replaceAll('-', '');
      const answer = await spoken(api, request(api, change).replaceAll(DAY, today));
      const line = answer.slice(0, answer.indexOf('\r\n'));
      assert.ok(line.startsWith(`HTTP/1.1 ${status} `), `${what}: ${line} ${answer.slice(-300)}`);
      assert.ok(answer.includes(said), `${what}: ${answer.slice(-300)}`);
      assert.ok(!answer.includes(PAIR.secretAccessKey), what);
    }
    const url = new URL(`${api}/metrics`);
    const signing = { ...PAIR, region: 'us-east-1', service: 'millrace', now: Date.now() };
    const headers = signRequest({ method: 'GET', url, headers: {}, body: '' }, signing);
    const metrics = await (await fetch(url, { headers })).text();
    assert.match(metrics, /^aws_unsigned_total\{code="InvalidSignatureException"\} [1-9]/m);
    assert.doesNotMatch(metrics, /^\w*(http_bugs|aws_failures)_total\b.* [1-9]/m);
  });
});
