import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench } from '../harness.fixture.ts';
import { addTagsToStream } from './add-tags-to-stream.ts';
import { listTagsForStream } from './list-tags-for-stream.ts';

test('pages of tags by key', async () => {
  const { call, make, refusal } = await openBench();
  await make('a', 1);
  assert.deepEqual(await call(listTagsForStream, { StreamName: 'a' }), { Tags: [], HasMoreTags: false });
  await call(addTagsToStream, { StreamName: 'a', Tags: { c: '3', a: '1', b: '2' } });
  const first = await call(listTagsForStream, { StreamName: 'a', Limit: 2 });
  assert.deepEqual(first, {
    Tags: [
      { Key: 'a', Value: '1' },
      { Key: 'b', Value: '2' },
    ],
    HasMoreTags: true,
  });
  const next = await call(listTagsForStream, { StreamName: 'a', ExclusiveStartTagKey: 'b' });
  assert.deepEqual(next, { Tags: [{ Key: 'c', Value: '3' }], HasMoreTags: false });
  assert.match(await refusal(listTagsForStream, { StreamName: 'a', Limit: 51 }), /^ValidationException/);
});
