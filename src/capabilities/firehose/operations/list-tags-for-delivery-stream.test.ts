import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench, toBucket } from '../harness.fixture.ts';

test('ListTagsForDeliveryStream: by key, a page at a time', async () => {
  const bench = await new Bench().open();
  await bench.call('CreateDeliveryStream', { DeliveryStreamName: 'bare', ...toBucket() });
  const none = await bench.call('ListTagsForDeliveryStream', { DeliveryStreamName: 'bare' });
  assert.deepEqual(none, { Tags: [], HasMoreTags: false });
  const Tags = ['c', 'a', 'b'].map((Key) => ({ Key, Value: Key }));
  await bench.call('CreateDeliveryStream', { DeliveryStreamName: 'd', ...toBucket(), Tags });
  const list = async (more: object): Promise<string> => {
    const answer = await bench.call('ListTagsForDeliveryStream', { DeliveryStreamName: 'd', ...more });
    const keys = (answer.Tags as readonly { Key: string }[]).map(({ Key }) => Key).join(' ');
    return `${keys}${answer.HasMoreTags === true ? ' ...' : ''}`;
  };
  assert.equal(await list({}), 'a b c');
  assert.equal(await list({ Limit: 2 }), 'a b ...');
  assert.equal(await list({ Limit: 2, ExclusiveStartTagKey: 'b' }), 'c');
  assert.equal(await list({ ExclusiveStartTagKey: 'aa' }), 'b c');
  const refusal = async (more: object): Promise<string> =>
    await bench.refusal('ListTagsForDeliveryStream', { DeliveryStreamName: 'd', ...more });
  assert.match(await refusal({ Limit: 0 }), /^ValidationException/);
  assert.match(await refusal({ Limit: 51 }), /^ValidationException/);
  assert.match(await refusal({ DeliveryStreamName: 'none' }), /^ResourceNotFoundException/);
});
