import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench } from '../harness.fixture.ts';
import { getResourcePolicy } from './get-resource-policy.ts';

test('what has no policy has none to give', async () => {
  const { refusal, make } = await openBench();
  await make('a', 1);
  const ResourceARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/a';
  const none = `ResourceNotFoundException: No resource policy found for resource ARN ${ResourceARN}.`;
  assert.equal(await refusal(getResourcePolicy, { ResourceARN }), none);
  const gone = 'ResourceNotFoundException: Stream ab under account 000000000000 not found.';
  assert.equal(await refusal(getResourcePolicy, { ResourceARN: `${ResourceARN}b` }), gone);
});
