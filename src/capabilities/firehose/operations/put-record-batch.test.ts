import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base64, Bench, toBucket } from '../harness.fixture.ts';

test('PutRecordBatch answers one entry a record, in order, and all of them arrive', async () => {
  const bench = await new Bench().open({ deliveries: { d: toBucket() } });
  const Records = Array.from({ length: 500 }, (_, index) => ({ Data: base64(`${index};`) }));
  const answer = await bench.call('PutRecordBatch', { DeliveryStreamName: 'd', Records });
  assert.equal(answer.FailedPutCount, 0);
  assert.equal(answer.Encrypted, false);
  const ids: string[] = answer.RequestResponses.map(({ RecordId }: { RecordId: string }) => RecordId);
  assert.equal(new Set(ids).size, 500);
  assert.ok(
    ids.every((id, index) => index === 0 || id > (ids[index - 1] ?? '')),
    'in order',
  );
  await bench.admin('POST', '/admin/deliveries/{name}/flush', { name: 'd' });
  const expected = Records.map((_, index) => `${index};`).join('');
  assert.equal([...(await bench.objects('archive')).values()].map(String).join(''), expected);
});

test('what PutRecordBatch refuses whole', async () => {
  const bench = await new Bench().open({ deliveries: { d: toBucket() } });
  const big = Buffer.alloc(1_000_000).toString('base64');
  const table: readonly (readonly [readonly object[], RegExp])[] = [
    [[], /^ValidationException/],
    [Array.from({ length: 501 }, () => ({ Data: '' })), /^ValidationException/],
    [[{ Data: '' }, {}], /^ValidationException: .*records\.2\.member\.data/],
    [Array.from({ length: 5 }, () => ({ Data: big })), /^InvalidArgumentException: Records size exceeds 4 MB limit/],
  ];
  for (const [Records, expected] of table) {
    assert.match(await bench.refusal('PutRecordBatch', { DeliveryStreamName: 'd', Records }), expected);
  }
  const { recordsWaiting, recordsDelivered } = await bench.admin('GET', '/admin/deliveries/{name}', { name: 'd' });
  assert.deepEqual([recordsWaiting, recordsDelivered], [0, 0]);
});
