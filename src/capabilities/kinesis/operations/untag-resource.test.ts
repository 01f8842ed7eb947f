import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench } from '../harness.fixture.ts';
import { listTagsForResource } from './list-tags-for-resource.ts';
import { registerStreamConsumer } from './register-stream-consumer.ts';
import { tagResource } from './tag-resource.ts';
import { untagResource } from './untag-resource.ts';

const STREAM = 'arn:aws:kinesis:us-east-1:000000000000:stream/a';

test('tags are removed; those that are not there are fine', async () => {
  const { call, make } = await openBench();
  await make('a', 1);
  const { Consumer } = await call(registerStreamConsumer, { StreamARN: STREAM, ConsumerName: 'c' });
  for (const ResourceARN of [STREAM, Consumer.ConsumerARN]) {
    await call(tagResource, { ResourceARN, Tags: { a: '1', b: '2', c: '3' } });
    assert.equal(await call(untagResource, { ResourceARN, TagKeys: ['a', 'c', 'x'] }), undefined);
    const { Tags } = await call(listTagsForResource, { ResourceARN });
    assert.deepEqual(Tags, [{ Key: 'b', Value: '2' }]);
  }
});

test('refusals', async () => {
  const { refusal, make } = await openBench();
  await make('a', 1);
  assert.match(await refusal(untagResource, { ResourceARN: STREAM, TagKeys: [] }), /^ValidationException/);
  const keys = Array.from({ length: 51 }, (_, index) => `k${index}`);
  assert.match(await refusal(untagResource, { ResourceARN: STREAM, TagKeys: keys }), /^ValidationException/);
  const other = { ResourceARN: `${STREAM}b`, TagKeys: ['a'] };
  assert.match(await refusal(untagResource, other), /^ResourceNotFoundException/);
});
