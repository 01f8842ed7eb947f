import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { test } from 'node:test';
import {
  array, assert as property, asyncProperty, boolean, constantFrom, dictionary, nat, oneof, pre, record, string,
  stringMatching, type Arbitrary,
} from 'fast-check'; // prettier-ignore
import { RequestError } from '../../kernel/errors.ts';
import { fakeRequest, type FakeRequest } from '../../testing/fake-request.ts';
import { signRequest } from './sign.ts';
import { smithySigner } from './smithy.fixture.ts';
import { Verifier } from './verifier.ts';

const NOW = Date.UTC(2026, 0, 31, 12);
const PAIR = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const IDENTITY = { region: 'us-east-1', account: '000000000000' };
const BODY = '{"StreamName":"a"}';
const UNKNOWN = 'UnrecognizedClientException: The security token included in the request is invalid.';
const MISMATCH = 'InvalidSignatureException: The request signature we calculated does not match';
const STALE = 'InvalidSignatureException: Signature expired:';

let now = NOW;
const clock = {
  now: () => now,
  monotonic: () => 0,
  timer: () => () => undefined,
  sleep: async () => {},
  soon: () => {},
};
const verifier = new Verifier([PAIR], IDENTITY, clock);

function said(parts: FakeRequest, services = ['kinesis'], by = verifier): string {
  try {
    const body = parts.body ?? '';
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const presented = by.begin(fakeRequest(parts), services);
    // As it comes over a network: in pieces.
    const half = bytes.length >> 1;
    for (const piece of [bytes.subarray(0, half), bytes.subarray(half)]) presented.see(piece);
    return presented.verify().accessKeyId;
  } catch (error) {
    assert.ok(error instanceof RequestError, String(error));
    return `${error.code}: ${error.message}`;
  }
}

interface Drawn {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string | string[]>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly region: string;
  readonly service: string;
  readonly isPresigned: boolean;
  /** Signed under the name that the SDK gives it over HTTP/2; Node's server tells both as `host`. */
  readonly hostName: 'host' | ':authority';
}

const segment = string({ unit: constantFrom(...Array.from("abZ09-_.~ %/+!*()'$&=:@é")), maxLength: 6 });
const value = string({ unit: constantFrom(...Array.from('abc 0-,;=\t"')), maxLength: 12 });
const headerName = stringMatching(/^(x-amz-|x-|)[a-z][a-z0-9-]{1,8}$/);
const drawn: Arbitrary<Drawn> = record({
  method: constantFrom('GET', 'POST', 'DELETE'),
  path: array(segment, { maxLength: 4 }).map((parts) => `/${parts.map(encodeURIComponent).join('/')}`),
  query: dictionary(
    string({ unit: constantFrom(...Array.from('aBz09-_ +&=é*')), minLength: 1, maxLength: 5 }),
    oneof(segment, array(segment, { minLength: 1, maxLength: 3 })),
    { maxKeys: 4, noNullPrototype: true },
  ),
  headers: dictionary(headerName, value, { maxKeys: 5, noNullPrototype: true }).map((all) =>
    Object.fromEntries(Object.entries(all).filter(([name]) => !OWN.has(name))),
  ),
  body: string({ unit: 'binary', maxLength: 40 }),
  region: constantFrom('us-east-1', 'eu-central-1', 'us-gov-west-1'),
  service: constantFrom('kinesis', 'firehose', 'millrace'),
  isPresigned: boolean(),
  hostName: constantFrom('host', ':authority'),
});
/** Names that have a meaning to signers. */
const OWN = new Set(['x-amz-date', 'x-amz-security-token', 'x-amz-content-sha256', 'host', 'date', 'te', 'from']);

