/** Subscribers that read nothing, and what the others notice of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kinesisLimits } from './limits.ts';
import { openSubscribed, type SubscribedBench, type WatchedSubscriber } from './subscriber.fixture.ts';

const ALL = { StartingPosition: { Type: 'TRIM_HORIZON' } };
const MIB = 1024 * 1024;

interface Stalled {
  readonly bench: SubscribedBench;
  readonly stalled: readonly WatchedSubscriber[];
  readonly metric: (name: string) => number | undefined;
}

/** A stream with two records of 9 MiB, and six subscribers that never take the second one. */
async function stall(): Promise<Stalled> {
  const bench = await openSubscribed();
  await bench.kinesis('CreateStream', { StreamName: 'large', ShardCount: 1, MaxRecordSizeInKiB: 10_240 });
  for (const letter of 'xy') await append(bench, 'large', Buffer.alloc(9 * MIB, letter));
  const stalled: WatchedSubscriber[] = [];
  for (let index = 0; index < 6; index += 1) {
    const subscriber = await bench.subscribe(await bench.register('large', `c${index}`), ALL);
    subscriber.isStalled = true;
    stalled.push(subscriber);
  }
  await bench.pass(100);
  return { bench, stalled, metric: (name) => bench.simulation.metrics.get(`${name}{}`) };
}

async function append(bench: SubscribedBench, stream: string, data: Uint8Array): Promise<void> {
  await bench.simulation.drive(bench.node.records.append(stream, [{ partitionKey: 'k', data }]));
}

test('six subscribers that stop at large records hold up nobody who follows small ones', async () => {
  const { bench, stalled, metric } = await stall();
  const seeing = stalled.filter(({ events }) => events > 0).length;
  assert.deepEqual([seeing, metric('kinesis_fan_out_waiting')], [5, 1], 'what all share is taken');
  const healthy = await bench.subscribe(await bench.prepare('small'));
  for (let index = 0; index < 100; index += 1) {
    await bench.put(String(index), '0', 'small');
    await bench.pass(1);
    assert.equal(healthy.texts.split(' ').at(-1), String(index));
  }
  const held = metric('kinesis_fan_out_bytes') ?? Number.NaN;
  assert.ok(held <= kinesisLimits.fanOutBytesMax + kinesisLimits.smallEventBytesMax, `${held} bytes are held`);
  assert.deepEqual(stalled.map(({ transcript }) => transcript.endsWith('cut')), Array.from(stalled, () => false));
}); // prettier-ignore

test('records of a small event come in order and each once, whatever their keys are escaped to', async () => {
  const { bench } = await stall();
  await bench.kinesis('CreateStream', { StreamName: 'small', ShardCount: 1 });
  const partitionKey = '\u0001'.repeat(256);
  const texts = Array.from({ length: 200 }, (_, index) => `${index}${'z'.repeat(index * 10)}`);
  const inputs = texts.map((text) => ({ partitionKey, data: Buffer.from(text) }));
  await bench.simulation.drive(bench.node.records.append('small', inputs));
  const healthy = await bench.subscribe(await bench.register('small', 'c'), ALL);
  await bench.pass(100);
  assert.equal(healthy.texts, texts.join(' '));
});

test('who takes nothing while others wait for memory is cut, and not before', async () => {
  const { bench, stalled, metric } = await stall();
  const [first] = stalled;
  const patient = await bench.subscribe(await bench.register('large', 'healthy'), ALL);
  const largestMs = kinesisLimits.stalledMs + (12 * MIB) / kinesisLimits.slowestBytesPerMs;
  await bench.pass(largestMs - 1000);
  assert.deepEqual([patient.events, metric('kinesis_subscriptions_cut_total')], [0, undefined]);
  first?.resume();
  await bench.pass(1000);
  assert.equal(first?.transcript.includes('cut'), false, 'it reads again');
  await bench.pass(2000);
  assert.equal(patient.texts.length, 2 * 9 * MIB + 1);
  assert.deepEqual([metric('kinesis_subscriptions_cut_total'), metric('kinesis_fan_out_waiting')], [4, 0]);
});

test('who takes nothing is left alone while nobody waits', async () => {
  const bench = await openSubscribed();
  const subscriber = await bench.subscribe(await bench.prepare('a'));
  subscriber.isStalled = true;
  await bench.put('0 1');
  await bench.pass(60_000);
  subscriber.resume();
  await bench.pass(1);
  assert.equal(subscriber.texts, '0 1');
});
