import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeliveryError } from '../../kernel/errors.ts';
import { FakeDestination, refusing } from '../../testing/fake-destination.ts';
import { aggregated } from '../../wire/kpl/aggregated-record.fixture.ts';
import { base64, Bench, toBucket, type Answer } from './harness.fixture.ts';

async function put(bench: Bench, text: string): Promise<string> {
  const answer = await bench.call('PutRecord', { DeliveryStreamName: 'd', Record: { Data: base64(text) } });
  return answer.RecordId as string;
}

async function putToStream(bench: Bench, data: Buffer): Promise<string> {
  const record = { StreamName: 'events', PartitionKey: 'k', Data: data.toString('base64') };
  return (await bench.call('Kinesis_20131202.PutRecord', record)).SequenceNumber as string;
}

async function fate(bench: Bench, id: string): Promise<Answer> {
  return await bench.admin('GET', '/admin/deliveries/{name}/records/{id}', { name: 'd', id });
}

test('a record put directly: it waits, then stands in an object, which is told after a restart, too', async () => {
  const sections = { deliveries: { d: toBucket('archive', 5) } };
  const bench = await new Bench().open(sections);
  const id = await put(bench, 'one');
  assert.deepEqual(await fate(bench, id), { state: 'waiting' });
  await bench.simulation.pass(8000);
  const second = await put(bench, 'two');
  await bench.simulation.pass(8000);
  await bench.close();
  await bench.open(sections);
  const keys = [...(await bench.objects('archive')).keys()];
  const places = [await fate(bench, id), await fate(bench, second)];
  assert.deepEqual(
    places.map(({ state, place }) => [state, place]),
    keys.map((key) => ['delivered', `/data/buckets/archive/${key}`]),
  );
  assert.deepEqual(places[0].attempts, 1);
});

test('a record of a stream: its offset in the object, behind what a producer packed and with delimiters', async () => {
  const { ExtendedS3DestinationConfiguration: to } = toBucket('archive', 1);
  const ProcessingConfiguration = { Enabled: true, Processors: [{ Type: 'AppendDelimiterToRecord' }] };
  const d = { from: 'events', ExtendedS3DestinationConfiguration: { ...to, ProcessingConfiguration } };
  const bench = await new Bench().open({ streams: { events: { ShardCount: 1 } }, deliveries: { d } });
  const packed = aggregated(
    ['k'],
    ['a', 'bb'].map((data) => ({ key: 0, data })),
  );
  const ids = [await putToStream(bench, packed), await putToStream(bench, Buffer.from('single'))];
  await bench.simulation.pass(5000);
  const [content = ''] = [...(await bench.objects('archive')).values()].map(String);
  const [first, second] = [await fate(bench, ids[0] ?? ''), await fate(bench, ids[1] ?? '')];
  assert.deepEqual([first.offset, first.bytes, second.offset, second.bytes], [0, 1, 5, 6]);
  assert.equal(content.slice(second.offset, second.offset + second.bytes), 'single');
  assert.deepEqual([first.records, second.records], [2, undefined]);
});

test('of what a producer packed it tells how many they are, and that one failed', async () => {
  const fake = new FakeDestination(refusing((text) => text === 'bad', false));
  const sections = {
    streams: { events: { ShardCount: 1 } },
    deliveries: { d: { from: 'events', fake: { S3Configuration: { BucketARN: 'failed' } } } },
  };
  const bench = await new Bench(1, { destinations: [fake.kind] }).open(sections);
  const packed = aggregated(
    ['k'],
    ['good', 'bad', 'fine'].map((data) => ({ key: 0, data })),
  );
  const id = await putToStream(bench, packed);
  await bench.simulation.pass(10_000);
  const { state, records, place, bytes } = await fate(bench, id);
  assert.deepEqual([state, records, bytes], ['failed', 3, 4]);
  assert.match(place, /failed/);
});

