import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench } from '../harness.fixture.ts';
import { decreaseStreamRetentionPeriod } from './decrease-stream-retention-period.ts';
import { describeStreamSummary } from './describe-stream-summary.ts';
import { increaseStreamRetentionPeriod } from './increase-stream-retention-period.ts';

test('what is older than the new period is gone at once', async () => {
  const { call, make, fill, environment, records } = await openBench();
  await make('a', 1);
  await call(increaseStreamRetentionPeriod, { StreamName: 'a', RetentionPeriodHours: 48 });
  await fill('a', ['old']);
  environment.advance(30 * 3_600_000);
  await fill('a', ['new']);
  await call(decreaseStreamRetentionPeriod, { StreamName: 'a', RetentionPeriodHours: 24 });
  const { StreamDescriptionSummary } = await call(describeStreamSummary, { StreamName: 'a' });
  assert.equal(StreamDescriptionSummary.RetentionPeriodHours, 24);
  const now = records.describe('a');
  const [shard] = now?.shards ?? [];
  assert.ok(shard !== undefined && now !== undefined);
  const { records: read } = await records.read(now, shard, 0n, { records: 9, bytes: 99 });
  assert.deepEqual(
    read.map(({ data }) => Buffer.from(data).toString()),
    ['new'],
  );
});

test('what DecreaseStreamRetentionPeriod refuses', async () => {
  const { refusal, make } = await openBench();
  await make('a', 1);
  const to = async (RetentionPeriodHours: number): Promise<string> =>
    await refusal(decreaseStreamRetentionPeriod, { StreamName: 'a', RetentionPeriodHours });
  assert.match(
    await to(25),
    /^InvalidArgumentException: .*can not be longer than existing retention period \(24 hours\)/,
  );
  assert.match(await to(23), /^InvalidArgumentException: Minimum allowed retention period is 24 hours/);
});
