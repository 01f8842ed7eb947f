import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeliveryError } from '../../kernel/errors.ts';
import { FakeDestination, refusing } from '../../testing/fake-destination.ts';
import { aggregated } from '../../wire/kpl/aggregated-record.fixture.ts';
import { base64, Bench, FakeFunctions, type Answer } from './harness.fixture.ts';

const BUCKET = 'failed';

function processedBy(handler: string | undefined): Record<string, unknown> {
  const Parameters = [
    { ParameterName: 'LambdaArn', ParameterValue: handler },
    { ParameterName: 'BufferIntervalInSeconds', ParameterValue: '1' },
  ];
  const ProcessingConfiguration = { Enabled: true, Processors: [{ Type: 'Lambda', Parameters }] };
  const fake = {
    S3Configuration: { BucketARN: BUCKET },
    ...(handler !== undefined && { ProcessingConfiguration }),
  };
  return { streams: { events: { ShardCount: 1 } }, deliveries: { d: { from: 'events', fake } } };
}

/** A function that drops `drop`, fails `bad`, and gives all others in capitals. */
function sorting(): FakeFunctions {
  return new FakeFunctions({
    f: ({ records }) => ({
      records: (records as readonly Answer[]).map(({ recordId, data }) => {
        const text = Buffer.from(data, 'base64').toString();
        if (text === 'drop') return { recordId, result: 'Dropped' };
        if (text === 'bad') return { recordId, result: 'ProcessingFailed' };
        return { recordId, result: 'Ok', data: base64(text.toUpperCase()) };
      }),
    }),
  });
}

async function put(bench: Bench, ...texts: readonly string[]): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const text of texts) {
    const record = { StreamName: 'events', PartitionKey: 'k', Data: base64(text) };
    ids.push((await bench.call('Kinesis_20131202.PutRecord', record)).SequenceNumber as string);
  }
  return ids;
}

async function fates(bench: Bench, ids: readonly string[]): Promise<readonly Answer[]> {
  const found: Answer[] = [];
  for (const id of ids)
    found.push(await bench.admin('GET', '/admin/deliveries/{name}/records/{id}', { name: 'd', id }));
  return found;
}

function states(told: readonly Answer[]): readonly string[] {
  return told.map(({ state }) => state);
}

async function keyOf(bench: Bench, type: string): Promise<string> {
  const [key = ''] = [...(await bench.objects(BUCKET)).keys()].filter((one) => one.startsWith(type));
  return `/data/buckets/${BUCKET}/${key}`;
}

test('records that a function takes: each says how far it is, and what became of it', async () => {
  let isDown = false;
  const fake = new FakeDestination(() => {
    if (isDown) throw new DeliveryError('Fake.Down', 'not now', true);
    return [];
  });
  const functions = sorting();
  const { f } = functions.handlers;
  const bench = await new Bench(1, { destinations: [fake.kind] }).open(processedBy('f'), functions);
  const first = await put(bench, 'drop', 'one', 'drop', 'bad', 'two', 'drop');
  assert.deepEqual(states(await fates(bench, first)), Array(6).fill('unprocessed'));
  await bench.simulation.pass(10_000);
  const delivered = ['dropped', 'delivered', 'dropped', 'processing failed', 'delivered', 'dropped'];
  const told = await fates(bench, first);
  assert.deepEqual(states(told), delivered);
  assert.deepEqual([told[1].place, told[1].dataId], [fake.attempts[0]?.place, `${first[1]}.0`]);
  assert.deepEqual([told[3].place, told[3].dataId], [await keyOf(bench, 'processing-failed'), undefined]);
  isDown = true;
  const second = await put(bench, 'three', 'drop');
  await bench.simulation.pass(4000);
  const third = await put(bench, 'four', 'bad', 'drop');
  await bench.simulation.pass(4000);
  delete functions.handlers['f'];
  const fourth = await put(bench, 'five');
  await bench.simulation.pass(4000);
  const now = await fates(bench, [...second, ...third, ...fourth]);
  assert.deepEqual(states(now), ['in flight', 'dropped', 'waiting', 'processing failed', 'dropped', 'unprocessed']);
  assert.deepEqual([now[0].place, now[0].attempts.code], [fake.attempts.at(-1)?.place, 'Fake.Down']);
  assert.deepEqual([now[3].code, now[3].place], ['Lambda.ProcessingFailedStatus', undefined]);
  isDown = false;
  if (f !== undefined) functions.handlers['f'] = f;
  await bench.simulation.pass(60_000);
  await bench.close();
  await bench.open(processedBy('f'), functions);
  const all = states(await fates(bench, [...first, ...second, ...third, ...fourth]));
  assert.deepEqual(all, [
    ...delivered,
    'delivered',
    'dropped',
    'delivered',
    'processing failed',
    'dropped',
    'delivered',
  ]);
});

