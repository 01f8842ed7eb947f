import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench } from '../harness.fixture.ts';
import { addTagsToStream } from './add-tags-to-stream.ts';
import { listTagsForStream } from './list-tags-for-stream.ts';

test('tags are added, and given other values', async () => {
  const { call, make } = await openBench();
  await make('a', 1);
  await call(addTagsToStream, { StreamName: 'a', Tags: { one: '1', 'ü b/=+-@': '' } });
  await call(addTagsToStream, { StreamName: 'a', Tags: { one: '2' } });
  const { Tags } = await call(listTagsForStream, { StreamName: 'a' });
  assert.deepEqual(Tags, [
    { Key: 'one', Value: '2' },
    { Key: 'ü b/=+-@', Value: '' },
  ]);
});

test('50 tags a stream, of AWS’s characters', async () => {
  const { call, refusal, make } = await openBench();
  await make('a', 1);
  const many = (from: number, to: number): Record<string, string> =>
    Object.fromEntries(Array.from({ length: to - from }, (_, index) => [`k${from + index}`, 'v']));
  await call(addTagsToStream, { StreamName: 'a', Tags: many(0, 50) });
  await call(addTagsToStream, { StreamName: 'a', Tags: many(10, 20) });
  const add = async (Tags: object): Promise<string> => await refusal(addTagsToStream, { StreamName: 'a', Tags });
  assert.match(await add(many(50, 51)), /^InvalidArgumentException: .*cannot have more than 50 tags/);
  assert.match(await add({ 'a;b': 'v' }), /^InvalidArgumentException: Some tags contain invalid characters/);
  const reserved = 'InvalidArgumentException: Tag keys that begin with aws: are reserved for AWS.';
  assert.deepEqual([await add({ 'aws:x': 'v' }), await add({ 'AWS:': 'v' })], [reserved, reserved]);
  await call(addTagsToStream, { StreamName: 'a', Tags: { k0: 'aws:x' } });
  assert.match(await add({}), /^ValidationException/);
  assert.match(await add({ ['k'.repeat(129)]: 'v' }), /^ValidationException/);
});
