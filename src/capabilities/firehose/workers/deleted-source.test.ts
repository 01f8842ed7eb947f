import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeDestination } from '../../../testing/fake-destination.ts';
import { base64, Bench, FakeFunctions, type Answer, type FakeHandler } from '../harness.fixture.ts';

const KINESIS = 'Kinesis_20131202';
const TOLD = 'delivery d: records were gone before they were delivered';

const upper: FakeHandler = ({ records }) => ({
  records: (records as readonly Answer[]).map(({ recordId, data }) => {
    const text = Buffer.from(data, 'base64').toString();
    return { recordId, result: 'Ok', data: base64(text.toUpperCase()) };
  }),
});

function processed(): Record<string, unknown> {
  const Parameters = [
    { ParameterName: 'LambdaArn', ParameterValue: 'f' },
    { ParameterName: 'BufferIntervalInSeconds', ParameterValue: '1' },
  ];
  const ProcessingConfiguration = { Enabled: true, Processors: [{ Type: 'Lambda', Parameters }] };
  const fake = { S3Configuration: { BucketARN: 'failed' }, ProcessingConfiguration };
  return { streams: { events: { ShardCount: 1 } }, deliveries: { d: { from: 'events', fake } } };
}

function called(): Record<string, unknown> {
  const d = { from: 'events', function: { name: 'f', batchSize: 1, retries: -1 } };
  return { streams: { events: { ShardCount: 1 } }, deliveries: { d } };
}

async function put(bench: Bench, ...texts: readonly string[]): Promise<void> {
  const Records = texts.map((text) => ({ PartitionKey: 'k', Data: base64(text) }));
  await bench.call(`${KINESIS}.PutRecords`, { StreamName: 'events', Records });
}

async function deleteStream(bench: Bench): Promise<void> {
  await bench.call(`${KINESIS}.DeleteStream`, { StreamName: 'events' });
}

async function lines(bench: Bench): Promise<readonly Answer[]> {
  const objects = [...(await bench.objects('failed'))].filter(([key]) => key.startsWith('retention-exceeded/'));
  return objects.flatMap(([, content]) => String(content).trimEnd().split('\n')).map((line) => JSON.parse(line));
}

function told(bench: Bench): readonly unknown[] {
  return bench.simulation.logged
    .filter(({ event }) => event === 'delivery.retention-exceeded')
    .map(({ fields }) => [fields['records'], fields['error']]);
}

test('records that waited for their function when their stream was deleted are told of, once, before those of a new one', async () => {
  for (const isCrashed of [false, true]) {
    const fake = new FakeDestination();
    const functions = new FakeFunctions({ f: upper });
    const bench = await new Bench(1, { destinations: [fake.kind] }).open(processed(), functions);
    await put(bench, 'a');
    await bench.simulation.pass(5000);
    delete functions.handlers['f'];
    await put(bench, 'b', 'c');
    await bench.simulation.pass(3000);
    await put(bench, 'd');
    await bench.simulation.pass(2000);
    await deleteStream(bench);
    await bench.simulation.pass(20_000);
    const [line, ...others] = await lines(bench);
    assert.deepEqual([line.errorCode, line.records, line.shardId], ['StreamDeleted', 3, 'shardId-000000000000']);
    assert.deepEqual([others, told(bench)], [[], [[3, 'StreamDeleted']]]);
    assert.ok(bench.node.health().problems.includes(TOLD));
    const { recordsDelivered, recordsLost } = await bench.admin('GET', '/admin/deliveries/{name}', { name: 'd' });
    assert.deepEqual([recordsDelivered, recordsLost], [1, 3]);
    if (isCrashed) {
      bench.simulation.crash();
      bench.simulation.restart();
      await bench.open(processed(), functions);
    } else await bench.call(`${KINESIS}.CreateStream`, { StreamName: 'events', ShardCount: 2 });
    functions.handlers['f'] = upper;
    await bench.simulation.pass(5000);
    await put(bench, 'e');
    await bench.simulation.pass(10_000);
    assert.deepEqual(fake.arrived, ['A', 'E']);
    assert.deepEqual([(await lines(bench)).length, told(bench).length], [1, 1], 'told once');
    await bench.close();
  }
});