test('of what a producer packed one state tells of all parts: one that failed, else one that arrived, else dropped', async () => {
  const fake = new FakeDestination(refusing((text) => text === 'NO', false));
  const bench = await new Bench(1, { destinations: [fake.kind] }).open(processedBy('f'), sorting());
  const table = [
    ['delivered', 'one', 'drop'],
    ['delivered', 'drop', 'two'],
    ['dropped', 'drop', 'drop'],
    ['processing failed', 'three', 'bad', 'drop'],
    ['failed', 'bad', 'four', 'no'],
    ['dropped', 'drop'],
  ];
  const ids: string[] = [];
  for (const [, ...texts] of table) {
    const packed = aggregated(
      ['k'],
      texts.map((data) => ({ key: 0, data })),
    );
    const record = { StreamName: 'events', PartitionKey: 'k', Data: packed.toString('base64') };
    ids.push((await bench.call('Kinesis_20131202.PutRecord', record)).SequenceNumber as string);
  }
  await bench.simulation.pass(10_000);
  assert.deepEqual(
    states(await fates(bench, ids)),
    table.map(([state]) => state),
  );
});

test('records before, under and behind processing are found, each where it went', async () => {
  const fake = new FakeDestination();
  const functions = sorting();
  const bench = await new Bench(1, { destinations: [fake.kind] }).open(processedBy(undefined), functions);
  const ids: string[] = [];
  for (const handler of [undefined, 'f', undefined, 'f']) {
    await bench.simulation.drive(bench.node.reload(processedBy(handler)));
    await bench.simulation.pass(5000);
    ids.push(...(await put(bench, 'drop', 'one')));
    await bench.simulation.pass(5000);
  }
  const told = await fates(bench, ids);
  const [plain, processed] = [
    ['delivered', 'delivered'],
    ['dropped', 'delivered'],
  ];
  assert.deepEqual(states(told), [...plain, ...processed, ...plain, ...processed].flat());
  const places = told.filter(({ state }) => state === 'delivered').map(({ place }) => place);
  const sent = fake.attempts.map(({ place }) => place);
  assert.deepEqual([...new Set(places)], sent);
});

test('records that were gone when their batch left say so, and why, beside those that arrived', async () => {
  const fake = new FakeDestination();
  const functions = sorting();
  const bench = await new Bench(1, { destinations: [fake.kind] }).open(processedBy(undefined), functions);
  const gone = await put(bench, 'one', 'two');
  await bench.close();
  await bench.simulation.pass(25 * 3_600_000);
  await bench.open(processedBy(undefined), functions);
  const later = await put(bench, 'three');
  await bench.simulation.pass(10_000);
  const told = await fates(bench, [...gone, ...later]);
  const place = await keyOf(bench, 'retention-exceeded');
  assert.deepEqual(
    told.map((one) => [one.state, one.cause, one.place]),
    [
      ['lost', 'RetentionExceeded', place],
      ['lost', 'RetentionExceeded', place],
      ['delivered', undefined, fake.attempts[0]?.place],
    ],
  );
});

test('records of a stream that was deleted say whether they arrived before, also when there is another one', async () => {
  const fake = new FakeDestination();
  const functions = sorting();
  const bench = await new Bench(1, { destinations: [fake.kind] }).open(processedBy(undefined), functions);
  const arrived = [...(await put(bench, 'one')), ...(await pausedPut(bench, 'two'))];
  const lost = await put(bench, 'three');
  await bench.simulation.pass(300);
  await bench.call('Kinesis_20131202.DeleteStream', { StreamName: 'events' });
  await bench.simulation.pass(5000);
  const expected = ['delivered', 'delivered', 'lost'];
  const told = await fates(bench, [...arrived, ...lost]);
  assert.deepEqual([states(told), told[2].cause], [expected, 'StreamDeleted']);
  await bench.call('Kinesis_20131202.CreateStream', { StreamName: 'events', ShardCount: 1 });
  await bench.simulation.pass(2000);
  for (const text of ['four', 'five', 'six']) await pausedPut(bench, text);
  assert.deepEqual(states(await fates(bench, [...arrived, ...lost])), expected);
});

async function pausedPut(bench: Bench, text: string): Promise<readonly string[]> {
  const ids = await put(bench, text);
  await bench.simulation.pass(5000);
  return ids;
}