/** The request as it stands on the wire. */
async function bySmithy(one: Drawn): Promise<FakeRequest> {
  const { method, path, query, body, region, service, isPresigned } = one;
  const signer = smithySigner(PAIR, region, service);
  const request = {
    method,
    protocol: 'http:',
    hostname: 'localhost',
    port: 4567,
    path,
    query: { ...query },
    headers: { ...one.headers, [one.hostName]: 'localhost:4567' },
    body,
  };
  const signingDate = new Date(now);
  const signed = isPresigned
    ? await signer.presign(request, { signingDate, expiresIn: 60 })
    : await signer.sign(request, { signingDate });
  const pairs = Object.entries(signed.query ?? {}).flatMap(([name, values]) =>
    [values ?? ''].flat().map((text) => `${encodeURIComponent(name)}=${encodeURIComponent(text)}`),
  );
  const { [':authority']: _, ...headers } = signed.headers;
  return { method, path, query: pairs.join('&'), headers: { ...headers, host: 'localhost:4567' }, body };
}

test('what the AWS SDK signs is verified, and nothing else comes to the same', async () => {
  await property(
    asyncProperty(drawn, nat(), async (one, chance) => {
      const request = await bySmithy(one);
      assert.equal(said(request, [one.service]), PAIR.accessKeyId);
      const altered = alterations(request);
      const [what, other] = altered[chance % altered.length] as readonly [string, FakeRequest];
      assert.notEqual(said(other, [one.service]), PAIR.accessKeyId, what);
    }),
    { numRuns: 2000 },
  );
});

function alterations(request: FakeRequest): readonly (readonly [string, FakeRequest])[] {
  const { headers = {}, query = '' } = request;
  return [
    ['body', { ...request, body: `${request.body as string}x` }],
    ['method', { ...request, method: 'PUT' }],
    ['path', { ...request, path: `${request.path}x` }],
    ['query', { ...request, query: `${query}&zz=1` }],
    ['host', { ...request, headers: { ...headers, host: 'localhost:4568' } }],
    ['a header of AWS', { ...request, headers: { ...headers, 'x-amz-target': 'Kinesis_20131202.DeleteStream' } }],
  ];
}

test('our own signer signs as the AWS SDK does', async () => {
  await property(
    asyncProperty(drawn, async (one) => {
      const plain = { ...one, isPresigned: false, hostName: 'host' as const, query: {}, headers: one.headers };
      const theirs = await bySmithy(plain);
      const url = new URL(`http://localhost:4567${one.path}`);
      // What a URL makes of a path is what is sent.
      pre(url.pathname === one.path);
      const { method, headers, body, region, service } = one;
      const usual = Object.fromEntries(Object.entries(headers).filter(([name]) => name in (theirs.headers ?? {})));
      const ours = signRequest({ method, url, headers: usual, body }, { ...PAIR, region, service, now });
      assert.equal(ours['authorization'], theirs.headers?.['authorization']);
    }),
    { numRuns: 500 },
  );
});

