import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeSequenceNumber } from '../../../kernel/stream/sequence-number.ts';
import { invalid, openBench, refuses, type Answer, type Refusals } from '../harness.fixture.ts';
import { describeStream } from './describe-stream.ts';

test('shards stand in order with their ranges, a page at a time', async () => {
  const { call, make } = await openBench();
  await make('a', 101);
  const table: readonly (readonly [input: object, first: number, count: number, more: boolean])[] = [
    [{}, 0, 100, true],
    [{ Limit: 101 }, 0, 101, false],
    [{ Limit: 10_000 }, 0, 101, false],
    [{ Limit: 1 }, 0, 1, true],
    [{ Limit: 1, ExclusiveStartShardId: 'shardId-000000000099' }, 100, 1, false],
    [{ ExclusiveStartShardId: 'shardId-000000000098' }, 99, 2, false],
    [{ ExclusiveStartShardId: 'shardId-000000000100' }, 101, 0, false],
  ];
  for (const [input, first, count, more] of table) {
    const { StreamDescription: said } = await call(describeStream, { StreamName: 'a', ...input });
    const ids = Array.from({ length: count }, (_, index) => `shardId-${String(first + index).padStart(12, '0')}`);
    assert.deepEqual(
      said.Shards.map(({ ShardId }: Answer) => ShardId),
      ids,
      JSON.stringify(input),
    );
    assert.equal(said.HasMoreShards, more, JSON.stringify(input));
  }
});

test('a shard in full', async () => {
  const { call, make } = await openBench();
  const { shards } = await make('a', 2);
  const { StreamDescription: said } = await call(describeStream, { StreamName: 'a' });
  assert.deepEqual(said.Shards[1], {
    ShardId: 'shardId-000000000001',
    HashKeyRange: {
      StartingHashKey: '170141183460469231731687303715884105728',
      EndingHashKey: '340282366920938463463374607431768211455',
    },
    SequenceNumberRange: { StartingSequenceNumber: shards[1]?.startingSequenceNumber },
  });
  assert.equal(said.RetentionPeriodHours, 24);
});

test('a closed shard ends at or after its last record, and its children name it', async () => {
  const { call, make, fill, split } = await openBench();
  await make('a');
  const [, last = ''] = await fill('a', ['x', 'y']);
  const { shards } = await split('a');
  const { StreamDescription: said } = await call(describeStream, { StreamName: 'a' });
  const ref = shards[0]?.ref ?? assert.fail();
  const end = said.Shards[0].SequenceNumberRange.EndingSequenceNumber;
  assert.equal(end, encodeSequenceNumber(ref, 2n));
  assert.ok(end >= last);
  assert.deepEqual(
    said.Shards.map(({ ShardId, ParentShardId, HashKeyRange }: Answer) => [
      ShardId,
      ParentShardId,
      HashKeyRange.StartingHashKey,
    ]),
    [
      ['shardId-000000000000', undefined, '0'],
      ['shardId-000000000001', 'shardId-000000000000', '0'],
      ['shardId-000000000002', 'shardId-000000000000', '170141183460469231731687303715884105728'],
    ],
  );
});

test('refusals', async () => {
  const bench = await openBench();
  await bench.make('a');
  const twice =
    "ValidationException: 2 validation errors detected: Value '' at 'exclusiveStartShardId' failed to satisfy " +
    'constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; ' +
    "Value '' at 'exclusiveStartShardId' failed to satisfy constraint: " +
    'Member must have length greater than or equal to 1';
  const table: Refusals = [
    [{ StreamName: 'b' }, 'ResourceNotFoundException: Stream b under account 000000000000 not found.'],
    [{ Limit: 1 }, 'InvalidArgumentException: Either StreamARN or StreamName must be provided.'],
    [{ StreamName: 'a', Limit: 0 }, invalid('0', 'limit', 'have value greater than or equal to 1')],
    [{ StreamName: 'a', Limit: 10_001 }, invalid('10001', 'limit', 'have value less than or equal to 10000')],
    [{ StreamName: 'a', ExclusiveStartShardId: '' }, twice],
  ];
  await refuses(bench, describeStream, table);
});
