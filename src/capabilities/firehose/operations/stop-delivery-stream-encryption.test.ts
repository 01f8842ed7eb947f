import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench, toBucket } from '../harness.fixture.ts';

test('StopDeliveryStreamEncryption where nothing was started changes nothing, and other configuration stays', async () => {
  const bench = await new Bench().open();
  const Tags = [{ Key: 'k', Value: 'v' }];
  await bench.call('CreateDeliveryStream', { DeliveryStreamName: 'd', ...toBucket(), Tags });
  const describe = async (): Promise<unknown> =>
    await bench.call('DescribeDeliveryStream', { DeliveryStreamName: 'd' });
  const before = await describe();
  assert.deepEqual(await bench.call('StopDeliveryStreamEncryption', { DeliveryStreamName: 'd' }), {});
  assert.deepEqual(await describe(), before);
  assert.deepEqual((await bench.call('ListTagsForDeliveryStream', { DeliveryStreamName: 'd' })).Tags, Tags);
});
