import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { answered, HOOK_SECRET, HOOK_STREAM, ok, ROUTE, signed, type Answer, type Subject } from './subject.ts';

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';
const CONCURRENT = 50;

interface Accepted {
  readonly ShardId: string;
  readonly SequenceNumber: string;
  readonly deliveryId: string;
  readonly duplicate: boolean;
}

async function accepted(answer: Promise<Answer>): Promise<Accepted> {
  const body = await ok<Accepted>(answer);
  assert.deepEqual(Object.keys(body), ['ShardId', 'SequenceNumber', 'deliveryId', 'duplicate']);
  return body;
}

interface Read {
  readonly Records: readonly {
    readonly SequenceNumber: string;
    readonly PartitionKey: string;
    readonly Data: string;
  }[];
  readonly NextShardIterator: string;
  readonly MillisBehindLatest: number;
}

/** All records of the route's stream, shard by shard. */
async function stored(subject: Subject): Promise<Read['Records']> {
  const found: Read['Records'][number][] = [];
  const { Shards } = await ok<{ Shards: readonly { ShardId: string }[] }>(
    subject.kinesis('ListShards', { StreamName: HOOK_STREAM }),
  );
  for (const { ShardId } of Shards) {
    const start = { StreamName: HOOK_STREAM, ShardId, ShardIteratorType: 'TRIM_HORIZON' };
    let { ShardIterator } = await ok<{ ShardIterator: string }>(subject.kinesis('GetShardIterator', start));
    for (;;) {
      const page = await ok<Read>(subject.kinesis('GetRecords', { ShardIterator }));
      found.push(...page.Records);
      if (page.Records.length === 0 || page.MillisBehindLatest === 0) break;
      ShardIterator = page.NextShardIterator;
    }
  }
  return found;
}

/** The webhook gateway: one verified id, one record. */
export function gatewayConformance(subject: Subject): void {
  describe('gateway', () => {
    const check = (what: string, work: (subject: Subject) => Promise<void>): void => {
      test(what, async (context) => {
        if (subject.gateway === '') context.skip('CONFORMANCE_GATEWAY names no gateway');
        else await work(subject);
      });
    };
    check('a signed webhook is stored byte for byte under its delivery id', storesBytes);
    check('a repeat gets the first answer again, and is stored once', repeats);
    check(`${CONCURRENT} at once with one id are one record`, atOnce);
    check('without a delivery id every webhook is a record', withoutId);
    check('forms are taken, other bodies and encodings are 415', bodyTypes);
    check('a missing, wrong or malformed signature is 401', signatures);
    check('404, 405 with allow, 413', otherRefusals);
    check('nothing was stored for a refused request', nothingStored);
  });
}

async function storesBytes(subject: Subject): Promise<void> {
  const bodies: readonly Uint8Array<ArrayBuffer>[] = [
    new TextEncoder().encode('{ "a" :\t1,\r\n"ü":"\\u00fc" }'),
    new TextEncoder().encode('no JSON at all'),
    Uint8Array.from({ length: 256 }, (_, byte) => byte),
    new Uint8Array(),
    new Uint8Array(500_000).fill(0xff),
  ];
  for (const [index, body] of bodies.entries()) {
    const id = subject.name(`bytes-${index}`);
    const answer = await accepted(subject.hook(id, body));
    assert.deepEqual([answer.deliveryId, answer.duplicate], [id, false]);
    const start = { ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber: answer.SequenceNumber };
    const { ShardIterator } = await ok(
      subject.kinesis('GetShardIterator', { StreamName: HOOK_STREAM, ShardId: answer.ShardId, ...start }),
    );
    const { Records } = await ok<Read>(subject.kinesis('GetRecords', { ShardIterator, Limit: 1 }));
    const [record] = Records;
    assert.equal(record?.PartitionKey, id);
    assert.ok(Buffer.from(record.Data, 'base64').equals(body), `body ${index} is stored as it came`);
  }
}

async function repeats(subject: Subject): Promise<void> {
  const id = subject.name('repeat');
  const first = await accepted(subject.hook(id, '{"first":true}'));
  assert.equal(first.duplicate, false);
  for (const body of ['{"first":true}', '{"first":false}']) {
    assert.deepEqual(await accepted(subject.hook(id, body)), { ...first, duplicate: true });
  }
  const mine = (await stored(subject)).filter(({ PartitionKey }) => PartitionKey === id);
  assert.deepEqual(
    mine.map(({ SequenceNumber }) => SequenceNumber),
    [first.SequenceNumber],
  );
}

