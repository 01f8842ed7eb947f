import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench } from '../harness.fixture.ts';
import { listTagsForResource } from './list-tags-for-resource.ts';
import { listTagsForStream } from './list-tags-for-stream.ts';
import { registerStreamConsumer } from './register-stream-consumer.ts';
import { tagResource } from './tag-resource.ts';

const STREAM = 'arn:aws:kinesis:us-east-1:000000000000:stream/a';

test('streams and consumers have tags of their own', async () => {
  const { call, make } = await openBench();
  await make('a', 1);
  const { Consumer } = await call(registerStreamConsumer, { StreamARN: STREAM, ConsumerName: 'c', Tags: { a: '1' } });
  assert.equal(await call(tagResource, { ResourceARN: STREAM, Tags: { a: '2' } }), undefined);
  await call(tagResource, { ResourceARN: Consumer.ConsumerARN, Tags: { b: '', a: '3' } });
  const tags = async (ResourceARN: string): Promise<unknown> => (await call(listTagsForResource, { ResourceARN })).Tags;
  assert.deepEqual(await tags(STREAM), [{ Key: 'a', Value: '2' }]);
  assert.deepEqual((await call(listTagsForStream, { StreamName: 'a' })).Tags, await tags(STREAM));
  assert.deepEqual(await tags(Consumer.ConsumerARN), [
    { Key: 'a', Value: '3' },
    { Key: 'b', Value: '' },
  ]);
});

test('tags given at the same moment are all there', async () => {
  const { call, make } = await openBench();
  await make('a', 1);
  const { Consumer } = await call(registerStreamConsumer, { StreamARN: STREAM, ConsumerName: 'c' });
  for (const ResourceARN of [STREAM, Consumer.ConsumerARN]) {
    const keys = Array.from({ length: 10 }, (_, index) => `k${index}`);
    await Promise.all(keys.map(async (key) => await call(tagResource, { ResourceARN, Tags: { [key]: 'v' } })));
    const { Tags } = await call(listTagsForResource, { ResourceARN });
    assert.deepEqual(
      Tags.map(({ Key }: { Key: string }) => Key),
      keys,
    );
  }
});

test('refusals', async () => {
  const { call, refusal, make } = await openBench();
  await make('a', 1);
  const many = (from: number, to: number): Record<string, string> =>
    Object.fromEntries(Array.from({ length: to - from }, (_, index) => [`k${from + index}`, 'v']));
  await call(tagResource, { ResourceARN: STREAM, Tags: many(0, 50) });
  const tag = async (Tags: object, ResourceARN = STREAM): Promise<string> =>
    await refusal(tagResource, { ResourceARN, Tags });
  assert.match(await tag({ k50: 'v' }), /^InvalidArgumentException: .*a given resource cannot have more than 50 tags/);
  assert.match(await tag({ 'a;b': 'v' }), /^InvalidArgumentException: Some tags contain invalid characters/);
  assert.match(await tag({}), /^ValidationException/);
  assert.match(await tag(many(0, 201)), /^ValidationException: .*less than or equal to 200/);
  assert.match(await tag({ a: 'b' }, `${STREAM}b`), /^ResourceNotFoundException: Stream ab/);
  assert.match(await tag({ a: 'b' }, `${STREAM}/consumer/c:1`), /^ResourceNotFoundException: Consumer arn/);
  assert.match(await tag({ a: 'b' }, `${STREAM}/consumer/c`), /^ResourceNotFoundException/);
  assert.match(await tag({ a: 'b' }, `${STREAM}/x`), /^ResourceNotFoundException: Stream a\/x/);
});
