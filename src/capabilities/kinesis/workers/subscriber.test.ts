import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeSequenceNumber } from '../../../kernel/stream/sequence-number.ts';
import { openSubscribed, SHARD, type SubscribedBench } from '../subscriber.fixture.ts';

const ALL = { StartingPosition: { Type: 'TRIM_HORIZON' } };
const MIDDLE = (2n ** 127n).toString();

/** Counts reads of records of the log. */
function countReads({ node }: SubscribedBench): { reads: number } {
  const counted = { reads: 0 };
  const read = node.records.read.bind(node.records);
  node.records.read = async (...given) => {
    counted.reads += 1;
    return await read(...given);
  };
  return counted;
}

test('a record is sent when its commit is durable, not when a timer fires', async () => {
  const bench = await openSubscribed();
  const subscriber = await bench.subscribe(await bench.prepare());
  for (const text of ['0', '1', '2']) {
    await bench.pass(777);
    await bench.put(text);
    await bench.pass(0);
    assert.equal(subscriber.texts.split(' ').at(-1), text);
  }
});

test('when nothing comes the subscriber hears where it stands, and can go on from there', async () => {
  const bench = await openSubscribed();
  const arn = await bench.prepare();
  const subscriber = await bench.subscribe(arn);
  await bench.pass(1);
  assert.equal(subscriber.events, 1, 'at once');
  const front = subscriber.continuation;
  await bench.pass(10_001);
  assert.equal(subscriber.events, 3, 'and every five seconds');
  await bench.put('0 1');
  await bench.pass(1);
  const behind = subscriber.continuation;
  assert.equal(subscriber.texts, '0 1');
  assert.ok(BigInt(behind) > BigInt(front));
  await bench.put('2');
  const table: readonly (readonly [number: string, texts: string])[] = [
    [front, '0 1 2'],
    [behind, '2'],
  ];
  for (const [SequenceNumber, texts] of table) {
    for (const Type of ['AT_SEQUENCE_NUMBER', 'AFTER_SEQUENCE_NUMBER']) {
      const again = await bench.subscribe(
        await bench.register('a', `c${SequenceNumber.slice(-6)}${Type.slice(0, 3)}`),
        {
          StartingPosition: { Type, SequenceNumber },
        },
      );
      await bench.pass(1);
      assert.equal(again.texts, texts, `${Type} ${decodeSequenceNumber(SequenceNumber)?.offset}`);
    }
  }
});

test('how far behind: as old as what was read last, 0 at the tip, also with a clock that was set back', async () => {
  const bench = await openSubscribed();
  const arn = await bench.prepare();
  const inputs = Array.from({ length: 1500 }, (_, index) => ({ partitionKey: 'k', data: Buffer.from(`${index}`) }));
  await bench.simulation.drive(bench.node.records.append('a', inputs));
  await bench.pass(1000);
  const late = await bench.subscribe(arn, ALL);
  await bench.pass(1);
  const behind = late.seen.map((event) => /\((\d+)\)$/.exec(event)?.[1]);
  assert.equal(behind.length, 2);
  assert.ok(Number(behind[0]) >= 1000 && Number(behind[0]) < 1100, `${behind[0]} ms`);
  assert.equal(behind[1], '0');
  assert.equal(late.texts, inputs.map(({ data }) => data.toString()).join(' '));
  bench.simulation.stepClock(-60_000);
  await bench.pass(5000);
  const early = await bench.subscribe(arn, ALL);
  await bench.pass(1);
  assert.match(early.seen[0] ?? '', /\(1\)$/);
});

