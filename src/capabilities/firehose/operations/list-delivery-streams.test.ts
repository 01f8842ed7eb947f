import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench, toBucket } from '../harness.fixture.ts';

test('ListDeliveryStreams: ten a page unless Limit says otherwise, by name, by type', async () => {
  const deliveries: Record<string, object> = { source: { from: 'events', ...toBucket() } };
  for (let index = 0; index < 11; index += 1) deliveries[`d-${String(index).padStart(2, '0')}`] = toBucket();
  const bench = await new Bench().open({ streams: { events: {} }, deliveries });
  const list = async (input: object): Promise<string> => {
    const { DeliveryStreamNames, HasMoreDeliveryStreams } = await bench.call('ListDeliveryStreams', input);
    return `${DeliveryStreamNames.join(' ')}${HasMoreDeliveryStreams === true ? ' ...' : ''}`;
  };
  assert.equal(await list({}), 'd-00 d-01 d-02 d-03 d-04 d-05 d-06 d-07 d-08 d-09 ...');
  assert.equal(await list({ ExclusiveStartDeliveryStreamName: 'd-09' }), 'd-10 source');
  assert.equal(await list({ Limit: 1, ExclusiveStartDeliveryStreamName: 'd-1' }), 'd-10 ...');
  assert.equal(await list({ DeliveryStreamType: 'KinesisStreamAsSource' }), 'source');
  assert.match(await bench.refusal('ListDeliveryStreams', { Limit: 0 }), /^ValidationException/);
  assert.match(await bench.refusal('ListDeliveryStreams', { DeliveryStreamType: 'x' }), /^ValidationException/);
});
