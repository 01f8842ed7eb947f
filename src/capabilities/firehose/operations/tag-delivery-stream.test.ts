import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench, toBucket } from '../harness.fixture.ts';

test('TagDeliveryStream adds to those of the creation and replaces values; a power cut keeps them', async () => {
  const bench = await new Bench().open();
  const Tags = [
    { Key: 'team', Value: 'x' },
    { Key: 'a b/c', Value: 'ö=+-@%' },
  ];
  await bench.call('CreateDeliveryStream', { DeliveryStreamName: 'd', ...toBucket(), Tags });
  const more = [{ Key: 'team', Value: 'y' }, { Key: '__proto__' }];
  assert.deepEqual(await bench.call('TagDeliveryStream', { DeliveryStreamName: 'd', Tags: more }), {});
  bench.simulation.crash();
  bench.simulation.restart();
  await bench.open();
  assert.deepEqual(await bench.call('ListTagsForDeliveryStream', { DeliveryStreamName: 'd' }), {
    Tags: [
      { Key: '__proto__', Value: '' },
      { Key: 'a b/c', Value: 'ö=+-@%' },
      { Key: 'team', Value: 'y' },
    ],
    HasMoreTags: false,
  });
  const { DeliveryStreamDescription } = await bench.call('DescribeDeliveryStream', { DeliveryStreamName: 'd' });
  assert.equal(DeliveryStreamDescription.VersionId, '1', 'tags are no configuration');
});

test('what TagDeliveryStream refuses', async () => {
  const bench = await new Bench().open();
  const tags = (from: number, count: number): object[] =>
    Array.from({ length: count }, (_, index) => ({ Key: `k${from + index}`, Value: 'v' }));
  await bench.call('CreateDeliveryStream', { DeliveryStreamName: 'd', ...toBucket(), Tags: tags(0, 50) });
  const table: readonly (readonly [Tags: readonly object[] | undefined, expected: RegExp])[] = [
    [undefined, /^ValidationException: .*'tags'.*must not be null/],
    [[], /^ValidationException: .*'tags'.*greater than or equal to 1/],
    [tags(0, 51), /^ValidationException: .*'tags'.*less than or equal to 50/],
    [[{ Value: 'v' }], /^ValidationException: .*'tags\.1\.member\.key'.*must not be null/],
    [[{ Key: '' }], /^ValidationException: .*'tags\.1\.member\.key'/],
    [[{ Key: 'k'.repeat(129) }], /^ValidationException: .*'tags\.1\.member\.key'.*less than or equal to 128/],
    [[{ Key: 'aws:x' }], /^ValidationException: .*'tags\.1\.member\.key'.*regular expression pattern: \^\(\?!aws:\)/],
    [[{ Key: 'k', Value: 'v'.repeat(257) }], /^ValidationException: .*'tags\.1\.member\.value'/],
    [[{ Key: 'k', Value: '<' }], /^ValidationException: .*'tags\.1\.member\.value'/],
    [tags(49, 2), /^LimitExceededException: Firehose d cannot have more than 50 tags\.$/],
  ];
  for (const [Tags, expected] of table) {
    assert.match(await bench.refusal('TagDeliveryStream', { DeliveryStreamName: 'd', Tags }), expected);
  }
  assert.match(
    await bench.refusal('TagDeliveryStream', { DeliveryStreamName: 'none', Tags: tags(0, 1) }),
    /^ResourceNotFoundException: Firehose none under account 000000000000 not found\.$/,
  );
  await bench.call('TagDeliveryStream', { DeliveryStreamName: 'd', Tags: tags(0, 50) });
});
