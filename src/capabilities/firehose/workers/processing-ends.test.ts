import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeliveryError } from '../../../kernel/errors.ts';
import { FakeDestination } from '../../../testing/fake-destination.ts';
import { base64, Bench, FakeFunctions, type Answer, type FakeHandler } from '../harness.fixture.ts';

const BUCKET = 'failed';

/** One delivery `d` of a stream, processed by the function `f`, or as the records come. */
function sections(handler?: string): Record<string, unknown> {
  const parameters = { BufferIntervalInSeconds: '1', BufferSizeInMBs: '3', LambdaArn: handler ?? '' };
  const Parameters = Object.entries(parameters).map(([ParameterName, ParameterValue]) => ({
    ParameterName,
    ParameterValue,
  }));
  const ProcessingConfiguration = { Enabled: true, Processors: [{ Type: 'Lambda', Parameters }] };
  const fake = { S3Configuration: { BucketARN: BUCKET }, ...(handler !== undefined && { ProcessingConfiguration }) };
  return { streams: { events: { ShardCount: 1 } }, deliveries: { d: { from: 'events', fake } } };
}

/** Fails `bad`, and marks all others. */
const mark: FakeHandler = ({ records }) => ({
  records: (records as readonly Answer[]).map(({ recordId, data }) => {
    const text = Buffer.from(data, 'base64').toString();
    if (text === 'bad') return { recordId, result: 'ProcessingFailed' };
    return { recordId, result: 'Ok', data: base64(`f:${text}`) };
  }),
});

async function put(bench: Bench, ...texts: readonly string[]): Promise<void> {
  const Records = texts.map((text) => ({ PartitionKey: 'k', Data: base64(text) }));
  await bench.call('Kinesis_20131202.PutRecords', { StreamName: 'events', Records });
}

async function unprocessed(bench: Bench): Promise<readonly string[]> {
  const objects = [...(await bench.objects(BUCKET))].filter(([key]) => key.startsWith('processing-failed/'));
  return objects.map(([, content]) => String(content));
}

function downUntil(isUp: () => boolean): FakeDestination {
  return new FakeDestination(() => {
    if (!isUp()) throw new DeliveryError('Fake.Down', 'not now', true);
    return [];
  });
}

/** The power goes so many operations of the disk after the lines of what could not be processed stand there. */
function cutBehindLines(bench: Bench, operations: number): void {
  const { files } = bench.simulation.environment;
  const rename = files.rename.bind(files);
  files.rename = async (from, to) => {
    await rename(from, to);
    if (to.includes('processing-failed')) bench.simulation.crashAfterFileOperations(operations);
  };
}

test('processing is taken away while what failed waits: its line names its function, and has a place that was planned', async () => {
  for (let operations = 1; operations <= 6; operations += 1) {
    let isUp = false;
    const fake = downUntil(() => isUp);
    const functions = new FakeFunctions({ f: mark });
    const bench = await new Bench(1, { destinations: [fake.kind] }).open(sections('f'), functions);
    await put(bench, 'one');
    await bench.simulation.pass(3000);
    await put(bench, 'bad', 'two');
    await bench.simulation.pass(3000);
    await bench.simulation.drive(bench.node.reload(sections()));
    await put(bench, 'three');
    cutBehindLines(bench, operations);
    isUp = true;
    await assert.rejects(bench.simulation.pass(60_000), { name: 'SimulatedCrash' });
    bench.simulation.restart();
    await bench.open(sections(), functions);
    await bench.simulation.pass(60_000);
    assert.deepEqual([...new Set(fake.arrived)], ['f:one', 'f:two', 'three']);
    const [object = '', ...others] = await unprocessed(bench);
    assert.deepEqual(others, [], `cut after ${operations} operations: the same lines at the same place`);
    const { rawData, lambdaArn } = JSON.parse(object);
    assert.deepEqual([rawData, lambdaArn], [base64('bad'), 'f']);
  }
});

test('a flush that is asked for while processing begins is answered once all is delivered, not after a minute', async () => {
  const fake = new FakeDestination();
  const functions = new FakeFunctions({ f: mark });
  const bench = await new Bench(1, { destinations: [fake.kind] }).open(sections('f'), functions);
  const openedAt = bench.simulation.now;
  const { flushed } = await bench.admin('POST', '/admin/deliveries/{name}/flush', { name: 'd' });
  assert.equal(flushed, true);
  assert.ok(bench.simulation.now - openedAt < 5000, String(bench.simulation.now - openedAt));
});

test('processing is added while plain batches are due: they leave as they came, and before all others', async () => {
  let isUp = false;
  const fake = downUntil(() => isUp);
  const functions = new FakeFunctions({ f: mark });
  const bench = await new Bench(1, { destinations: [fake.kind] }).open(sections(), functions);
  await put(bench, 'one');
  await bench.simulation.pass(3000);
  await put(bench, 'two');
  await bench.simulation.drive(bench.node.reload(sections('f')));
  await bench.simulation.pass(3000);
  bench.simulation.crash();
  bench.simulation.restart();
  await bench.open(sections('f'), functions);
  await put(bench, 'three');
  isUp = true;
  await bench.simulation.pass(60_000);
  assert.deepEqual(
    [...new Set(fake.arrived)].map((text) => text.replace('f:', '')),
    ['one', 'two', 'three'],
  );
  assert.equal(fake.arrived[0], 'one');
  assert.equal(fake.arrived.at(-1), 'f:three');
});

test('processing is taken away in the middle of what makes several events: no record leaves in both ways', async () => {
  const fake = new FakeDestination();
  const functions = new FakeFunctions({
    f: async (event, signal) => {
      // The second call never ends by itself.
      if (functions.events.length > 1) await new Promise((resolve) => signal?.addEventListener('abort', resolve));
      return mark(event, signal);
    },
  });
  const bench = await new Bench(1, { destinations: [fake.kind] }).open(sections('f'), functions);
  const texts = Array.from({ length: 4500 }, (_, index) => `${index}`.padStart(690, '.'));
  for (let from = 0; from < texts.length; from += 500) await put(bench, ...texts.slice(from, from + 500));
  await bench.simulation.pass(3000);
  assert.equal(functions.events.length, 2);
  await bench.simulation.drive(bench.node.reload(sections()));
  await bench.simulation.pass(60_000);
  const arrived = fake.arrived.map((text) => text.replace('f:', ''));
  assert.equal(arrived.length, texts.length);
  assert.deepEqual(new Set(arrived), new Set(texts));
  assert.ok(fake.arrived.some((text) => text.startsWith('f:')) && fake.arrived.some((text) => !text.startsWith('f:')));
});
