import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeRequest } from '../../testing/fake-request.ts';
import { base64, Bench, FakeFunctions, type Answer, type FakeHandler } from './harness.fixture.ts';

const Lambda = { Type: 'Lambda', Parameters: [{ ParameterName: 'LambdaArn', ParameterValue: 'f' }] };

function bucket(more: object = {}): object {
  return {
    ExtendedS3DestinationConfiguration: {
      BucketARN: 'archive',
      Prefix: 'raw/!{timestamp:yyyy}/',
      ErrorOutputPrefix: 'failed/!{firehose:error-output-type}/',
      CompressionFormat: 'GZIP',
      ...more,
    },
  };
}

async function preview(bench: Bench, name: string, body: unknown): Promise<Answer> {
  const route = bench.node.admin.find(({ path }) => path === '/admin/deliveries/{name}/preview');
  const request = fakeRequest({ body: typeof body === 'string' ? body : JSON.stringify(body) });
  return await bench.simulation.drive(route?.handle({ name }, new URLSearchParams(), request) ?? Promise.reject());
}

const handler: FakeHandler = ({ records }) => ({
  records: (records as readonly Answer[]).map(({ recordId, data }) => {
    const text = Buffer.from(data, 'base64').toString();
    if (text === 'drop') return { recordId, result: 'Dropped' };
    return { recordId, result: text === 'bad' ? 'ProcessingFailed' : 'Ok', data: base64(`${text}!`) };
  }),
});

const samples = { records: ['a', 'drop', 'bad'].map((text) => ({ data: base64(text) })) };

test('a preview says what the function makes of records and where they would arrive, and stores nothing', async () => {
  const processed = bucket({ ProcessingConfiguration: { Enabled: true, Processors: [Lambda] } });
  const sections = { streams: { s: {} }, deliveries: { d: { from: 's', ...processed } } };
  const bench = await new Bench().open(sections, new FakeFunctions({ f: handler }));
  const { place, failedPlace, bytes, records } = await preview(bench, 'd', samples);
  assert.match(place, /^raw\/20\d\d\/d-1-[\d-]{19}-[0-9a-f-]{36}\.gz$/);
  assert.match(failedPlace, /^failed\/processing-failed\/d-1-/);
  assert.equal(bytes, 2);
  assert.deepEqual(records, [
    { result: 'Ok', text: 'a!' },
    { result: 'Dropped' },
    {
      result: 'ProcessingFailed',
      code: 'Lambda.ProcessingFailedStatus',
      message: 'the function says that it failed',
    },
  ]);
  await bench.simulation.pass(400_000);
  assert.equal((await bench.objects('archive')).size, 0);
});

test('without a function records would leave as they are; bytes that are no text in base64', async () => {
  const bench = await new Bench().open({ deliveries: { d: bucket() } });
  const { records, failedPlace } = await preview(bench, 'd', { records: [{ data: base64('x') }, { data: '/w==' }] });
  assert.equal(failedPlace, undefined);
  assert.deepEqual(records, [
    { result: 'Ok', text: 'x' },
    { result: 'Ok', data: '/w==' },
  ]);
});

test('of what is no document a preview says that MongoDB will not take it; there is no other place for it', async () => {
  const mongodb = { uri: 'mongodb://db/', database: 'b', collection: 'c' };
  const bench = await new Bench().open({ streams: { s: {} }, deliveries: { d: { from: 's', mongodb } } });
  const texts = ['{"a":1}', 'no JSON', '[1]', '7', '', '{"$set":{"a":1}}', '{"$oid":"0123456789abcdef01234567"}'];
  const { place, refusedPlace, records } = await preview(bench, 'd', {
    records: [...texts.map(base64), Buffer.from('{"a":"\xff"}', 'latin1').toString('base64')].map((data) => ({ data })),
  });
  assert.deepEqual([place, refusedPlace], ['b.c', undefined]);
  const object = 'a document is a JSON object';
  assert.deepEqual(
    (records as readonly Answer[]).map(({ result, code, message }) => [result, code, message]),
    [
      ['Ok', undefined, undefined],
      ...[object, object, object, object, 'a document has no member $set', 'a document has no member $oid', object].map(
        (message) => ['Failed', 'MongoDB.InvalidDocument', message],
      ),
    ],
  );
});

test('what a preview does not take', async () => {
  const url = { ...Lambda, Parameters: [{ ParameterName: 'LambdaArn', ParameterValue: 'http://127.0.0.1/' }] };
  const deliveries = {
    d: bucket(),
    missing: bucket({ ProcessingConfiguration: { Enabled: true, Processors: [Lambda] } }),
    url: bucket({ ProcessingConfiguration: { Enabled: true, Processors: [url] } }),
  };
  const bench = await new Bench().open({ deliveries }, new FakeFunctions());
  const shape = 'the body is {"records": [{"data": BASE64, "partitionKey": TEXT}]}';
  const one = { records: [{ data: '' }] };
  const cases: readonly (readonly [string, unknown, string])[] = [
    ['d', 'no JSON', shape],
    ['d', 'null', shape],
    ['d', {}, shape],
    ['d', { records: [7] }, shape],
    ['d', { records: [{ data: 7 }] }, shape],
    ['d', { records: [] }, 'give 1 to 100 records'],
    ['d', { records: Array.from({ length: 101 }, () => ({ data: '' })) }, 'give 1 to 100 records'],
    ['missing', one, 'there is no function f'],
    ['url', one, 'its records are processed by a URL, and a preview asks no server'],
    ['nobody', one, 'no delivery nobody'],
  ];
  for (const [name, body, message] of cases) await assert.rejects(preview(bench, name, body), { message }, message);
});
