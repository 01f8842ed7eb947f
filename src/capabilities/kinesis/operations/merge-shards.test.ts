import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench, type Answer } from '../harness.fixture.ts';
import { describeStream } from './describe-stream.ts';
import { getRecords } from './get-records.ts';
import { getShardIterator } from './get-shard-iterator.ts';
import { mergeShards } from './merge-shards.ts';

const id = (ordinal: number): string => `shardId-00000000000${ordinal}`;

test('a merge closes both and opens one that owns the keys of both', async () => {
  const { call, make } = await openBench();
  await make('a', 3);
  await call(mergeShards, { StreamName: 'a', ShardToMerge: id(2), AdjacentShardToMerge: id(1) });
  const { StreamDescription } = await call(describeStream, { StreamName: 'a' });
  const [, one, two, child] = StreamDescription.Shards;
  assert.deepEqual([child.ParentShardId, child.AdjacentParentShardId], [id(2), id(1)]);
  assert.equal(child.HashKeyRange.StartingHashKey, one.HashKeyRange.StartingHashKey);
  assert.equal(child.HashKeyRange.EndingHashKey, two.HashKeyRange.EndingHashKey);
  for (const parent of [one, two]) assert.ok('EndingSequenceNumber' in parent.SequenceNumberRange);
  const asked = { StreamName: 'a', ShardId: id(1), ShardIteratorType: 'LATEST' };
  const { ChildShards } = await call(getRecords, await call(getShardIterator, asked));
  assert.deepEqual(
    ChildShards.map(({ ShardId, ParentShards }: Answer) => [ShardId, ParentShards]),
    [[id(3), [id(2), id(1)]]],
  );
});

test('what MergeShards refuses', async () => {
  const { refusal, call, make } = await openBench();
  await make('a', 3);
  const merge = async (one: number, other: number): Promise<string> =>
    await refusal(mergeShards, { StreamName: 'a', ShardToMerge: id(one), AdjacentShardToMerge: id(other) });
  assert.match(await merge(0, 2), /^InvalidArgumentException: .* are not an adjacent pair of shards/);
  assert.match(await merge(1, 1), /^InvalidArgumentException: .* are not an adjacent pair of shards/);
  assert.match(await merge(0, 8), /^ResourceNotFoundException/);
  await call(mergeShards, { StreamName: 'a', ShardToMerge: id(0), AdjacentShardToMerge: id(1) });
  assert.match(await merge(1, 2), /^InvalidArgumentException: .* has already been merged or split/);
});
