import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench } from '../harness.fixture.ts';
import { splitHashKeys } from '../../../kernel/stream/hash-key.ts';
import { isOpen } from '../../../ports/records.ts';
import { updateShardCount } from './update-shard-count.ts';

test('open shards share the hash keys evenly, whatever the counts', async () => {
  for (const [from, to] of [
    [1, 2],
    [2, 3],
    [3, 2],
    [4, 2],
    [4, 7],
    [7, 4],
    [5, 10],
  ] as const) {
    const { call, make, records } = await openBench();
    await make('a', from);
    const answer = await call(updateShardCount, {
      StreamName: 'a',
      TargetShardCount: to,
      ScalingType: 'UNIFORM_SCALING',
    });
    assert.deepEqual(answer, {
      StreamName: 'a',
      CurrentShardCount: from,
      TargetShardCount: to,
      StreamARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/a',
    });
    const open = (records.describe('a')?.shards ?? []).filter(isOpen);
    const starts = open.map(({ startingHashKey }) => startingHashKey);
    assert.deepEqual(
      starts.toSorted((one, other) => (one < other ? -1 : 1)),
      splitHashKeys(to).map(({ start }) => start),
      `${from} to ${to}`,
    );
  }
});

test('what UpdateShardCount refuses', async () => {
  const { refusal, make } = await openBench();
  await make('a', 4);
  const update = async (TargetShardCount: number, ScalingType = 'UNIFORM_SCALING'): Promise<string> =>
    await refusal(updateShardCount, { StreamName: 'a', TargetShardCount, ScalingType });
  assert.match(await update(9), /^InvalidArgumentException: .*over double/);
  assert.match(await update(1), /^InvalidArgumentException: .*below half/);
  assert.match(await update(4), /^InvalidArgumentException: .*already/);
  assert.match(await update(501), /^LimitExceededException/);
  assert.match(await update(0), /^ValidationException/);
  assert.match(await update(8, 'OTHER'), /^ValidationException/);
});
