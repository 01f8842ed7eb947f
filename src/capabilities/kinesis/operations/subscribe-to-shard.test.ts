import assert from 'node:assert/strict';
import { test } from 'node:test';
import { invalid } from '../harness.fixture.ts';
import { openSubscribed, SHARD } from '../subscriber.fixture.ts';

test('each position starts where it says', async () => {
  const bench = await openSubscribed();
  await bench.prepare('a', 2);
  const numbers: string[] = [];
  for (const text of ['0', '1', '2']) {
    numbers.push(...(await bench.put(text)));
    await bench.pass(250);
  }
  const [zero, one, two] = numbers;
  const from = {
    StreamName: 'a',
    ShardId: SHARD,
    ShardIteratorType: 'AT_SEQUENCE_NUMBER',
    StartingSequenceNumber: one,
  };
  const { Records } = await bench.kinesis('GetRecords', await bench.kinesis('GetShardIterator', from));
  const second = Math.round(Records[0].ApproximateArrivalTimestamp * 1000);
  const table: readonly (readonly [position: object, texts: string])[] = [
    [{ Type: 'TRIM_HORIZON' }, '0 1 2 next'],
    [{ Type: 'LATEST' }, 'next'],
    [{ Type: 'AT_SEQUENCE_NUMBER', SequenceNumber: zero }, '0 1 2 next'],
    [{ Type: 'AT_SEQUENCE_NUMBER', SequenceNumber: two }, '2 next'],
    [{ Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: one }, '2 next'],
    [{ Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: two }, 'next'],
    [{ Type: 'AT_TIMESTAMP', Timestamp: 0 }, '0 1 2 next'],
    [{ Type: 'AT_TIMESTAMP', Timestamp: second / 1000 }, '1 2 next'],
    [{ Type: 'AT_TIMESTAMP', Timestamp: (second + 1) / 1000 }, '2 next'],
  ];
  const subscribers = [];
  for (const [index, [StartingPosition]] of table.entries()) {
    subscribers.push(await bench.subscribe(await bench.register('a', `c${index}`), { StartingPosition }));
  }
  await bench.put('next');
  await bench.pass(10);
  for (const [index, [position, texts]] of table.entries()) {
    assert.equal(subscribers[index]?.texts, texts, JSON.stringify(position));
  }
});

test('each subscriber of a shard is sent its own form, whoever reads first', async () => {
  const bench = await openSubscribed();
  await bench.prepare('a');
  await bench.put('0 1');
  const from = { StartingPosition: { Type: 'TRIM_HORIZON' } };
  const subscribers = [];
  for (const [index, form] of (['text', 'binary', 'binary', 'text'] as const).entries()) {
    subscribers.push(await bench.subscribe(await bench.register('a', `c${index}`), from, form));
  }
  await bench.put('2');
  await bench.pass(10);
  await bench.kinesis('SplitShard', { StreamName: 'a', ShardToSplit: SHARD, NewStartingHashKey: '7' });
  await bench.pass(100);
  const [first] = subscribers;
  assert.match(first?.transcript ?? '', /^0 1 \(0\) \| 2 \(0\) \| children 1,2 \| end$/);
  for (const { transcript } of subscribers) assert.equal(transcript, first?.transcript);
});

