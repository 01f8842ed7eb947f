import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench, base64 } from '../../capabilities/firehose/harness.fixture.ts';
import { DeliveryError } from '../../kernel/errors.ts';
import { mongodb } from './index.ts';

const TARGET = { uri: 'mongodb://user:hunter2@db/', database: 'monitors', collection: 'firehose' };

test('records of a stream become documents, a repeated one the same', async () => {
  const sections = { streams: { s: { ShardCount: 1 } }, deliveries: { d: { from: 's', mongodb: TARGET } } };
  const bench = await new Bench().open(sections);
  for (const text of ['{"_id":1,"v":1}', '{"v":2}', '{"_id":1,"v":3}']) {
    const record = { StreamName: 's', PartitionKey: 'k', Data: base64(text) };
    await bench.call('Kinesis_20131202.PutRecord', record);
  }
  await bench.simulation.pass(5000);
  const found = [...(bench.documents.collections.get('monitors.firehose') ?? [])];
  assert.deepEqual(found[0], ['1', { _id: 1, v: 3 }]);
  assert.match(found[1]?.[0] ?? '', /^"49\d+\.0"$/);
  assert.equal(found.length, 2);
});

test('a server that is away delays documents and loses none, and is told without its password', async () => {
  const sections = { streams: { s: {} }, deliveries: { d: { from: 's', mongodb: TARGET } } };
  const bench = await new Bench().open(sections);
  bench.documents.failure = new DeliveryError('MongoDB.ServerSelection', 'no server answers', true);
  await bench.call('Kinesis_20131202.PutRecord', { StreamName: 's', PartitionKey: 'k', Data: base64('{"_id":7}') });
  await bench.simulation.pass(60_000);
  const status = await bench.admin('GET', '/admin/deliveries/{name}', { name: 'd' });
  assert.equal(status.failure, 'no server answers');
  assert.doesNotMatch(JSON.stringify([status, bench.simulation.logged]), /hunter2/);
  bench.documents.failure = undefined;
  await bench.simulation.pass(180_000);
  assert.deepEqual([...(bench.documents.collections.get('monitors.firehose')?.keys() ?? [])], ['7']);
});

test('what the shape cannot say is said, and a description holds no URI', () => {
  assert.equal(mongodb.problem({ ...TARGET, uri: 'http://db' }), 'uri: begins with mongodb:// or mongodb+srv://');
  assert.equal(mongodb.problem(TARGET), undefined);
  assert.deepEqual(mongodb.describe(TARGET), {
    MongodbDestinationDescription: { database: 'monitors', collection: 'firehose', upsertOn: '_id' },
  });
  assert.deepEqual(mongodb.buffering({ ...TARGET, intervalSeconds: 0 }), { bytesMax: 1_048_576, intervalMs: 0 });
});
