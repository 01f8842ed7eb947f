import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench } from '../harness.fixture.ts';
import { listTagsForResource } from './list-tags-for-resource.ts';
import { tagResource } from './tag-resource.ts';

test('all tags at once, by key', async () => {
  const { call, refusal, make } = await openBench();
  await make('a', 1);
  const ResourceARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/a';
  assert.deepEqual(await call(listTagsForResource, { ResourceARN }), { Tags: [] });
  const keys = Array.from({ length: 50 }, (_, index) => `k${String(index).padStart(2, '0')}`);
  await call(tagResource, { ResourceARN, Tags: Object.fromEntries(keys.toReversed().map((key) => [key, key])) });
  const { Tags } = await call(listTagsForResource, { ResourceARN });
  assert.deepEqual(
    Tags,
    keys.map((key) => ({ Key: key, Value: key })),
  );
  const gone = 'ResourceNotFoundException: Stream ab under account 000000000000 not found.';
  assert.equal(await refusal(listTagsForResource, { ResourceARN: `${ResourceARN}b` }), gone);
});
