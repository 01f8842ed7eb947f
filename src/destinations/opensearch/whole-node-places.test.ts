import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base64, NodeBench, type Answer } from '../../testing/node-bench.ts';
import { Engine } from './engine.fixture.ts';
import { rotatedIndex } from './index-name.ts';

const CLUSTER = 'http://127.0.0.1:9201';
const HOUR_MS = 3_600_000;
const KIND = 'AmazonopensearchserviceDestinationConfiguration';

function sections(more: object = {}): Readonly<Record<string, unknown>> {
  const target = {
    ClusterEndpoint: CLUSTER,
    IndexName: 'logs',
    IndexRotationPeriod: 'OneHour',
    BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 5 },
    S3Configuration: { BucketARN: 'failed' },
    ...more,
  };
  return { streams: { events: { ShardCount: 1 } }, deliveries: { d: { from: 'events', [KIND]: target } } };
}

async function opened(engine: Engine, more: object = {}): Promise<NodeBench> {
  return await new NodeBench(1, { servers: engine.script }).open(sections(more));
}

async function put(bench: NodeBench, text: string): Promise<string> {
  const record = { StreamName: 'events', PartitionKey: 'k', Data: base64(text) };
  return ((await bench.call('Kinesis_20131202.PutRecord', record)) as { SequenceNumber: string }).SequenceNumber;
}

async function fate(bench: NodeBench, id: string): Promise<Answer> {
  return await bench.admin('GET', '/admin/deliveries/{name}/records/{id}', { name: 'd', id });
}

/** The index of each record's arrival, in the order of the stream. */
async function indexes(bench: NodeBench): Promise<readonly string[]> {
  const [{ ShardId }] = (await bench.call('Kinesis_20131202.ListShards', { StreamName: 'events' })).Shards;
  const asked = { StreamName: 'events', ShardId, ShardIteratorType: 'TRIM_HORIZON' };
  const { ShardIterator } = await bench.call('Kinesis_20131202.GetShardIterator', asked);
  const { Records } = await bench.call('Kinesis_20131202.GetRecords', { ShardIterator });
  return (Records as readonly Answer[]).map(({ ApproximateArrivalTimestamp: at }) =>
    rotatedIndex('logs', 'OneHour', Number(at) * 1000),
  );
}

test('a clock that steps across a rotation, forth and back, puts no document in a second index', async () => {
  const engine = new Engine();
  const bench = await opened(engine);
  engine.answer = () => ({ status: 503 });
  const ids = [await put(bench, '{"n":1}')];
  await bench.simulation.pass(8000);
  const first = engine.requests.length;
  assert.ok(first > 0, 'it was attempted');
  bench.simulation.stepClock(2 * HOUR_MS);
  await bench.simulation.pass(8000);
  ids.push(await put(bench, '{"n":2}'));
  bench.simulation.stepClock(-3 * HOUR_MS);
  ids.push(await put(bench, '{"n":3}'));
  await bench.simulation.pass(8000);
  assert.ok(engine.requests.length > first, 'waits go on whatever the clock shows');
  const sent = engine.requests.map(({ body }) => /"_index":"([^"]+)"/.exec(String(body))?.[1]);
  assert.equal(new Set(sent).size, 1, 'each attempt goes to the index of the arrival');
  engine.answer = () => undefined;
  await bench.simulation.pass(120_000);
  const names = await indexes(bench);
  assert.ok(new Set(names).size > 1, names.join());
  assert.deepEqual([...engine.documents.keys()].toSorted(), ids.map((id, at) => `${names[at]}/${id}.0`).toSorted());
  assert.deepEqual(
    [...engine.documents.values()].map(({ version }) => version),
    [1, 1, 1],
  );
  await bench.close();
});

test('it is told of each record in which index it stands under which id, or where the line about it is', async () => {
  const engine = new Engine();
  const bench = await opened(engine, { BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 60 } });
  const ids = [await put(bench, '{"n":1}')];
  assert.deepEqual(await fate(bench, ids[0] ?? ''), { state: 'waiting' });
  bench.simulation.stepClock(HOUR_MS);
  for (const text of ['{"status":400}', '{"n":2}', 'no JSON']) ids.push(await put(bench, text));
  await bench.simulation.pass(70_000);
  const names = await indexes(bench);
  const [[key] = []] = await bench.objects('failed');
  const lines = `/data/buckets/failed/${key}`;
  const told = [];
  for (const id of ids) {
    const { state, place, esDocumentId, esIndexName } = await fate(bench, id);
    told.push([state, place, esDocumentId, esIndexName]);
  }
  assert.notEqual(names[0], names[2]);
  assert.deepEqual(told, [
    ['delivered', `${CLUSTER}/${names[0]}`, `${ids[0]}.0`, names[0]],
    ['failed', lines, `${ids[1]}.0`, names[1]],
    ['delivered', `${CLUSTER}/${names[2]}`, `${ids[2]}.0`, names[2]],
    ['failed', lines, `${ids[3]}.0`, names[3]],
  ]);
  await bench.close();
});

test('a preview names index and id of each record and what will be refused, and asks nobody', async () => {
  const engine = new Engine();
  const bench = await opened(engine, { TypeName: 'event' });
  const body = { records: ['{"n":1}', 'no JSON'].map((text) => ({ data: base64(text) })) };
  const path = '/admin/deliveries/{name}/preview';
  const { destination, place, records, ...more } = await bench.admin('POST', path, { name: 'd' }, {}, body);
  assert.deepEqual([destination, place], [KIND, 'logs/OneHour']);
  const index = rotatedIndex('logs', 'OneHour', bench.simulation.environment.clock.now());
  const ids = (records as readonly Answer[]).map(({ esDocumentId }) => String(esDocumentId));
  assert.deepEqual(records, [
    { result: 'Ok', text: '{"n":1}', esDocumentId: ids[0], esIndexName: index, esTypeName: 'event' },
    {
      result: 'Failed',
      code: 'OS.InvalidDocument',
      message: 'the record is not one JSON object',
      text: 'no JSON',
      esDocumentId: ids[1],
      esIndexName: index,
      esTypeName: 'event',
    },
  ]);
  assert.match(more.refusedPlace, /^AmazonOpenSearchService-failed\/20\d\d\/.*d-1-/);
  assert.match(ids.join(), /^\d+\.0,\d+\.0$/);
  assert.deepEqual(engine.requests, []);
  await bench.close();
});
