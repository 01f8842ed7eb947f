import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeliveryError } from '../../../kernel/errors.ts';
import { Unavailable } from '../../../ports/stream-store.ts';
import { FakeDestination } from '../../../testing/fake-destination.ts';
import { base64, Bench, toBucket, type Answer } from '../harness.fixture.ts';
import { firehoseLimits } from '../limits.ts';

const KINESIS = 'Kinesis_20131202';

async function put(bench: Bench, count: number, from: number): Promise<readonly string[]> {
  const texts = Array.from({ length: count }, (_, index) => `${from + index};`);
  const Records = texts.map((text, index) => ({ PartitionKey: `k${index}`, Data: base64(text) }));
  await bench.call(`${KINESIS}.PutRecords`, { StreamName: 'events', Records });
  return texts;
}

async function shards(bench: Bench): Promise<readonly string[]> {
  const { Shards } = await bench.call(`${KINESIS}.ListShards`, { StreamName: 'events' });
  const open = Shards.filter(
    (one: { SequenceNumberRange: object }) => !('EndingSequenceNumber' in one.SequenceNumberRange),
  );
  return open.map(({ ShardId }: { ShardId: string }) => ShardId);
}

async function delivered(bench: Bench): Promise<readonly string[]> {
  const objects = [...(await bench.objects('archive')).values()].map(String);
  return objects.flatMap((content) => content.match(/\d+;/g) ?? []);
}

test('a stream is split and merged while it is delivered, and the power goes: each record arrives once', async () => {
  const sections = {
    streams: { events: { ShardCount: 1 } },
    deliveries: { d: { from: 'events', ...toBucket('archive', 2) } },
  };
  const bench = await new Bench().open(sections);
  const texts = [...(await put(bench, 20, 0))];
  const [whole = ''] = await shards(bench);
  const half = String(1n << 127n);
  await bench.call(`${KINESIS}.SplitShard`, { StreamName: 'events', ShardToSplit: whole, NewStartingHashKey: half });
  await bench.simulation.pass(1000);
  texts.push(...(await put(bench, 20, 100)));
  bench.simulation.crash();
  bench.simulation.restart();
  await bench.open(sections);
  const [left = '', right = ''] = await shards(bench);
  const merge = { StreamName: 'events', ShardToMerge: left, AdjacentShardToMerge: right };
  await bench.call(`${KINESIS}.MergeShards`, merge);
  await bench.simulation.pass(1000);
  texts.push(...(await put(bench, 20, 200)));
  await bench.simulation.pass(10_000);
  assert.deepEqual([...(await delivered(bench))].sort(), [...texts].sort());
  assert.deepEqual(bench.node.health().problems, []);
});

test('a delivery stream is deleted and made again in mid-flight: its batch ends, and the new one begins anew', async () => {
  const fake = new FakeDestination(async ({ signal }) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    throw new DeliveryError('Fake.Stopped', 'the node stops', true);
  });
  const sections = {
    streams: { events: { ShardCount: 1 } },
    deliveries: { d: { from: 'events', fake: { S3Configuration: { BucketARN: 'failed' } } } },
  };
  const bench = await new Bench(1, { destinations: [fake.kind] }).open(sections);
  await put(bench, 1, 0);
  await bench.simulation.pass(3000);
  assert.deepEqual([fake.attempts.length, fake.arrived], [1, []]);
  await bench.call('DeleteDeliveryStream', { DeliveryStreamName: 'd' });
  fake.script = () => [];
  await bench.simulation.drive(bench.node.reload(sections));
  await bench.simulation.pass(5000);
  assert.deepEqual(fake.arrived, ['0;']);
  const [before, after] = fake.attempts.map(({ place }) => place);
  assert.notEqual(before, after, 'it knows nothing of the other');
  const { recordsDelivered, possibleDuplicates, attempts } = await bench.admin('GET', '/admin/deliveries/{name}', {
    name: 'd',
  });
  assert.deepEqual([recordsDelivered, possibleDuplicates, attempts.length], [1, 0, 1]);
  assert.equal((await bench.objects('failed')).size, 0);
});

test('closed shards that were delivered are waited for no more', async () => {
  const sections = {
    streams: { events: { ShardCount: 4 } },
    deliveries: { d: { from: 'events', ...toBucket('archive', 1) } },
  };
  const bench = await new Bench().open(sections);
  const texts = [...(await put(bench, 20, 0))];
  const call = { StreamName: 'events', TargetShardCount: 2, ScalingType: 'UNIFORM_SCALING' };
  await bench.call(`${KINESIS}.UpdateShardCount`, call);
  texts.push(...(await put(bench, 20, 100)));
  await bench.simulation.pass(10_000);
  assert.deepEqual([...(await delivered(bench))].sort(), [...texts].sort());
  const { clock } = bench.simulation.environment;
  const sleep = clock.sleep.bind(clock);
  let looks = 0;
  clock.sleep = async (ms, signal) => {
    if (ms === firehoseLimits.idleMs) looks += 1;
    await sleep(ms, signal);
  };
  await bench.simulation.pass(60_000);
  assert.ok(looks > 30 && looks < 90, `${looks} looks in a minute`);
});