test('the example of AWS’s documentation', () => {
  const at = Date.UTC(2015, 7, 30, 12, 36);
  const authorization =
    'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, ' +
    'SignedHeaders=host;x-amz-date, Signature=';
  const headers = { host: 'example.amazonaws.com', 'x-amz-date': '20150830T123600Z' };
  const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
  const cases: readonly (readonly [method: string, query: string, signature: string])[] = [
    ['GET', '', '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
    ['POST', '', '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
    ['GET', 'Param2=value2&Param1=value1', 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500'],
  ];
  const then = new Verifier([{ accessKeyId: 'AKIDEXAMPLE', secretAccessKey }], IDENTITY, { ...clock, now: () => at });
  for (const [method, query, signature] of cases) {
    const parts = { method, query, headers: { ...headers, authorization: authorization + signature } };
    assert.equal(said(parts, ['service'], then), 'AKIDEXAMPLE', `${method} ${query}`);
  }
});

/** A POST signed now; `change` alters its headers afterwards. */
function signed(change: Readonly<Record<string, string | undefined>> = {}, signing = {}, sent = {}): FakeRequest {
  const url = new URL('http://localhost:4567/');
  const headers = { 'x-amz-target': 'Kinesis_20131202.ListStreams', ...sent };
  const own = { ...PAIR, region: 'us-east-1', service: 'kinesis', now, ...signing };
  const all = { ...signRequest({ method: 'POST', url, headers, body: BODY }, own), host: url.host, ...change };
  const kept = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { body: BODY, headers: Object.fromEntries(kept) };
}

/** The same with its Authorization rewritten. */
function rewritten(from: string | RegExp, to: string): FakeRequest {
  const request = signed();
  const authorization = (request.headers?.['authorization'] ?? '').replace(from, to);
  return { ...request, headers: { ...request.headers, authorization } };
}

const HASH = createHash('sha256').update(BODY).digest('hex');

test('attacks and mistakes', () => {
  const table: readonly (readonly [name: string, request: FakeRequest, said: string])[] = [
    ['as it should be', signed(), PAIR.accessKeyId],
    ['blanks around values', signed({ 'x-amz-target': '  Kinesis_20131202.ListStreams ' }), PAIR.accessKeyId],
    ['a header that is not signed', signed({ 'user-agent': 'proxy' }), PAIR.accessKeyId],
    ['the right hash announced', signed({}, {}, { 'x-amz-content-sha256': HASH }), PAIR.accessKeyId],
    ['UNSIGNED-PAYLOAD', signed({}, {}, { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }), 'InvalidSignatureException: The provided'],
    ['an announced hash in capitals', signed({}, {}, { 'x-amz-content-sha256': HASH.toUpperCase() }), 'InvalidSignatureException: The provided'],
    ['altered body', { ...signed(), body: `${BODY} ` }, MISMATCH],
    ['no body', { ...signed(), body: '' }, MISMATCH],
    ['another target', signed({ 'x-amz-target': 'Kinesis_20131202.DeleteStream' }), MISMATCH],
    ['injected header of AWS', signed({ 'x-amz-acl': 'public' }), "InvalidSignatureException: 'x-amz-acl' must be a 'SignedHeader'"],
    ['a signed header is gone', signed({ 'x-amz-target': undefined }), "InvalidSignatureException: The signed header 'x-amz-target' is not"],
    ['host under its other name too, unsigned so', rewritten('host;', ':authority;host;'), MISMATCH],
    ['no host', rewritten('host;', ''), "InvalidSignatureException: 'Host' or ':authority' must be"],
    ['capitals in the list', rewritten('host;', 'Host;'), 'IncompleteSignatureException: SignedHeaders must be'],
    ['not sorted', rewritten('host;x-amz-date', 'x-amz-date;host'), 'IncompleteSignatureException: SignedHeaders must be'],
    ['one twice', rewritten('host;', 'host;host;'), 'IncompleteSignatureException: SignedHeaders must be'],
    ['empty list', rewritten(/SignedHeaders=[^,]+/, 'SignedHeaders='), 'IncompleteSignatureException: SignedHeaders must be'],
    ['a new line in the list', rewritten('host;', 'host\\n;'), 'IncompleteSignatureException: '],
    ['two signatures', rewritten('Signature=', 'Signature=00, Signature='), 'IncompleteSignatureException: Authorization header has one'],
    ['a word of its own', rewritten('Signature=', 'Extra=1, Signature='), 'IncompleteSignatureException: Authorization header has one'],
    ['signature in capitals', rewritten(/[0-9a-f]{64}$/, 'A'.repeat(64)), 'IncompleteSignatureException: Signature must'],
    ['short signature', rewritten(/[0-9a-f]{64}$/, '00'), 'IncompleteSignatureException: Signature must'],
    ['no signature', rewritten(/[0-9a-f]{64}$/, ''), 'IncompleteSignatureException: Signature must'],
    ['signature of nulls', rewritten(/[0-9a-f]{64}$/, '0'.repeat(64)), MISMATCH],
    ['algorithm none', rewritten('AWS4-HMAC-SHA256', 'none'), 'MissingAuthenticationTokenException'],
    ['another algorithm', rewritten('AWS4-HMAC-SHA256', 'AWS4-HMAC-SHA1'), 'IncompleteSignatureException: The algorithm'],
    ['unknown key', signed({}, { accessKeyId: 'NOBODY' }), UNKNOWN],
    ['a key every object knows', signed({}, { accessKeyId: 'constructor' }), UNKNOWN],
    ['another secret', signed({}, { secretAccessKey: 'not the secret at all' }), MISMATCH],
    ['a session nobody gave', signed({}, {}, { 'x-amz-security-token': 'token' }), UNKNOWN],
    ['another region', signed({}, { region: 'eu-west-1' }), PAIR.accessKeyId],
    ['no region', signed({}, { region: '' }), 'InvalidSignatureException: Credential should be scoped to a valid region.'],
    ['another service', signed({}, { service: 's3' }), "InvalidSignatureException: Credential should be scoped to correct service: 'kinesis'."],
    ['another day in the scope', rewritten('/20260131/', '/20260130/'), 'InvalidSignatureException: Date in Credential scope'],
    ['another end of the scope', rewritten('aws4_request', 'aws5_request'), 'InvalidSignatureException: Credential should be scoped with a valid term'],
    ['a slash too many', rewritten('AKIDEXAMPLE', 'AKID/EXAMPLE'), 'IncompleteSignatureException: Credential must have exactly 5'],
    ['just in time', signed({}, { now: now - 300_000 }), PAIR.accessKeyId],
    ['too late', signed({}, { now: now - 301_000 }), `${STALE} 20260131T115459Z is now earlier than 20260131T115500Z (20260131T120000Z - 5 min.)`],
    ['just not too early', signed({}, { now: now + 300_000 }), PAIR.accessKeyId],
    ['too early', signed({}, { now: now + 301_000 }), 'InvalidSignatureException: Signature not yet current: 20260131T120501Z is still later than'],
    ['a newer date', signed({ 'x-amz-date': '20260131T120001Z' }), MISMATCH],
    ['no date', signed({ 'x-amz-date': 'yesterday' }), 'IncompleteSignatureException: Date must be'],
    ['a day that is none', signed({ 'x-amz-date': '20260231T120000Z' }), 'IncompleteSignatureException: Date must be'],
    ['header and query', { ...signed(), query: 'X-Amz-Algorithm=AWS4-HMAC-SHA256' }, 'InvalidSignatureException: Found both'],
    ['bytes that are no UTF-8', signed({ 'x-amz-target': '\u00ff\u00fe' }), MISMATCH],
    ['a huge header', signed({ 'x-amz-target': 'a'.repeat(100_000) }), `${MISMATCH} the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.`],
  ]; // prettier-ignore
  for (const [name, request, expected] of table) {
    const answer = said(request);
    assert.ok(answer.startsWith(expected), `${name}: ${answer.slice(0, 300)}`);
    assert.ok(!answer.includes(PAIR.secretAccessKey) && answer.length < 8000, name);
  }
});

test('a captured request is good for five minutes, by our clock', () => {
  const request = signed();
  for (const [after, expected] of [[0, true], [300_000, true], [300_001, false], [-300_000, true], [-301_000, false]] as const) {
    now = NOW + after;
    assert.equal(said(request) === PAIR.accessKeyId, expected, String(after));
  }
  now = NOW;
}); // prettier-ignore

test('a mismatch shows what should have been signed', () => {
  const { headers = {} } = signed();
  const text = said({ headers: { ...headers, 'x-amz-target': 'b' }, body: BODY });
  const canonical =
    `POST\n/\n\nhost:localhost:4567\nx-amz-date:20260131T120000Z\nx-amz-target:b\n\nhost;x-amz-date;x-amz-target\n${HASH}`;
  const hashed = createHash('sha256').update(canonical).digest('hex');
  assert.ok(text.endsWith(
    `The Canonical String for this request should have been\n'${canonical}'\n\nThe String-to-Sign should have been\n` +
      `'AWS4-HMAC-SHA256\n20260131T120000Z\n20260131/us-east-1/kinesis/aws4_request\n${hashed}'\n`,
  ), text);
}); // prettier-ignore

test('signed in the query', async () => {
  const one: Drawn = {
    method: 'POST', path: '/', query: {}, headers: {}, body: BODY,
    region: 'us-east-1', service: 'kinesis', isPresigned: true, hostName: 'host',
  }; // prettier-ignore
  const request = await bySmithy(one);
  const { query = '' } = request;
  const table: readonly (readonly [name: string, query: string, at: number, said: string])[] = [
    ['as it should be', query, 0, PAIR.accessKeyId],
    ['just in time', query, 60_000, PAIR.accessKeyId],
    ['too late', query, 61_000, STALE],
    ['longer than it was signed for', query.replace('Expires=60', 'Expires=600'), 61_000, MISMATCH],
    ['longer than a week', query.replace('Expires=60', 'Expires=604801'), 0, 'IncompleteSignatureException: X-Amz-Expires'],
    ['no number', query.replace('Expires=60', 'Expires=1e9'), 0, 'IncompleteSignatureException: X-Amz-Expires'],
    ['one twice', `${query}&X-Amz-Expires=600`, 0, "IncompleteSignatureException: AWS query-string parameters must include 'X-Amz-Expires' once."],
    ['two signatures', `${query}&X-Amz-Signature=00`, 0, "IncompleteSignatureException: AWS query-string parameters must include 'X-Amz-Signature' once."],
    ['another algorithm', query.replace('HMAC-SHA256', 'none'), 0, 'IncompleteSignatureException: The algorithm'],
    ['a session nobody gave', `${query}&X-Amz-Security-Token=a`, 0, UNKNOWN],
    ['one parameter more', `${query}&a=b`, 0, MISMATCH],
  ]; // prettier-ignore
  for (const [name, text, after, expected] of table) {
    now = NOW + after;
    const answer = said({ ...request, query: text });
    assert.ok(answer.startsWith(expected), `${name}: ${answer.slice(0, 300)}`);
  }
  now = NOW;
  const withTarget = { ...request, headers: { ...request.headers, 'x-amz-target': 'Kinesis_20131202.DeleteStream' } };
  assert.match(said(withTarget), /'x-amz-target' must be a 'SignedHeader'/);
});

test('as other signers see the same request', () => {
  const table: readonly (readonly [name: string, signed: Readonly<Record<string, string>>, came: Readonly<Record<string, string>>])[] = [
    ['a default port', { host: 'localhost' }, { host: 'localhost:80' }],
    ['a default port of TLS', { host: 'localhost' }, { host: 'localhost:443' }],
    ['a repeated header', { host: 'localhost', 'x-amz-list': 'a,b' }, { host: 'localhost', 'x-amz-list': 'a, b' }],
  ]; // prettier-ignore
  for (const [name, { host, ...headers }, came] of table) {
    const url = new URL(`http://${host}/`);
    const own = { ...PAIR, region: 'us-east-1', service: 'kinesis', now };
    const request = { headers: { ...signRequest({ method: 'POST', url, headers, body: '' }, own), ...came } };
    assert.equal(said(request), PAIR.accessKeyId, name);
  }
  assert.match(said(signed({ host: 'localhost' })), /does not match/, 'any other port is part of Host');
});

test('a Date header will do', async () => {
  const date = 'Sat, 31 Jan 2026 12:00:00 GMT';
  const scope = '20260131/us-east-1/kinesis/aws4_request';
  const empty = createHash('sha256').digest('hex');
  const canonical = `POST\n/\n\ndate:${date}\nhost:localhost\n\ndate;host\n${empty}`;
  const text = `AWS4-HMAC-SHA256\n20260131T120000Z\n${scope}\n${createHash('sha256').update(canonical).digest('hex')}`;
  let key = Buffer.from(`AWS4${PAIR.secretAccessKey}`);
  for (const part of scope.split('/')) key = createHmac('sha256', key).update(part).digest();
  const signature = createHmac('sha256', key).update(text).digest('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/${scope}, SignedHeaders=date;host, Signature=${signature}`;
  assert.equal(said({ headers: { date, host: 'localhost', authorization } }), PAIR.accessKeyId);
  const odd = said({ headers: { date: '2026-01-31', host: 'localhost', authorization } });
  assert.match(odd, /^IncompleteSignatureException: Date must be/);
});

test('two key pairs at once, each with its own secret', () => {
  const other = { accessKeyId: 'OTHER', secretAccessKey: 'another secret text' };
  const both = new Verifier([PAIR, other], IDENTITY, clock);
  assert.equal(said(signed(), ['kinesis'], both), PAIR.accessKeyId);
  assert.equal(said(signed({}, other), ['kinesis'], both), 'OTHER');
  assert.match(said(signed({}, { ...other, accessKeyId: PAIR.accessKeyId }), ['kinesis'], both), /does not match/);
  assert.equal(said(signed({}, other), ['kinesis'], both), 'OTHER', 'also with the key that was kept');
});
