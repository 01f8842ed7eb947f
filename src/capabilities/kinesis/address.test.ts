import assert from 'node:assert/strict';
import { test } from 'node:test';
import { array, assert as property, constantFrom, property as holds } from 'fast-check';
import { streamNameOfArn } from './address.ts';
import { invalid, openBench, refuses, type Refusals } from './harness.fixture.ts';
import { describeStream } from './operations/describe-stream.ts';
import { getRecords } from './operations/get-records.ts';
import { getShardIterator } from './operations/get-shard-iterator.ts';

const ARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/';
const PATTERN = String.raw`satisfy regular expression pattern: arn:aws.*:kinesis:.*:\d{11,13}:stream/\S+`;

test('a stream is named by name, by an ARN of any region and account, or by both', async () => {
  const { call, make } = await openBench();
  await make('a');
  const id = 'a1b2c3d4e5f6g7h8i9j0-abc';
  for (const address of [
    { StreamName: 'a' },
    { StreamARN: `${ARN}a` },
    { StreamARN: 'arn:aws-cn:kinesis:cn-north-1:123456789012:stream/a' },
    { StreamName: 'a', StreamARN: `${ARN}a` },
    { StreamName: 'a', StreamId: id },
    { StreamARN: `${ARN}a`, StreamId: id },
  ]) {
    const { StreamDescription } = await call(describeStream, address);
    assert.deepEqual([StreamDescription.StreamName, StreamDescription.StreamARN], ['a', `${ARN}a`]);
  }
});

test('refusals', async () => {
  const bench = await openBench();
  await bench.make('a');
  const none = 'InvalidArgumentException: Either StreamARN or StreamName must be provided.';
  const table: Refusals = [
    [{}, none],
    [{ StreamId: 'a1b2c3d4e5f6g7h8i9j0-abc' }, none],
    [{ StreamName: 'a', StreamARN: `${ARN}b` }, 'InvalidArgumentException: StreamARN and StreamName do not match.'],
    [{ StreamARN: `${ARN}b` }, 'ResourceNotFoundException: Stream b under account 000000000000 not found.'],
    [{ StreamARN: `${ARN}x/a` }, 'ResourceNotFoundException: Stream x/a under account 000000000000 not found.'],
    [
      { StreamARN: `${ARN}a/consumer/a` },
      'ResourceNotFoundException: Stream a/consumer/a under account 000000000000 not found.',
    ],
    [
      { StreamARN: `${ARN}$catalog` },
      'ResourceNotFoundException: Stream $catalog under account 000000000000 not found.',
    ],
    [
      { StreamARN: 'arn:aws:kinesis:us-east-1:1:stream/a' },
      invalid('arn:aws:kinesis:us-east-1:1:stream/a', 'streamARN', PATTERN),
    ],
    [
      { StreamName: 'a', StreamId: 'short' },
      invalid('short', 'streamId', 'satisfy regular expression pattern: [a-z0-9]{20}-[a-z0-9]{3}'),
    ],
  ];
  await refuses(bench, describeStream, table);
});

test('a shard is named by its ordinal, with or without zeros', async () => {
  const { call, refusal, make } = await openBench();
  await make('a', 12);
  const shardOf = { StreamName: 'a', ShardIteratorType: 'TRIM_HORIZON' };
  for (const ShardId of ['shardId-000000000011', 'shardId-11', 'shardId-0000000000000000000011', '11', 'x-011']) {
    await call(getShardIterator, { ...shardOf, ShardId });
  }
  const table: readonly (readonly [id: string, called: string])[] = [
    ['shardId-12', 'shardId-000000000012'],
    ['shardId-1234567890123', 'shardId-1234567890123'],
    ['shardId-', 'shardId-'],
    ['shardId--1', 'shardId--1'],
    ['1e1', '1e1'],
    ['shardId-1-1', 'shardId-1-1'],
  ];
  for (const [ShardId, called] of table) {
    const sentence = `ResourceNotFoundException: Could not find shard ${called} in stream a under account 000000000000.`;
    assert.equal(await refusal(getShardIterator, { ...shardOf, ShardId }), sentence);
  }
});

test('an iterator reads no other stream than its own', async () => {
  const { call, refusal, make } = await openBench();
  await make('a');
  await make('b');
  const start = { StreamName: 'a', ShardId: 'shardId-000000000000', ShardIteratorType: 'LATEST' };
  const { ShardIterator } = await call(getShardIterator, start);
  await call(getRecords, { ShardIterator, StreamARN: `${ARN}a` });
  const other = 'InvalidArgumentException: StreamARN does not name the stream of the ShardIterator: a.';
  assert.equal(await refusal(getRecords, { ShardIterator, StreamARN: `${ARN}b` }), other);
});

test('the name in an ARN is what stands behind its last front, as the greedy pattern has it', () => {
  const greedy = /^arn:aws.*:kinesis:.*:\d{11,13}:stream\/(.+)$/;
  const parts = [
    'arn:aws',
    ':kinesis:',
    'x',
    ':000000000000',
    ':stream/',
    ':00000000000:stream/',
    'a',
    ':',
    '/consumer/',
  ];
  const front = constantFrom('arn:aws:kinesis:', 'arn:aws:kinesis:us-east-1:000000000000:stream/', '');
  let named = 0;
  property(
    holds(front, array(constantFrom(...parts), { maxLength: 9 }), (begin, rest) => {
      const text = begin + rest.join('');
      const name = greedy.exec(text)?.[1];
      named += Number(name !== undefined);
      assert.equal(streamNameOfArn(text), name, text);
    }),
    { numRuns: 5000 },
  );
  assert.ok(named > 500, `${named} of them name a stream`);
});
