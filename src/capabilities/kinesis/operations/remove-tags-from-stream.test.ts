import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench } from '../harness.fixture.ts';
import { addTagsToStream } from './add-tags-to-stream.ts';
import { listTagsForStream } from './list-tags-for-stream.ts';
import { removeTagsFromStream } from './remove-tags-from-stream.ts';

test('tags go by their keys; those that are not there are fine', async () => {
  const { call, refusal, make } = await openBench();
  await make('a', 1);
  await call(addTagsToStream, { StreamName: 'a', Tags: { one: '1', two: '2' } });
  await call(removeTagsFromStream, { StreamName: 'a', TagKeys: ['one', 'none'] });
  const { Tags } = await call(listTagsForStream, { StreamName: 'a' });
  assert.deepEqual(Tags, [{ Key: 'two', Value: '2' }]);
  assert.match(await refusal(removeTagsFromStream, { StreamName: 'a', TagKeys: [] }), /^ValidationException/);
  assert.match(await refusal(removeTagsFromStream, { StreamName: 'x', TagKeys: ['a'] }), /^ResourceNotFound/);
});
