import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench, type Answer } from '../harness.fixture.ts';
import { describeStream } from './describe-stream.ts';
import { disableEnhancedMonitoring } from './disable-enhanced-monitoring.ts';
import { enableEnhancedMonitoring } from './enable-enhanced-monitoring.ts';

test('metrics are added to those that are on, in one order, and ALL is every one of them', async () => {
  const { call, make } = await openBench();
  await make('a', 1);
  const enable = async (...ShardLevelMetrics: string[]): Promise<Answer> =>
    await call(enableEnhancedMonitoring, { StreamName: 'a', ShardLevelMetrics });
  assert.deepEqual(await enable('OutgoingBytes', 'IncomingBytes'), {
    StreamName: 'a',
    CurrentShardLevelMetrics: [],
    DesiredShardLevelMetrics: ['IncomingBytes', 'OutgoingBytes'],
    StreamARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/a',
  });
  const { CurrentShardLevelMetrics, DesiredShardLevelMetrics } = await enable('ALL');
  assert.deepEqual(CurrentShardLevelMetrics, ['IncomingBytes', 'OutgoingBytes']);
  assert.deepEqual(DesiredShardLevelMetrics, [
    'IncomingBytes',
    'IncomingRecords',
    'OutgoingBytes',
    'OutgoingRecords',
    'WriteProvisionedThroughputExceeded',
    'ReadProvisionedThroughputExceeded',
    'IteratorAgeMilliseconds',
  ]);
  const shown = async (): Promise<unknown> =>
    (await call(describeStream, { StreamName: 'a' })).StreamDescription.EnhancedMonitoring;
  assert.deepEqual(await shown(), [{ ShardLevelMetrics: DesiredShardLevelMetrics }]);
  await call(disableEnhancedMonitoring, { StreamName: 'a', ShardLevelMetrics: ['ALL'] });
  assert.deepEqual(await shown(), [{ ShardLevelMetrics: [] }]);
});

test('refusals', async () => {
  const { refusal, make } = await openBench();
  await make('a', 1);
  const enable = async (ShardLevelMetrics: unknown): Promise<string> =>
    await refusal(enableEnhancedMonitoring, { StreamName: 'a', ShardLevelMetrics });
  assert.match(await enable(['Speed']), /^ValidationException: .*'\[Speed\]' at 'shardLevelMetrics'.*enum value set/);
  assert.match(await enable([]), /^ValidationException: .*length greater than or equal to 1/);
  assert.match(await enable(undefined), /^ValidationException: .*must not be null/i);
  const other = { StreamName: 'b', ShardLevelMetrics: ['ALL'] };
  assert.match(await refusal(enableEnhancedMonitoring, other), /^ResourceNotFoundException/);
});
