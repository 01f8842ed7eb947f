import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench, toBucket } from '../harness.fixture.ts';

test('UntagDeliveryStream removes what is there, and does not mind the rest', async () => {
  const bench = await new Bench().open();
  const Tags = ['a', 'b', 'c'].map((Key) => ({ Key, Value: Key }));
  await bench.call('CreateDeliveryStream', { DeliveryStreamName: 'd', ...toBucket(), Tags });
  const untag = { DeliveryStreamName: 'd', TagKeys: ['a', 'c', 'x'] };
  assert.deepEqual(await bench.call('UntagDeliveryStream', untag), {});
  const left = await bench.call('ListTagsForDeliveryStream', { DeliveryStreamName: 'd' });
  assert.deepEqual(left.Tags, [{ Key: 'b', Value: 'b' }]);
  const table: readonly (readonly [object, RegExp])[] = [
    [{ ...untag, TagKeys: [] }, /^ValidationException: .*'tagKeys'.*greater than or equal to 1/],
    [{ ...untag, TagKeys: undefined }, /^ValidationException: .*'tagKeys'.*must not be null/],
    [{ ...untag, TagKeys: ['aws:x'] }, /^ValidationException: .*'tagKeys'/],
    [{ ...untag, DeliveryStreamName: 'none' }, /^ResourceNotFoundException: Firehose none/],
  ];
  for (const [input, expected] of table) assert.match(await bench.refusal('UntagDeliveryStream', input), expected);
});
