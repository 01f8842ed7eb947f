import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createByteBudget, type ByteBudget } from '../../../kernel/flow/byte-budget.ts';
import { DeliveryError } from '../../../kernel/errors.ts';
import { ask, base64, NodeBench, stored, type Answer, type Told } from '../harness.fixture.ts';

const KEY = 'an access key';
const ID = 'ed4acda5-034f-9f42-bba1-f29aea6d7d8f';
const PLACE = { uri: 'mongodb://user:hunter2@db/', database: 'monitors', collection: 'firehose', upsertOn: '_id' };

function receiver(to: unknown, more: object = {}): Readonly<Record<string, unknown>> {
  const receive = { firehose: { accessKeys: ['an older one', KEY] } };
  return {
    streams: { hooks: { ShardCount: 2 }, bad: { ShardCount: 1 } },
    gateway: { routes: { 'POST /firehose': { receive, to, ...more } } },
  };
}

async function open(to: unknown, more: object = {}): Promise<NodeBench> {
  return await new NodeBench().open(receiver(to, more));
}

interface Sent {
  readonly records?: unknown;
  readonly id?: string;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly budget?: ByteBudget;
}

async function send(bench: NodeBench, sent: Sent): Promise<Told> {
  const { records = [], id = ID, key = KEY, headers = {}, budget } = sent;
  const body = sent.body ?? JSON.stringify({ requestId: id, timestamp: 1_578_090_901_599, records });
  const asked = { path: '/firehose', headers: { ...headersOf(id, key), ...headers }, body };
  return await ask(bench, budget === undefined ? asked : { ...asked, budget });
}

function headersOf(id: string, key: string): Record<string, string> {
  return {
    'content-type': 'application/json',
    'x-amz-firehose-protocol-version': '1.0',
    'x-amz-firehose-request-id': id,
    'x-amz-firehose-source-arn': 'arn:aws:firehose:us-east-1:000000000000:deliverystream/RealmDeliveryStream',
    'x-amz-firehose-access-key': key,
  };
}

function data(...texts: string[]): { data: string }[] {
  return texts.map((text) => ({ data: base64(text) }));
}

async function quarantined(bench: NodeBench): Promise<Answer[]> {
  const asked = { StreamName: 'bad', ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON' };
  const { ShardIterator } = await bench.call('Kinesis_20131202.GetShardIterator', asked);
  const { Records } = await bench.call('Kinesis_20131202.GetRecords', { ShardIterator });
  return Records.map(({ Data }: { Data: string }) => JSON.parse(Buffer.from(Data, 'base64').toString()));
}

test('records of a request stand in the stream, together and in their order; a repeat adds none', async () => {
  const bench = await open('hooks');
  const first = await send(bench, { records: data('{"n":1}', 'no JSON', '{"n":3}') });
  assert.deepEqual([first.status, first.headers['content-type'], first.json.requestId], [200, 'application/json', ID]);
  assert.equal(typeof first.json.timestamp, 'number');
  assert.equal(first.json.errorMessage, undefined);
  assert.equal((await send(bench, { records: data('{"n":1}', 'no JSON', '{"n":3}') })).status, 200);
  const { requests } = await bench.admin('GET', '/admin/requests');
  assert.deepEqual(requests.map(({ records }: Answer) => records), [3, 3]); // prettier-ignore
  const all = await stored(bench);
  assert.deepEqual(all, [[ID, '{"n":1}'], [ID, 'no JSON'], [ID, '{"n":3}']]); // prettier-ignore
  await bench.close();
  await bench.open(receiver('hooks'));
  assert.equal((await send(bench, { records: data('{"n":1}', 'no JSON', '{"n":3}') })).status, 200);
  assert.equal((await stored(bench)).length, 3, 'known after a restart, too');
});

test('the same request twice at once is stored once', async () => {
  const bench = await open('hooks');
  const body = JSON.stringify({ requestId: ID, timestamp: 1, records: data('a', 'b') });
  const one = async (): Promise<Answer> => await bench.gateway('/firehose', headersOf(ID, KEY), body);
  const answers = await bench.simulation.drive(Promise.all([one(), one(), one()]));
  assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200]); // prettier-ignore
  assert.equal((await stored(bench)).length, 2);
});

