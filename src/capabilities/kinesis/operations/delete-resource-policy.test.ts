import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench } from '../harness.fixture.ts';
import { deleteResourcePolicy } from './delete-resource-policy.ts';
import { getResourcePolicy } from './get-resource-policy.ts';
import { listTagsForResource } from './list-tags-for-resource.ts';
import { putResourcePolicy } from './put-resource-policy.ts';
import { registerStreamConsumer } from './register-stream-consumer.ts';

test('a policy is removed once, and nothing else with it', async () => {
  const { call, refusal, make } = await openBench();
  await make('a', 1);
  const StreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/a';
  const register = { StreamARN, ConsumerName: 'c', Tags: { team: 'x' } };
  const { Consumer } = await call(registerStreamConsumer, register);
  for (const ResourceARN of [StreamARN, Consumer.ConsumerARN]) {
    const none = `ResourceNotFoundException: No resource policy found for resource ARN ${ResourceARN}.`;
    assert.equal(await refusal(deleteResourcePolicy, { ResourceARN }), none);
    await call(putResourcePolicy, { ResourceARN, Policy: '{"Statement":[]}' });
    assert.equal(await call(deleteResourcePolicy, { ResourceARN }), undefined);
    assert.equal(await refusal(getResourcePolicy, { ResourceARN }), none);
    assert.equal(await refusal(deleteResourcePolicy, { ResourceARN }), none);
  }
  const { Tags } = await call(listTagsForResource, { ResourceARN: Consumer.ConsumerARN });
  assert.deepEqual(Tags, [{ Key: 'team', Value: 'x' }]);
});
