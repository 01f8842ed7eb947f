import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench } from '../harness.fixture.ts';
import { describeAccountSettings } from './describe-account-settings.ts';

test('an account that was never committed says so', async () => {
  const { call } = await openBench();
  const answer = await call(describeAccountSettings, {});
  assert.deepEqual(answer, { MinimumThroughputBillingCommitment: { Status: 'DISABLED' } });
});
