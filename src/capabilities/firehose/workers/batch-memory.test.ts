import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeliveryError } from '../../../kernel/errors.ts';
import { FakeDestination } from '../../../testing/fake-destination.ts';
import { base64, Bench, FakeFunctions, type Answer } from '../harness.fixture.ts';
import { firehoseLimits } from '../limits.ts';

const { refusableRecordsMax, keptMessageCharactersMax, attemptBytesMax } = firehoseLimits;
const MIB = 1024 * 1024;
const S3Configuration = { BucketARN: 'failed', BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 1 } };

/** Puts so many small records, numbered. */
async function putMany(bench: Bench, DeliveryStreamName: string, count: number): Promise<void> {
  for (let first = 0; first < count; first += 500) {
    const Records = Array.from({ length: Math.min(500, count - first) }, (_, at) => ({
      Data: base64(`${first + at}`),
    }));
    await bench.call('PutRecordBatch', { DeliveryStreamName, Records });
  }
}

test('of a large batch that is refused record by record each has its line, and only so much of the words is kept', async () => {
  const message = (text: string): string => `${text} is not wanted ${'here '.repeat(20)}`;
  const fake = new FakeDestination(({ records }) =>
    records.map(({ text }, index) => ({ index, code: 'Fake.No', message: message(text), retryable: false })),
  );
  const count = refusableRecordsMax + 400;
  const bench = await new Bench(1, { destinations: [fake.kind] }).open({
    deliveries: { d: { fake: { S3Configuration, BufferSeconds: 900 } } },
  });
  await bench.admin('POST', '/admin/deliveries/{name}/pause', { name: 'd' });
  await putMany(bench, 'd', count);
  await bench.admin('POST', '/admin/deliveries/{name}/resume', { name: 'd' });
  await bench.admin('POST', '/admin/deliveries/{name}/flush', { name: 'd' });
  assert.deepEqual(
    fake.attempts.map(({ records }) => records.length),
    [refusableRecordsMax, 400],
  );
  const objects = [...(await bench.objects('failed')).values()];
  const lines = objects.map((bytes) =>
    String(bytes)
      .trimEnd()
      .split('\n')
      .map((line): Answer => JSON.parse(line)),
  );
  const texts = lines.flat().map(({ rawData }) => Number(Buffer.from(rawData, 'base64').toString()));
  assert.deepEqual(
    texts.toSorted((one, other) => one - other),
    Array.from({ length: count }, (_, index) => index),
  );
  for (const of of lines) {
    const kept = new Set(of.map(({ errorMessage }) => errorMessage as string));
    const characters = [...kept].reduce((sum, { length }) => sum + length, 0);
    assert.ok(characters <= keptMessageCharactersMax, `${characters} characters`);
    assert.ok(of.every(({ errorMessage }) => errorMessage.includes(' is not wanted ')));
  }
  const { recordsFailed } = await bench.admin('GET', '/admin/deliveries/{name}', { name: 'd' });
  assert.equal(recordsFailed, count);
  const fate = await bench.admin('GET', '/admin/deliveries/{name}/records/{id}', {
    name: 'd',
    id: lines[0]?.[7].dataId.split('.')[0],
  });
  assert.equal(fate.state, 'failed');
  await bench.close();
});

/** The highest that the gauges came to, by name and use. */
function watch(bench: Bench): ReadonlyMap<string, number> {
  const { meter } = bench.simulation.environment;
  const highest = new Map<string, number>();
  const gauge = meter.gauge.bind(meter);
  meter.gauge = (name, labels, value) => {
    const key = `${name} ${labels['use'] ?? ''}`;
    highest.set(key, Math.max(value, highest.get(key) ?? 0));
    gauge(name, labels, value);
  };
  return highest;
}