test('a delivery that cannot be deleted, paused or resumed as the disk is full goes on as it was', async () => {
  const sections = {
    streams: { events: { ShardCount: 1 } },
    deliveries: { d: { from: 'events', ...toBucket('archive', 1) } },
  };
  const bench = await new Bench().open(sections);
  const refused = async (work: () => Promise<unknown>): Promise<void> => {
    bench.simulation.failNext('write', 'ENOSPC', 'ENOSPC');
    await assert.rejects(work, Unavailable);
    const Records = [{ PartitionKey: 'k', Data: base64('-') }];
    let isFull = true;
    while (isFull)
      isFull = (await bench.call(`${KINESIS}.PutRecords`, { StreamName: 'events', Records })).FailedRecordCount > 0;
  };
  const ask = async (what: string): Promise<unknown> =>
    await bench.admin('POST', `/admin/deliveries/{name}/${what}`, { name: 'd' });
  await refused(async () => await bench.call('DeleteDeliveryStream', { DeliveryStreamName: 'd' }));
  const texts = [...(await put(bench, 3, 0))];
  await bench.simulation.pass(5000);
  assert.deepEqual([...(await delivered(bench))].sort(), [...texts].sort());
  await refused(async () => await ask('pause'));
  texts.push(...(await put(bench, 3, 10)));
  await bench.simulation.pass(5000);
  assert.deepEqual([...(await delivered(bench))].sort(), [...texts].sort());
  await ask('pause');
  await refused(async () => await ask('resume'));
  texts.push(...(await put(bench, 3, 20)));
  await ask('resume');
  await bench.simulation.pass(5000);
  assert.deepEqual([...(await delivered(bench))].sort(), [...texts].sort());
});

test('a clock that is set across the hour of a prefix moves no batch: its key is of its oldest record, and planned once', async () => {
  const hour = 3_600_000;
  const sections = { deliveries: { d: toBucket('archive', 30) } };
  const bench = await new Bench().open(sections);
  await bench.call('PutRecord', { DeliveryStreamName: 'd', Record: { Data: base64('0;') } });
  bench.simulation.stepClock(2 * hour);
  await bench.simulation.pass(1000);
  bench.simulation.crash();
  bench.simulation.restart();
  await bench.open(sections);
  bench.simulation.stepClock(-2 * hour);
  await bench.simulation.pass(60_000);
  const [key = '', ...others] = (await bench.objects('archive')).keys();
  assert.deepEqual(others, []);
  assert.match(key, /^2026\/01\/01\/00\/d-1-2026-01-01-00-/);
});

test('records that expire as their batch begins to leave make no empty object: they are told as gone', async () => {
  const fake = new FakeDestination();
  let expire = (): void => undefined;
  const open: typeof fake.kind.open = (...given) => {
    const opened = fake.kind.open(...given);
    const deliver: typeof opened.deliver = async (...asked) => {
      expire();
      return await opened.deliver(...asked);
    };
    return { ...opened, deliver };
  };
  const bench = await new Bench(1, { destinations: [{ ...fake.kind, open }] }).open({
    streams: { events: { ShardCount: 1 } },
    deliveries: { d: { from: 'events', fake: { S3Configuration: { BucketARN: 'failed', Prefix: '' } } } },
  });
  const put = async (text: string): Promise<Answer> =>
    await bench.call('Kinesis_20131202.PutRecord', { StreamName: 'events', PartitionKey: 'k', Data: base64(text) });
  expire = () => {
    bench.simulation.stepClock(25 * 3_600_000);
    expire = () => undefined;
  };
  await put('gone');
  await bench.simulation.pass(10_000);
  assert.equal(fake.attempts.length, 0, 'nothing was sent');
  const keys = [...(await bench.objects('failed')).keys()];
  assert.deepEqual([keys.length, keys[0]?.startsWith('retention-exceeded/')], [1, true]);
  await put('next');
  await bench.simulation.pass(10_000);
  assert.deepEqual(fake.arrived, ['next']);
  const { recordsDelivered, recordsLost } = await bench.admin('GET', '/admin/deliveries/{name}', { name: 'd' });
  assert.deepEqual([recordsDelivered, recordsLost], [1, 1]);
});