test('compressed requests', async () => {
  const bench = await open('hooks');
  const body = gzipSync(JSON.stringify({ requestId: ID, timestamp: 1, records: data('a') }));
  assert.equal((await send(bench, { body, headers: { 'content-encoding': 'gzip' } })).status, 200);
  assert.deepEqual(await stored(bench), [[ID, 'a']]);
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024 + 1));
  const told = await send(bench, {
    body: bomb,
    headers: { 'content-encoding': 'gzip' },
    budget: createByteBudget(256 * 1024 * 1024),
  });
  assert.deepEqual([told.status, told.json.requestId], [413, ID]);
});

test('answers to what is no request of Firehose have its form', async () => {
  const bench = await open('hooks');
  const records = data('a');
  const many = JSON.stringify({ requestId: ID, records: Array.from({ length: 10_001 }, () => ({ data: '' })) });
  const table: [Sent, number, RegExp][] = [
    [{ records, key: 'another' }, 401, /access key/],
    [{ records, headers: { 'x-amz-firehose-access-key': '' } }, 401, /access key/],
    [{ body: '{' }, 400, /no JSON object/],
    [{ body: '[]' }, 400, /no JSON object/],
    [{ body: '{"requestId":"other","records":[{"data":"YQ=="}]}' }, 400, /requestId: is not what/],
    [{ body: '{"records":[{"data":"YQ=="}]}' }, 400, /requestId: expected/],
    [{ records: [] }, 400, /records: expected a list/],
    [{ records: 'a' }, 400, /records: expected a list/],
    [{ body: many }, 400, /records: expected at most 10000/],
    [{ records, headers: { 'x-amz-firehose-protocol-version': '2.0' } }, 400, /only 1.0/],
    [{ records, headers: { 'x-amz-firehose-common-attributes': '{"a":"b"}' } }, 400, /common-attributes: expected/],
    [{ records, headers: { 'x-amz-firehose-common-attributes': '{' } }, 400, /common-attributes: expected/],
    [{ records, headers: { 'content-type': 'text/plain' } }, 415, /send application\/json/],
  ];
  for (const [sent, status, said] of table) {
    const told = await send(bench, sent);
    assert.equal(told.status, status, String(said));
    assert.match(told.json.errorMessage, said);
    assert.deepEqual([told.json.requestId, typeof told.json.timestamp], [ID, 'number']);
  }
  assert.deepEqual(await stored(bench), []);
  assert.equal(
    (await send(bench, { records, headers: { 'content-type': 'application/json; charset=utf-8' } })).status,
    200,
  );
});

test('bad and empty records are named and left out, and the rest is kept', async () => {
  const bench = await open('hooks', { onInvalid: { quarantine: 'bad' } });
  const records = [
    ...data('a'),
    { data: 'no base64!' },
    { data: '' },
    7,
    { dat: '' },
    ...data('b', 'x'.repeat(1_048_576)),
  ];
  const told = await send(bench, { records });
  assert.equal(told.status, 200);
  assert.equal(
    told.json.errorMessage,
    '5 of 7 records were left out; record 1: its data is no base64; record 2: it is empty; ' +
      'record 3: its data is no base64; record 4: its data is no base64; ' +
      'record 6: it is larger than a record of the stream',
  );
  assert.deepEqual((await stored(bench)).map(([, text]) => text), ['a', 'b']); // prettier-ignore
  const lines = await quarantined(bench);
  assert.deepEqual(lines.map(({ index }) => index), [1, 2, 3, 4, 6]); // prettier-ignore
  assert.deepEqual([lines[4].bodyBytes, lines[4].body, lines[0].requestId], [1_048_576, undefined, ID]);
  assert.match(JSON.stringify(bench.simulation.logged), /records-left-out/);
});

test('a request of nothing but bad records is answered, as it would never come right', async () => {
  const bench = await open('hooks');
  const told = await send(bench, { records: [{ data: '' }] });
  assert.deepEqual([told.status, told.json.errorMessage], [200, '1 of 1 records were left out; record 0: it is empty']);
  assert.deepEqual(await stored(bench), []);
});

test('keys by a path, and common attributes', async () => {
  const receive = { firehose: { accessKeys: [KEY], commonAttributes: 'attributes' } };
  const bench = await open('hooks', { receive, partitionKey: { path: 'node.name' } });
  const headers = { 'x-amz-firehose-common-attributes': '{"commonAttributes":{"stage":"dev"}}' };
  const told = await send(bench, { records: data('{"node":{"name":"pi"}}', '[1]', '{"n":1}'), headers });
  assert.match(told.json.errorMessage, /1 of 3 .* record 1: it is no JSON object/);
  assert.deepEqual(Object.fromEntries(await stored(bench)), {
    [ID]: '{"n":1,"attributes":{"stage":"dev"}}',
    pi: '{"node":{"name":"pi"},"attributes":{"stage":"dev"}}',
  });
  const again = await send(bench, { records: data('{"node":{"name":"pi"}}') });
  assert.equal(again.status, 200);
  assert.equal((await stored(bench)).length, 3, 'a repeat is stored again');
  const { routes } = await bench.admin('GET', '/admin/routes');
  assert.equal(routes[0].ids, undefined, 'and no ids are kept');
});

