import assert from 'node:assert/strict';
import { test } from 'node:test';
import { register, withConsumer, type Consumer } from './consumer.ts';
import { subscribe } from './event-stream.ts';
import { base64, ok, refuses, refusesAll, violation, type Subject } from './subject.ts';

const SHARD = 'shardId-000000000000';

/** Consumers of streams, and what SubscribeToShard sends them. */
export function kinesisConsumersConformance(subject: Subject): void {
  test('consumers: registered, described, listed in pages, counted, deregistered', async () => {
    await withConsumer(subject, async (name, StreamARN, consumer) => {
      const described = async (input: object): Promise<unknown> =>
        (await ok<{ ConsumerDescription: object }>(subject.kinesis('DescribeStreamConsumer', input)))
          .ConsumerDescription;
      assert.deepEqual(await described({ ConsumerARN: consumer.ConsumerARN }), { ...consumer, StreamARN });
      assert.deepEqual(await described({ StreamARN, ConsumerName: 'c' }), { ...consumer, StreamARN });
      await register(subject, StreamARN, 'd');
      const list = async (input: object): Promise<{ Consumers: Consumer[]; NextToken?: string }> =>
        await ok(subject.kinesis('ListStreamConsumers', { StreamARN, ...input }));
      const first = await list({ MaxResults: 1 });
      const second = await list({ MaxResults: 1, NextToken: first.NextToken });
      const names = [...first.Consumers, ...second.Consumers].map(({ ConsumerName }) => ConsumerName);
      assert.deepEqual([names, second.NextToken], [['c', 'd'], undefined]);
      const summary = await ok<{ StreamDescriptionSummary: { ConsumerCount: number } }>(
        subject.kinesis('DescribeStreamSummary', { StreamName: name }),
      );
      assert.equal(summary.StreamDescriptionSummary.ConsumerCount, 2);
      await ok(subject.kinesis('DeregisterStreamConsumer', { StreamARN, ConsumerName: 'd' }));
      await gone(subject, { StreamARN, ConsumerName: 'd' });
    });
  });

  test('consumers: refusals', async () => {
    await withConsumer(subject, async (name, StreamARN, { ConsumerARN }) => {
      const other = ConsumerARN.replace(/\d+$/, '1');
      const pattern = 'Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+';
      await refusesAll(async (action, input) => await subject.kinesis(action, input), {
        RegisterStreamConsumer: [
          [{ StreamARN, ConsumerName: 'c' }, 'ResourceInUseException', /c/],
          [{ StreamARN: `${StreamARN}x`, ConsumerName: 'c' }, 'ResourceNotFoundException', /not found/],
          [{ StreamARN, ConsumerName: 'a b' }, 'ValidationException', violation('a b', 'consumerName', pattern)],
        ],
        DescribeStreamConsumer: [
          [{}, 'InvalidArgumentException', /./],
          [{ ConsumerARN: other }, 'ResourceNotFoundException', /not found/],
        ],
        ListStreamConsumers: [[{ StreamARN, NextToken: 'garbage' }, 'InvalidArgumentException', /NextToken/]],
        DeregisterStreamConsumer: [[{ StreamARN, ConsumerName: 'x' }, 'ResourceNotFoundException', /not found/]],
        DeleteStream: [[{ StreamName: name }, 'ResourceInUseException', /EnforceConsumerDeletion/]],
        SubscribeToShard: [
          [subscription(other, 'LATEST'), 'ResourceNotFoundException', /not found/],
          [{ ...subscription(ConsumerARN, 'LATEST'), ShardId: 'shardId-000000000009' }, 'ResourceNotFoundException', /shardId-000000000009/],
          [subscription(ConsumerARN, 'AT_SEQUENCE_NUMBER'), 'InvalidArgumentException', /SequenceNumber/],
          [subscription(ConsumerARN, 'FIRST'), 'ValidationException', /startingPosition.type/],
        ],
      }); // prettier-ignore
    });
  });

  test('subscribe: every position starts where it says, and new records follow', async () => {
    await withConsumer(subject, async (name, StreamARN) => {
      const numbers = [];
      for (const text of ['0', '1', '2']) {
        numbers.push(await put(subject, name, text));
        await new Promise((resolve) => void setTimeout(resolve, 5));
      }
      const [zero, one] = numbers;
      const at = await arrivalOf(subject, name, one ?? '');
      const table: readonly (readonly [position: object, texts: string])[] = [
        [{ Type: 'TRIM_HORIZON' }, '0 1 2 new'],
        [{ Type: 'LATEST' }, 'new'],
        [{ Type: 'AT_SEQUENCE_NUMBER', SequenceNumber: one }, '1 2 new'],
        [{ Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: zero }, '1 2 new'],
        [{ Type: 'AT_TIMESTAMP', Timestamp: at }, '1 2 new'],
        [{ Type: 'AT_TIMESTAMP', Timestamp: at + 0.001 }, '2 new'],
      ];
      const streams = [];
      for (const [index, [position]] of table.entries()) {
        const { ConsumerARN } = await register(subject, StreamARN, `p${index}`);
        streams.push(await subscribe(subject, ConsumerARN, position));
      }
      await put(subject, name, 'new');
      for (const [index, [position, texts]] of table.entries()) {
        const seen: string[] | undefined = await streams[index]?.texts(texts.split(' ').length);
        assert.equal(seen?.join(' '), texts, JSON.stringify(position));
        streams[index]?.leave();
      }
    });
  });

  test('subscribe: a second one within five seconds is refused; where the first one came to another goes on', async () => {
    await withConsumer(subject, async (name, StreamARN, { ConsumerARN }) => {
      const first = await subscribe(subject, ConsumerARN, { Type: 'LATEST' });
      const again = subject.kinesis('SubscribeToShard', subscription(ConsumerARN, 'LATEST'));
      await refuses(again, 'ResourceInUseException', /Another active subscription exists for this consumer/);
      const quiet = await first.next();
      assert.deepEqual([quiet?.body.Records, quiet?.body.MillisBehindLatest], [[], 0]);
      await put(subject, name, 'x');
      for (const Type of ['AT_SEQUENCE_NUMBER', 'AFTER_SEQUENCE_NUMBER']) {
        const other = await register(subject, StreamARN, Type);
        const SequenceNumber = quiet?.body.ContinuationSequenceNumber;
        const second = await subscribe(subject, other.ConsumerARN, { Type, SequenceNumber });
        assert.deepEqual(await second.texts(1), ['x'], Type);
        second.leave();
      }
      first.leave();
    });
  });

  test('subscribe: at the end of a shard its children are named, and the stream ends', async () => {
    await withConsumer(subject, async (name, _, { ConsumerARN }) => {
      const stream = await subscribe(subject, ConsumerARN, { Type: 'TRIM_HORIZON' });
      await put(subject, name, 'last');
      const split = { StreamName: name, ShardToSplit: SHARD, NewStartingHashKey: (2n ** 127n).toString() };
      await ok(subject.kinesis('SplitShard', split));
      assert.deepEqual(await stream.texts(1), ['last']);
      const { body } = (await stream.news()) ?? assert.fail('no children were named');
      const children = body.ChildShards.map(
        ({ ShardId, ParentShards }: { ShardId: string; ParentShards: string[] }) => [ShardId, ...ParentShards],
      );
      assert.deepEqual(children, [
        ['shardId-000000000001', SHARD],
        ['shardId-000000000002', SHARD],
      ]);
      assert.deepEqual([body.MillisBehindLatest, body.ContinuationSequenceNumber], [0, undefined]);
      assert.equal(await stream.next(), undefined);
    });
  });

  test('subscribe: who is deregistered, and whose stream is deleted, is told so', async () => {
    await withConsumer(subject, async (name, StreamARN, { ConsumerARN }) => {
      const stays = await subscribe(subject, (await register(subject, StreamARN, 'd')).ConsumerARN, { Type: 'LATEST' });
      const goes = await subscribe(subject, ConsumerARN, { Type: 'LATEST' });
      await ok(subject.kinesis('DeregisterStreamConsumer', { ConsumerARN }));
      const told = await goes.news();
      assert.deepEqual([told?.kind, told?.type], ['exception', 'ResourceNotFoundException']);
      assert.equal(await goes.next(), undefined);
      await put(subject, name, 'x');
      assert.deepEqual(await stays.texts(1), ['x']);
      await ok(subject.kinesis('DeleteStream', { StreamName: name, EnforceConsumerDeletion: true }));
      const last = await stays.news();
      assert.deepEqual([last?.kind, last?.type], ['exception', 'ResourceNotFoundException']);
      assert.equal(await stays.next(), undefined);
      await ok(subject.kinesis('CreateStream', { StreamName: name, ShardCount: 1 }));
    });
  });
}