test('a split in the middle: the children, then the end; each child from its beginning, then the merge', async () => {
  const bench = await openSubscribed();
  const arn = await bench.prepare();
  const parent = await bench.subscribe(arn);
  await bench.put('0 1');
  await bench.kinesis('SplitShard', { StreamName: 'a', ShardToSplit: SHARD, NewStartingHashKey: MIDDLE });
  await bench.put('2');
  await bench.put('3', MIDDLE);
  await bench.pass(100);
  assert.equal(parent.transcript, '0 (0) | 1 (0) | children 1,2 | end');
  assert.equal(parent.continuation, '');
  const children = [
    await bench.subscribe(arn, { ...ALL, ShardId: 'shardId-000000000001' }),
    await bench.subscribe(arn, { ...ALL, ShardId: 'shardId-000000000002' }),
  ];
  const [ShardToMerge, AdjacentShardToMerge] = ['shardId-000000000001', 'shardId-000000000002'];
  await bench.kinesis('MergeShards', { StreamName: 'a', ShardToMerge, AdjacentShardToMerge });
  await bench.pass(100);
  assert.deepEqual(
    children.map(({ transcript }) => transcript),
    ['2 (0) | children 3 | end', '3 (0) | children 3 | end'],
  );
  await bench.pass(5000);
  const late = await bench.subscribe(arn, ALL);
  await bench.pass(1);
  assert.equal(late.transcript, '0 1 (0) | children 1,2 | end', 'who comes late hears the same');
});

test('a parent is not at its end before its children are open', async () => {
  const bench = await openSubscribed();
  const subscriber = await bench.subscribe(await bench.prepare());
  const { catalog } = bench.node;
  const propose = catalog.propose.bind(catalog);
  let held = 0;
  catalog.propose = async (ops) => {
    // The second change of the stream opens the children; the first one says what it is to become.
    if (ops[0]?.key === 'stream/a' && (held += 1) === 2) await bench.simulation.environment.clock.sleep(5000);
    return await propose(ops);
  };
  const split = bench.kinesis('SplitShard', { StreamName: 'a', ShardToSplit: SHARD, NewStartingHashKey: MIDDLE });
  await bench.pass(4000);
  assert.equal(subscriber.transcript, '');
  await split;
  await bench.pass(2000);
  assert.equal(subscriber.transcript, 'children 1,2 | end');
});

test('five minutes, whatever the wall clock does, then the end', async () => {
  const bench = await openSubscribed();
  const subscriber = await bench.subscribe(await bench.prepare());
  bench.simulation.stepClock(3_600_000);
  await bench.pass(150_000);
  bench.simulation.stepClock(-7_200_000);
  await bench.pass(149_900);
  await bench.put('last');
  assert.equal(subscriber.transcript, 'last (0)');
  await bench.pass(100);
  assert.equal(subscriber.transcript, 'last (0) | end');
  assert.equal(bench.subscriptions, 0);
});

test('what ends a subscription, and how', async () => {
  const table: readonly (readonly [name: string, act: (bench: SubscribedBench, arn: string) => Promise<unknown>, seen: string])[] = [
    ['deregistered', async (bench, ConsumerARN) => await bench.kinesis('DeregisterStreamConsumer', { ConsumerARN }), 'ResourceNotFoundException: Consumer ARN, account 000000000000 not found.'],
    ['deleted', async (bench) => await bench.kinesis('DeleteStream', { StreamName: 'a', EnforceConsumerDeletion: true }), 'ResourceNotFoundException: Stream a under account 000000000000 not found.'],
    ['deleted and made again', async (bench) => {
      await bench.kinesis('DeleteStream', { StreamName: 'a', EnforceConsumerDeletion: true });
      await bench.prepare('a');
      await bench.put('of the new one');
    }, 'ResourceNotFoundException: Stream a under account 000000000000 not found.'],
    ['another consumer is registered and deregistered', async (bench) => {
      const ConsumerARN = await bench.register('a', 'other');
      await bench.kinesis('DeregisterStreamConsumer', { ConsumerARN });
    }, ''],
    ['the node is about to stop', async (bench) => await bench.simulation.drive(bench.node.drain(1000)), 'end'],
  ]; // prettier-ignore
  for (const [name, act, seen] of table) {
    const bench = await openSubscribed();
    const arn = await bench.prepare();
    const subscriber = await bench.subscribe(arn);
    const writer = name === 'deleted' ? bench.put('while it goes').catch(() => undefined) : undefined;
    await act(bench, arn);
    await writer;
    await bench.pass(1);
    const shown = subscriber.transcript.replace(arn, 'ARN').replace('while it goes (0) | ', '');
    assert.equal(shown, seen, name);
    assert.equal(bench.subscriptions, seen === '' ? 1 : 0, name);
  }
});

