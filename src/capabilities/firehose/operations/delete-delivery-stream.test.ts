import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base64, Bench, toBucket } from '../harness.fixture.ts';

test('DeleteDeliveryStream: gone for everybody, and a new one of the name starts empty', async () => {
  const bench = await new Bench().open();
  const create = { DeliveryStreamName: 'd', ...toBucket('arn:aws:s3:::archive', 900) };
  await bench.call('CreateDeliveryStream', create);
  await bench.call('PutRecord', { DeliveryStreamName: 'd', Record: { Data: base64('dropped;') } });
  assert.deepEqual(await bench.call('DeleteDeliveryStream', { DeliveryStreamName: 'd' }), {});
  const gone = 'ResourceNotFoundException: Firehose d under account 000000000000 not found.';
  for (const action of ['DeleteDeliveryStream', 'DescribeDeliveryStream']) {
    assert.equal(await bench.refusal(action, { DeliveryStreamName: 'd' }), gone);
  }
  assert.equal(await bench.refusal('PutRecord', { DeliveryStreamName: 'd', Record: { Data: base64('x') } }), gone);
  await bench.call('CreateDeliveryStream', create);
  await bench.call('PutRecord', { DeliveryStreamName: 'd', Record: { Data: base64('kept;') } });
  await bench.admin('POST', '/admin/deliveries/{name}/flush', { name: 'd' });
  assert.deepEqual([...(await bench.objects('archive')).values()].map(String), ['kept;']);
});