function subscription(ConsumerARN: string, Type: string): object {
  return { ConsumerARN, ShardId: SHARD, StartingPosition: { Type } };
}

/** Waits until a consumer is not found any more. */
async function gone(subject: Subject, input: object): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const { status } = await subject.kinesis('DescribeStreamConsumer', input);
    if (status === 400) break;
    await new Promise((resolve) => void setTimeout(resolve, 100));
  }
  await refuses(subject.kinesis('DescribeStreamConsumer', input), 'ResourceNotFoundException', /not found/);
}

async function put(subject: Subject, StreamName: string, text: string): Promise<string> {
  const record = { StreamName, PartitionKey: 'k', ExplicitHashKey: '0', Data: base64(text) };
  return (await ok<{ SequenceNumber: string }>(subject.kinesis('PutRecord', record))).SequenceNumber;
}

/** When a record arrived, in seconds. */
async function arrivalOf(subject: Subject, StreamName: string, StartingSequenceNumber: string): Promise<number> {
  const place = { StreamName, ShardId: SHARD, ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber };
  const iterator = await ok<object>(subject.kinesis('GetShardIterator', place));
  const { Records } = await ok<{ Records: { ApproximateArrivalTimestamp: number }[] }>(
    subject.kinesis('GetRecords', iterator),
  );
  return Records[0]?.ApproximateArrivalTimestamp ?? assert.fail('the record is not there');
}