test('a node that is about to stop begins no subscription that goes on', async () => {
  const bench = await openSubscribed();
  const arn = await bench.prepare();
  await bench.simulation.drive(bench.node.drain(1000));
  const subscriber = await bench.subscribe(arn, ALL);
  await bench.pass(1);
  assert.equal(subscriber.transcript, 'end');
  await bench.close();
});

test('a damaged place ends it with an error, not a hang', async () => {
  const bench = await openSubscribed();
  const arn = await bench.prepare();
  const subscriber = await bench.subscribe(arn);
  const { records } = bench.node;
  const read = records.read.bind(records);
  records.read = async (...given) => {
    const [, , from] = given;
    if (from > 0n) throw new Error('a place of the log is damaged');
    return await read(...given);
  };
  await bench.put('0 1');
  await bench.pass(10);
  assert.equal(subscriber.transcript, '0 (0) | Error: a place of the log is damaged');
  assert.equal(bench.subscriptions, 0);
});

test('who stops reading holds one event, loses nothing, and takes no room from those who read', async () => {
  const bench = await openSubscribed();
  const slow = await bench.subscribe(await bench.prepare());
  const quick = await bench.subscribe(await bench.register('a', 'quick'));
  slow.isStalled = true;
  const big = 'x'.repeat(100_000);
  for (let index = 0; index < 50; index += 1) await bench.put(`${index}${big}`);
  await bench.pass(1000);
  const held = bench.simulation.metrics.get('kinesis_fan_out_bytes{}') ?? 0;
  assert.equal(quick.texts.replaceAll(big, '').split(' ').length, 50);
  assert.ok(held <= 360_000, `${held} bytes are held`);
  slow.resume();
  await bench.pass(1000);
  const wanted = Array.from({ length: 50 }, (_, index) => index).join(' ');
  assert.equal(slow.texts.replaceAll(big, ''), wanted);
  assert.ok(slow.events > 15, 'an event holds a quarter of a mebibyte at most');
});

test('twenty followers of a shard read the log once for each commit', async () => {
  const bench = await openSubscribed();
  await bench.prepare();
  const followers = [await bench.subscribe(await bench.register('a', 'c0'))];
  for (let index = 1; index < 19; index += 1) {
    followers.push(await bench.subscribe(await bench.register('a', `c${index}`)));
  }
  await bench.pass(1);
  const counted = countReads(bench);
  await bench.put('0 1 2 3 4 5 6 7 8 9');
  await bench.pass(1);
  for (const { texts } of followers) assert.equal(texts, '0 1 2 3 4 5 6 7 8 9');
  assert.ok(counted.reads <= 12, `${counted.reads} reads of ten commits`);
});

test('what was read for others is not shown when it is too old by now', async () => {
  const bench = await openSubscribed();
  const arn = await bench.prepare();
  await bench.put('old');
  await bench.subscribe(arn, ALL);
  await bench.subscribe(await bench.register('a', 'second'), ALL);
  await bench.pass(1);
  bench.simulation.stepClock(25 * 3_600_000);
  const third = await bench.subscribe(await bench.register('a', 'third'), ALL);
  await bench.put('new');
  await bench.pass(1);
  assert.equal(third.texts, 'new');
});

test('a record of ten mebibytes is one event', async () => {
  const bench = await openSubscribed();
  await bench.kinesis('CreateStream', { StreamName: 'a', ShardCount: 1, MaxRecordSizeInKiB: 10_240 });
  const data = Buffer.alloc(10_485_759, 'y');
  await bench.simulation.drive(bench.node.records.append('a', [{ partitionKey: 'k', data }]));
  const subscriber = await bench.subscribe(await bench.register('a', 'c'), ALL);
  await bench.pass(100);
  assert.equal(subscriber.texts.length, data.length);
});

test('a client that is gone leaves nobody waiting', async () => {
  const bench = await openSubscribed();
  const arn = await bench.prepare();
  const stalled = await bench.subscribe(await bench.register('a', 'stalled'));
  const waiting = await bench.subscribe(arn);
  stalled.isStalled = true;
  await bench.put('0');
  await bench.pass(1);
  waiting.leave();
  stalled.leave();
  await bench.pass(1);
  assert.equal(bench.subscriptions, 0);
  assert.equal(waiting.transcript, '0 (0) | end');
});