async function atOnce(subject: Subject): Promise<void> {
  const id = subject.name('at-once');
  const answers = await Promise.all(
    Array.from({ length: CONCURRENT }, async (_, index) => await accepted(subject.hook(id, `{"try":${index}}`))),
  );
  assert.equal(answers.filter(({ duplicate }) => !duplicate).length, 1);
  assert.equal(new Set(answers.map(({ SequenceNumber }) => SequenceNumber)).size, 1);
  assert.equal((await stored(subject)).filter(({ PartitionKey }) => PartitionKey === id).length, 1);
}

async function withoutId(subject: Subject): Promise<void> {
  const answers = [await accepted(subject.hook('', '{}')), await accepted(subject.hook('', '{}'))];
  for (const { deliveryId, duplicate } of answers) {
    assert.match(deliveryId, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.equal(duplicate, false);
  }
  assert.equal(new Set(answers.map(({ deliveryId }) => deliveryId)).size, 2);
}

async function bodyTypes(subject: Subject): Promise<void> {
  const table: readonly (readonly [headers: Readonly<Record<string, string>>, status: number])[] = [
    [{ 'content-type': FORM_TYPE }, 200],
    [{ 'content-type': `${JSON_TYPE}; charset=utf-8` }, 200],
    [{ 'content-type': 'APPLICATION/JSON' }, 200],
    [{ 'content-type': JSON_TYPE, 'content-encoding': 'identity' }, 200],
    [{ 'content-type': 'text/plain' }, 415],
    [{ 'content-type': 'multipart/form-data; boundary=x' }, 415],
    [{ 'content-type': '' }, 415],
    [{ 'content-type': JSON_TYPE, 'content-encoding': 'gzip' }, 400],
    [{ 'content-type': JSON_TYPE, 'content-encoding': 'zstd' }, 415],
  ];
  for (const [index, [headers, status]] of table.entries()) {
    const id = subject.name(status === 200 ? `type-${index}` : `refused-type-${index}`);
    const answer = await subject.hook(id, 'payload=%7B%7D', headers);
    assert.equal(answer.status, status, JSON.stringify(headers));
  }
}

async function signatures(subject: Subject): Promise<void> {
  const body = '{"zen":"Speak like a human."}';
  const good = signed(body);
  const table: readonly string[] = [
    '',
    'sha256=',
    good.toUpperCase(),
    good.replace('sha256=', ''),
    good.replace('sha256=', 'sha1='),
    `${good.slice(0, -1)}${good.endsWith('0') ? '1' : '0'}`,
    good.slice(0, -1),
    `${good}0`,
    `${good}, ${good}`,
    signed(body, `${HOOK_SECRET} `),
    signed(body, 'undefined'),
    signed(`${body} `),
  ];
  for (const [index, signature] of table.entries()) {
    const answer = await subject.hook(subject.name(`refused-${index}`), body, { 'x-hub-signature-256': signature });
    assert.equal(answer.status, 401, signature);
    assert.equal(answer.headers.get('content-type'), JSON_TYPE);
    assert.deepEqual(Object.keys(answer.body), ['error', 'message']);
    assert.ok(!answer.text.includes(good.slice(7)), 'the right signature is not told');
  }
  const headers = { 'content-type': JSON_TYPE, 'x-github-delivery': subject.name('refused-unsigned') };
  const unsigned = await fetch(subject.gateway + ROUTE, { method: 'POST', body, headers });
  assert.equal(unsigned.status, 401);
}

async function otherRefusals(subject: Subject): Promise<void> {
  const body = '{}';
  const headers = {
    'content-type': JSON_TYPE,
    'x-github-delivery': subject.name('refused-other'),
    'x-hub-signature-256': signed(body),
  };
  const paths = ['/', `${ROUTE}/`, `${ROUTE}/more`, ROUTE.toUpperCase(), '/api/v1/token', '/write', '/__proto__'];
  for (const path of paths) {
    const answer = await answered(fetch(subject.gateway + path, { method: 'POST', body, headers }));
    assert.equal(answer.status, 404, path);
  }
  for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD']) {
    const answer = await answered(fetch(subject.gateway + ROUTE, { method, headers }));
    assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'POST'], method);
  }
  const large = 'x'.repeat(2 * 1024 * 1024);
  assert.equal((await subject.hook(subject.name('refused-large'), large)).status, 413);
  // Data and key together are what a record may take.
  const brim = 'x'.repeat(1024 * 1024);
  assert.equal((await subject.hook(subject.name('refused-brim'), brim)).status, 413);
  assert.equal((await subject.hook(subject.name(`refused-${'i'.repeat(300)}`), body)).status, 400);
}

/** Runs last: every refused request above carried an id with `refused` in it. */
async function nothingStored(subject: Subject): Promise<void> {
  const records = await stored(subject);
  const refused = records.filter(({ PartitionKey }) => PartitionKey.includes('refused'));
  assert.deepEqual(refused, []);
  assert.ok(records.length >= 10, 'those that were accepted are there');
}