test('common attributes change nothing else of a record, however deep it goes', async () => {
  const receive = { firehose: { accessKeys: [KEY], commonAttributes: 'attributes' } };
  const bench = await open('hooks', { receive });
  const headers = { 'x-amz-firehose-common-attributes': '{"commonAttributes":{"stage":"dev"}}' };
  const deep = '['.repeat(50_000) + ']'.repeat(50_000);
  const records = data('{"id":12345678901234567890,"attributes":7}', `{"deep":${deep}}`);
  assert.equal((await send(bench, { records, headers })).status, 200);
  assert.deepEqual((await stored(bench)).map(([, text]) => text), [
    '{"id":12345678901234567890,"attributes":{"stage":"dev"}}',
    `{"deep":${deep},"attributes":{"stage":"dev"}}`,
  ]); // prettier-ignore
});

test('requests become documents, a repeated one the same', async () => {
  const bench = await open({ mongodb: PLACE }, { onInvalid: { quarantine: 'bad' } });
  const records = data('{"_id":"5f1b1d4f3a1e4b0f8c000001","t":20}', '{"t":21}', 'none', '{"_id":7}');
  for (const _time of [1, 2]) {
    const told = await send(bench, { records });
    assert.deepEqual([told.status, told.json.requestId], [200, ID]);
    assert.match(told.json.errorMessage, /^1 of 4 records were left out; record 2: MongoDB\.InvalidDocument/);
  }
  const found = [...(bench.documents.collections.get('monitors.firehose')?.keys() ?? [])];
  assert.deepEqual(found, ['"5f1b1d4f3a1e4b0f8c000001"', `"${ID}.1"`, '7']);
  assert.deepEqual((await quarantined(bench)).map(({ index }) => index), [2, 2]); // prettier-ignore
});

test('a destination that is away: 500 in the form of Firehose, and no password in it', async () => {
  const bench = await open({ mongodb: PLACE });
  bench.documents.failure = new DeliveryError('MongoDB.ServerSelection', 'no server answers', true);
  const told = await send(bench, { records: data('{}') });
  assert.deepEqual([told.status, told.json.requestId], [500, ID]);
  assert.equal(
    told.json.errorMessage,
    'the destination of the route failed: MongoDB.ServerSelection: no server answers',
  );
  assert.doesNotMatch(JSON.stringify(bench.simulation.logged), /hunter2|an access key/);
  bench.documents.failure = undefined;
  assert.equal((await send(bench, { records: data('{}') })).status, 200);
});

test('words that are not for receivers', async () => {
  const problems: [unknown, object, RegExp][] = [
    ['hooks', { verify: { github: { secrets: ['x'] } } }, /verify: is for webhooks/],
    ['hooks', { payload: 'raw' }, /payload: is not for routes/],
    ['hooks', { dedupe: { id: 'a' } }, /dedupe\.id/],
    ['hooks', { partitionKey: { header: 'a' }, dedupe: 'off' }, /partitionKey: of records/],
    ['hooks', { partitionKey: { path: 'a' }, dedupe: { windowHours: 1 } }, /dedupe: has no effect with `partitionKey/],
    [{ mongodb: PLACE }, { dedupe: 'off' }, /dedupe: is not for routes with `receive` and a destination/],
    [{ mongodb: { ...PLACE, uri: 'http://db' } }, {}, /to\.mongodb: uri: begins with/],
    [{}, {}, /to: expected one destination/],
    [{ mongodb: PLACE }, { receive: undefined }, /to: expected the name of a stream; a destination needs/],
  ];
  for (const [to, more, said] of problems) await assert.rejects(open(to, more), said);
  await open('hooks', { partitionKey: { path: 'a' }, dedupe: 'off' });
  const only = await open('hooks', { verify: { ip: { allow: ['10.0.0.0/8'] } } });
  assert.equal((await send(only, { records: data('a') })).status, 403);
});
