import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench } from '../harness.fixture.ts';
import { increaseStreamRetentionPeriod } from './increase-stream-retention-period.ts';
import { describeStreamSummary } from './describe-stream-summary.ts';

test('records are kept longer at once', async () => {
  const { call, make, fill, environment, records } = await openBench();
  const stream = await make('a', 1);
  await fill('a', ['x']);
  environment.advance(20 * 3_600_000);
  await call(increaseStreamRetentionPeriod, { StreamName: 'a', RetentionPeriodHours: 48 });
  const { StreamDescriptionSummary } = await call(describeStreamSummary, { StreamName: 'a' });
  assert.equal(StreamDescriptionSummary.RetentionPeriodHours, 48);
  environment.advance(20 * 3_600_000);
  const [shard] = stream.shards;
  const now = records.describe('a');
  assert.ok(shard !== undefined && now !== undefined);
  assert.equal((await records.read(now, shard, 0n, { records: 1, bytes: 1 })).records.length, 1);
});

test('what IncreaseStreamRetentionPeriod refuses', async () => {
  const { refusal, make } = await openBench();
  await make('a', 1);
  const to = async (RetentionPeriodHours: number): Promise<string> =>
    await refusal(increaseStreamRetentionPeriod, { StreamName: 'a', RetentionPeriodHours });
  assert.match(await to(8761), /^InvalidArgumentException: Maximum allowed retention period is 8760 hours/);
  assert.match(await to(23), /^InvalidArgumentException: Minimum allowed retention period is 24 hours/);
  const none = { StreamName: 'none', RetentionPeriodHours: 48 };
  assert.match(await refusal(increaseStreamRetentionPeriod, none), /^ResourceNotFoundException/);
});