test('refusals come as the answer, before any event', async () => {
  const bench = await openSubscribed();
  const arn = await bench.prepare('a', 2);
  const [sibling] = await bench.put('x', (2n ** 127n).toString());
  const must =
    'InvalidArgumentException: Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and ' +
    'StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified';
  const table: readonly (readonly [arn: string, change: object, sentence: string])[] = [
    [arn.replace('/c:', '/d:'), {}, `ResourceNotFoundException: Consumer ${arn.replace('/c:', '/d:')}, account 000000000000 not found.`],
    [arn.replace('/a/', '/b/'), {}, 'ResourceNotFoundException: Stream b under account 000000000000 not found.'],
    [arn, { ShardId: 'shardId-000000000007' }, 'ResourceNotFoundException: Could not find shard shardId-000000000007 in stream a under account 000000000000.'],
    [arn, { StartingPosition: { Type: 'AT_SEQUENCE_NUMBER' } }, `${must} AT_SEQUENCE_NUMBER and no StartingSequenceNumber.`],
    [arn, { StartingPosition: { Type: 'LATEST', SequenceNumber: sibling } }, `${must} LATEST and also a StartingSequenceNumber.`],
    [arn, { StartingPosition: { Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: '5' } }, `InvalidArgumentException: StartingSequenceNumber 5 used in SubscribeToShard on shard ${SHARD} in stream a under account 000000000000 is invalid.`],
    [arn, { StartingPosition: { Type: 'AT_SEQUENCE_NUMBER', SequenceNumber: sibling } }, `InvalidArgumentException: Invalid StartingSequenceNumber. It encodes shardId-000000000001, while it was used in a call to a shard with ${SHARD}`],
    [arn, { StartingPosition: { Type: 'AT_TIMESTAMP' } }, 'InvalidArgumentException: Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current request has no timestamp parameter.'],
    [arn, { StartingPosition: {} }, invalid(null, 'startingPosition.type', 'not be null')],
  ]; // prettier-ignore
  for (const [consumer, change, sentence] of table) {
    assert.equal(await bench.refusedSubscription(consumer, change), sentence);
  }
  // None of them counts as the subscription that others wait for.
  await bench.subscribe(arn);
});

const IN_USE = 'ResourceInUseException: Another active subscription exists for this consumer: 000000000000:a:c';

test('a subscription has its shard to itself for five seconds, then the next one takes over', async () => {
  const bench = await openSubscribed();
  const arn = await bench.prepare('a', 2);
  const first = await bench.subscribe(arn);
  assert.equal(await bench.refusedSubscription(arn), IN_USE);
  // Another shard and another consumer are another matter.
  await bench.subscribe(arn, { ShardId: 'shardId-000000000001' });
  const other = await bench.subscribe(await bench.register('a', 'other'));
  bench.simulation.stepClock(3_600_000);
  await bench.pass(4900);
  assert.equal(await bench.refusedSubscription(arn), IN_USE, 'the wall clock does not count');
  bench.simulation.stepClock(-7_200_000);
  await bench.pass(100);
  const second = await bench.subscribe(arn);
  await bench.put('x');
  await bench.pass(10);
  assert.equal(first.transcript, IN_USE);
  assert.equal(second.transcript, 'x (0)');
  assert.equal(other.transcript, 'x (0)');
  assert.equal(await bench.refusedSubscription(arn), IN_USE, 'who took over is alone again');
});

test('who went away at once still keeps others off for five seconds; nothing is left of it then', async () => {
  const bench = await openSubscribed();
  const arn = await bench.prepare();
  const first = await bench.subscribe(arn);
  assert.equal(bench.subscriptions, 1);
  first.leave();
  await bench.pass(1);
  assert.equal(bench.subscriptions, 0);
  assert.equal(await bench.refusedSubscription(arn), IN_USE);
  await bench.pass(5000);
  await bench.subscribe(arn);
  assert.equal(bench.subscriptions, 1);
});

test('a consumer made again is another one, though its ARN of the same second is the same', async () => {
  const bench = await openSubscribed();
  const arn = await bench.prepare();
  const first = await bench.subscribe(arn);
  await bench.kinesis('DeregisterStreamConsumer', { ConsumerARN: arn });
  await bench.pass(1);
  assert.equal(await bench.register('a', 'c'), arn);
  const second = await bench.subscribe(arn);
  await bench.kinesis('DeleteStream', { StreamName: 'a', EnforceConsumerDeletion: true });
  assert.equal(await bench.prepare(), arn);
  const third = await bench.subscribe(arn);
  await bench.put('x');
  await bench.pass(1);
  assert.deepEqual(
    [first.transcript, second.transcript, third.transcript],
    [
      `ResourceNotFoundException: Consumer ${arn}, account 000000000000 not found.`,
      'ResourceNotFoundException: Stream a under account 000000000000 not found.',
      'x (0)',
    ],
  );
});
