import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench } from '../harness.fixture.ts';
import { kinesisLimits } from '../limits.ts';
import { createStream } from './create-stream.ts';
import { describeLimits } from './describe-limits.ts';
import { splitShard } from './split-shard.ts';

test('open shards of provisioned streams and on-demand streams are counted, closed shards and our own are not', async () => {
  const { call, make, split, records } = await openBench();
  const counted = async (): Promise<number[]> => {
    const limits = await call(describeLimits, {});
    return [limits.OpenShardCount, limits.OnDemandStreamCount, limits.ShardLimit, limits.OnDemandStreamCountLimit];
  };
  assert.deepEqual(await counted(), [0, 0, 20_000, 5000]);
  await make('a', 3);
  await split('a');
  await call(createStream, { StreamName: 'o', StreamModeDetails: { StreamMode: 'ON_DEMAND' } });
  await records.create({ name: '$own', mode: 'ON_DEMAND', shardCount: 1, retentionMs: 1, maxRecordBytes: 1 });
  assert.deepEqual(await counted(), [4, 1, 20_000, 5000]);
});

test('what the limits say is what is refused', async () => {
  const { call, refusal, records } = await openBench();
  const { shardsPerStreamMax, provisionedShardsMax } = kinesisLimits;
  const all = Array.from({ length: provisionedShardsMax / shardsPerStreamMax }, (_, index) => `s${index}`);
  for (const name of all) {
    const shape = { mode: 'PROVISIONED', retentionMs: 1, maxRecordBytes: 1 } as const;
    await records.create({ ...shape, name, shardCount: shardsPerStreamMax });
  }
  const sentence =
    'LimitExceededException: This request would exceed the shard limit for the account 000000000000 in us-east-1. ' +
    'Limit: 20000.';
  assert.equal(await refusal(createStream, { StreamName: 'more', ShardCount: 1 }), sentence);
  const middle = (2n ** 128n / 500n / 2n).toString();
  const split = { StreamName: 's0', ShardToSplit: 'shardId-000000000000', NewStartingHashKey: middle };
  assert.equal(await refusal(splitShard, split), sentence);
  await call(createStream, { StreamName: 'more', StreamModeDetails: { StreamMode: 'ON_DEMAND' } });
});