test('deliveries that fail, slowly, hold no more than the bound together, and each has its turn', async () => {
  const [deliveries, each] = [20, 60 * MIB];
  const fake = new FakeDestination();
  fake.holdsBytes = each;
  const names = Array.from({ length: deliveries }, (_, index) => `d${index}`);
  const bench = new Bench(1, { destinations: [fake.kind] });
  const highest = watch(bench);
  await bench.open({
    deliveries: Object.fromEntries(names.map((name) => [name, { fake: { S3Configuration, RetrySeconds: 7200 } }])),
  });
  const { clock } = bench.simulation.environment;
  let [now, most, isUp] = [0, 0, false];
  const tries = new Map<string, number>();
  fake.script = async ({ records }) => {
    const text = records[0]?.text ?? '';
    tries.set(text, (tries.get(text) ?? 0) + 1);
    now += 1;
    most = Math.max(most, now);
    await clock.sleep(5000);
    now -= 1;
    if (isUp) return [];
    // Some fail in part, some as a whole.
    if (Number(text.slice(1)) % 2 === 1) throw new DeliveryError('Fake.Down', 'down', true);
    return [{ index: 0, code: 'Fake.Busy', message: 'busy', retryable: true }];
  };
  for (const name of names) {
    await bench.call('PutRecordBatch', {
      DeliveryStreamName: name,
      Records: [name, 'x'].map((text) => ({ Data: base64(text) })),
    });
  }
  await bench.simulation.pass(120_000);
  assert.equal(tries.size, deliveries);
  const counts = [...tries.values()];
  assert.ok(Math.min(...counts) >= 3 && Math.max(...counts) - Math.min(...counts) <= 2, `tries: ${counts.join(' ')}`);
  const held = highest.get('firehose_held_bytes attempts') ?? 0;
  assert.ok(held > attemptBytesMax / 2 && held <= attemptBytesMax, `${held} bytes`);
  assert.equal(most, Math.floor(attemptBytesMax / (held / most)), 'as many as there is room for');
  assert.ok((highest.get('firehose_waiting_for_memory attempts') ?? 0) >= deliveries - most);
  isUp = true;
  await bench.simulation.pass(180_000);
  assert.deepEqual(fake.arrived.filter((text) => text !== 'x').toSorted(), names.toSorted());
  await bench.close();
});

test('who waits for memory does not keep a node from its end', async () => {
  const fake = new FakeDestination();
  fake.holdsBytes = attemptBytesMax;
  const bench = await new Bench(1, { destinations: [fake.kind] }).open({
    deliveries: { one: { fake: { S3Configuration } }, other: { fake: { S3Configuration } } },
  });
  const { clock } = bench.simulation.environment;
  fake.script = async ({ signal }) => {
    await clock.sleep(3_600_000, signal);
    throw new DeliveryError('Fake.Slow', 'slow', true);
  };
  for (const name of ['one', 'other'])
    await bench.call('PutRecord', { DeliveryStreamName: name, Record: { Data: base64(name) } });
  await bench.simulation.pass(10_000);
  assert.equal(fake.attempts.length, 1);
  await bench.close();
  fake.script = () => [];
  await bench.open();
  await bench.simulation.pass(10_000);
  assert.deepEqual(fake.arrived.toSorted(), ['one', 'other']);
  await bench.close();
});

test('what a function made of records counts by what it came to, and not by what it might have', async () => {
  const fake = new FakeDestination();
  const bench = new Bench(1, { destinations: [fake.kind] });
  const highest = watch(bench);
  const functions = new FakeFunctions({
    f: ({ records }) => ({ records: (records as readonly Answer[]).map((one) => ({ ...one, result: 'Ok' })) }),
  });
  const Parameters = Object.entries({ LambdaArn: 'f', BufferIntervalInSeconds: '1' }).map(
    ([ParameterName, ParameterValue]) => ({ ParameterName, ParameterValue }),
  );
  const ProcessingConfiguration = { Enabled: true, Processors: [{ Type: 'Lambda', Parameters }] };
  await bench.open({ deliveries: { d: { fake: { S3Configuration, ProcessingConfiguration } } } }, functions);
  const held = (): number => (highest.get('firehose_held_bytes attempts') ?? 0) / MIB;
  const sent: number[] = [];
  for (const bytes of [10, 900_000]) {
    await bench.call('PutRecord', { DeliveryStreamName: 'd', Record: { Data: base64('x'.repeat(bytes)) } });
    await bench.simulation.pass(10_000);
    sent.push(fake.arrived.length);
    assert.ok(held() > 0 && held() < 16, `${held()} MiB for ${bytes} bytes`);
  }
  assert.deepEqual(sent, [1, 2]);
  await bench.close();
});