test('a destination that refuses: what is in flight, what failed, and the members that name it there', async () => {
  const fake = new FakeDestination(() => {
    throw new DeliveryError('Fake.Down', 'down', true);
  });
  const backup = { BucketARN: 'failed' };
  const sections = {
    streams: { events: { ShardCount: 1 } },
    deliveries: { d: { from: 'events', fake: { S3Configuration: backup } } },
  };
  const bench = await new Bench(1, { destinations: [fake.kind] }).open(sections);
  const ids: string[] = [];
  for (const text of ['one', 'bad', 'two']) ids.push(await putToStream(bench, Buffer.from(text)));
  await bench.simulation.pass(2500);
  const flying = await fate(bench, ids[1] ?? '');
  assert.deepEqual(
    [flying.state, flying.place, flying.attempts.code],
    ['in flight', fake.attempts[0]?.place, 'Fake.Down'],
  );
  fake.script = refusing((text) => text === 'bad', false);
  await bench.simulation.pass(10_000);
  const [one, bad, two] = [
    await fate(bench, ids[0] ?? ''),
    await fate(bench, ids[1] ?? ''),
    await fate(bench, ids[2] ?? ''),
  ];
  assert.deepEqual([one.state, bad.state, two.state], ['delivered', 'failed', 'delivered']);
  assert.equal(one.place, fake.attempts[0]?.place);
  const [key] = (await bench.objects('failed')).keys();
  assert.equal(bad.place, `/data/buckets/failed/${key}`);
  assert.equal(bad.dataId, `${ids[1]}.0`);
});

test('what cannot be told', async () => {
  const bench = await new Bench().open({ deliveries: { d: toBucket('archive', 1) } });
  const id = await put(bench, 'one');
  const refusal = async (name: string, given: string): Promise<string> => {
    const asked = bench.admin('GET', '/admin/deliveries/{name}/records/{id}', { name, id: given });
    return await asked.then(
      () => 'answered',
      (error: Error) => error.message,
    );
  };
  assert.equal(await refusal('d', '123'), '123 is no sequence number and no RecordId');
  assert.equal(await refusal('x', id), 'no delivery x');
  const foreign = await new Bench(2).open({ deliveries: { d: toBucket('archive', 1) } });
  await put(foreign, 'a');
  assert.equal(await refusal('d', await put(foreign, 'b')), 'no such record in $direct/d');
});

test('a delivery says how full its buffer is, how far it is in each shard, and what it tried', async () => {
  const fake = new FakeDestination();
  const sections = {
    streams: { events: { ShardCount: 1 } },
    deliveries: { d: { from: 'events', fake: { BufferSeconds: 60, S3Configuration: { BucketARN: 'failed' } } } },
  };
  const bench = await new Bench(1, { destinations: [fake.kind] }).open(sections);
  await putToStream(bench, Buffer.from('one'));
  await bench.simulation.pass(10_000);
  const explained = async (): Promise<Answer> => await bench.admin('GET', '/admin/deliveries/{name}', { name: 'd' });
  const before = await explained();
  const { records, bytes, bytesMax, intervalMs, dueInMs } = before.buffer;
  assert.deepEqual([records, bytes, bytesMax, intervalMs], [1, 3, 1024 * 1024, 60_000]);
  assert.ok(dueInMs > 49_000 && dueInMs < 51_000, String(dueInMs));
  const [shard] = before.shards;
  assert.deepEqual([shard.shardId, shard.lagRecords, shard.lagMs > 9000], ['shardId-000000000000', 1, true]);
  assert.deepEqual(before.attempts, []);
  await bench.simulation.pass(60_000);
  const after = await explained();
  assert.deepEqual([after.shards[0].lagRecords, after.shards[0].lagMs], [0, 0]);
  const [{ at, ms, ...attempt }] = after.attempts;
  assert.deepEqual(attempt, { outcome: 'delivered', records: 1, refused: 0, status: 200 });
  assert.match(at, /^2026-01-01T00:01:\d\d/);
  assert.ok(ms >= 1);
});