test('a power cut while it is told, and where nobody saw how far the stream went: one line, and no record twice', async () => {
  for (let seed = 1; seed <= 12; seed += 1) {
    const fake = new FakeDestination();
    const functions = new FakeFunctions({ f: upper });
    const bench = await new Bench(seed, { destinations: [fake.kind] }).open(processed(), functions);
    await put(bench, 'a');
    await bench.simulation.pass(5000);
    delete functions.handlers['f'];
    await put(bench, 'b', 'c');
    await bench.simulation.pass(2000);
    await deleteStream(bench);
    await bench.simulation.pass(97 * seed);
    for (let crash = 0; crash < 2; crash += 1) {
      bench.simulation.crash();
      bench.simulation.restart();
      await bench.open(processed(), functions);
      await bench.simulation.pass(131 * seed);
    }
    functions.handlers['f'] = upper;
    await put(bench, 'd');
    await bench.simulation.pass(20_000);
    const [line, ...others] = await lines(bench);
    assert.deepEqual([line.errorCode, others, seed], ['StreamDeleted', [], seed]);
    assert.ok(line.records === null || line.records === 2, `seed ${seed}: ${line.records}`);
    assert.deepEqual([...new Set(fake.arrived)], ['A', 'D']);
    await bench.close();
  }
});

test('what was processed when its stream was deleted arrives, and nothing is told', async () => {
  const fake = new FakeDestination();
  const bench = await new Bench(1, { destinations: [fake.kind] }).open(processed(), new FakeFunctions({ f: upper }));
  await put(bench, 'a', 'b');
  await bench.simulation.pass(5000);
  await deleteStream(bench);
  await bench.simulation.pass(5000);
  await bench.call(`${KINESIS}.CreateStream`, { StreamName: 'events', ShardCount: 1 });
  await bench.simulation.pass(2000);
  await put(bench, 'c');
  await bench.simulation.pass(5000);
  assert.deepEqual(fake.arrived, ['A', 'B', 'C']);
  assert.deepEqual([told(bench), bench.node.health().problems], [[], []]);
});

test('records that a function delivery had not handed over when their stream was deleted are counted, said and shown', async () => {
  let isBroken = false;
  const functions = new FakeFunctions({
    f: () => {
      if (isBroken) throw new TypeError('no such thing');
    },
  });
  const bench = await new Bench().open(called(), functions);
  await put(bench, 'a');
  await bench.simulation.pass(3000);
  isBroken = true;
  await put(bench, 'b', 'c', 'd', 'e');
  await bench.simulation.pass(5000);
  await deleteStream(bench);
  await bench.simulation.pass(70_000);
  assert.deepEqual(told(bench), [[4, 'StreamDeleted']]);
  assert.ok(bench.node.health().problems.includes(TOLD));
  await bench.close();
  isBroken = false;
  await bench.open(called(), functions);
  await put(bench, 'f');
  await bench.simulation.pass(5000);
  assert.deepEqual(told(bench).length, 1, 'told once');
  assert.equal(functions.seen.at(-1), 'f');
});

test('a stream is split and merged while a function processes it, and the power goes: each record once, in order', async () => {
  const fake = new FakeDestination();
  const functions = new FakeFunctions({ f: upper });
  const bench = await new Bench(1, { destinations: [fake.kind] }).open(processed(), functions);
  const open = async (): Promise<readonly string[]> => {
    const { Shards } = await bench.call(`${KINESIS}.ListShards`, { StreamName: 'events' });
    return (Shards as readonly Answer[])
      .filter(({ SequenceNumberRange }) => SequenceNumberRange.EndingSequenceNumber === undefined)
      .map(({ ShardId }) => ShardId as string);
  };
  await put(bench, 'a', 'b');
  const [whole] = await open();
  const split = { StreamName: 'events', ShardToSplit: whole, NewStartingHashKey: String(1n << 127n) };
  await bench.call(`${KINESIS}.SplitShard`, split);
  await bench.simulation.pass(1200);
  await put(bench, 'c', 'd');
  bench.simulation.crash();
  bench.simulation.restart();
  await bench.open(processed(), functions);
  await bench.simulation.pass(1000);
  const [ShardToMerge, AdjacentShardToMerge] = await open();
  await bench.call(`${KINESIS}.MergeShards`, { StreamName: 'events', ShardToMerge, AdjacentShardToMerge });
  await put(bench, 'e', 'f');
  await bench.simulation.pass(20_000);
  assert.deepEqual([...new Set(fake.arrived)], ['A', 'B', 'C', 'D', 'E', 'F']);
  assert.deepEqual([told(bench), bench.node.health().problems], [[], []]);
  const { unprocessedRecords, shards } = await bench.admin('GET', '/admin/deliveries/{name}', { name: 'd' });
  assert.deepEqual([unprocessedRecords, shards.map(({ lagRecords }: Answer) => lagRecords)], [0, [0, 0, 0, 0]]);
});
