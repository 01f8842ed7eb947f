import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench } from '../harness.fixture.ts';
import { disableEnhancedMonitoring } from './disable-enhanced-monitoring.ts';
import { enableEnhancedMonitoring } from './enable-enhanced-monitoring.ts';

test('metrics are taken away; those that were off are fine', async () => {
  const { call, make } = await openBench();
  await make('a', 1);
  const wanted = { StreamName: 'a', ShardLevelMetrics: ['IncomingBytes', 'IncomingRecords'] };
  await call(enableEnhancedMonitoring, wanted);
  const input = { StreamName: 'a', ShardLevelMetrics: ['IncomingBytes', 'OutgoingBytes'] };
  const { CurrentShardLevelMetrics, DesiredShardLevelMetrics } = await call(disableEnhancedMonitoring, input);
  assert.deepEqual(CurrentShardLevelMetrics, ['IncomingBytes', 'IncomingRecords']);
  assert.deepEqual(DesiredShardLevelMetrics, ['IncomingRecords']);
});
