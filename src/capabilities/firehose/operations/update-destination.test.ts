import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base64, Bench, toBucket, type Answer } from '../harness.fixture.ts';

const ADDRESS = { DeliveryStreamName: 'd', DestinationId: 'destinationId-000000000001' };
const S3 = {
  BucketARN: 'arn:aws:s3:::archive',
  Prefix: 'before/',
  BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 900 },
};

async function described(bench: Bench): Promise<Answer> {
  const { DeliveryStreamDescription } = await bench.call('DescribeDeliveryStream', { DeliveryStreamName: 'd' });
  const { VersionId, Destinations } = DeliveryStreamDescription;
  const { Prefix, BufferingHints, CompressionFormat } = Destinations[0].ExtendedS3DestinationDescription;
  return [VersionId, Prefix, BufferingHints.IntervalInSeconds, CompressionFormat];
}

function update(version: number, ExtendedS3DestinationUpdate: object): object {
  return { ...ADDRESS, CurrentDeliveryStreamVersionId: String(version), ExtendedS3DestinationUpdate };
}

test('UpdateDestination: what is not named stays, the next version goes by it, also after a power cut', async () => {
  const bench = await new Bench().open();
  await bench.call('CreateDeliveryStream', { DeliveryStreamName: 'd', ExtendedS3DestinationConfiguration: S3 });
  const put = async (text: string): Promise<void> => {
    await bench.call('PutRecord', { DeliveryStreamName: 'd', Record: { Data: base64(text) } });
  };
  const flush = async (): Promise<void> => {
    await bench.admin('POST', '/admin/deliveries/{name}/flush', { name: 'd' });
  };
  await put('one');
  await flush();
  assert.deepEqual(await bench.call('UpdateDestination', update(1, { Prefix: 'after/' })), {});
  assert.deepEqual(await described(bench), ['2', 'after/', 900, 'UNCOMPRESSED']);
  await put('two');
  await flush();
  const older = { CompressionFormat: 'GZIP', BufferingHints: { SizeInMBs: 2, IntervalInSeconds: 0 } };
  await bench.call('UpdateDestination', {
    ...ADDRESS,
    CurrentDeliveryStreamVersionId: '2',
    S3DestinationUpdate: older,
  });
  bench.simulation.crash();
  bench.simulation.restart();
  await bench.open();
  assert.deepEqual(await described(bench), ['3', 'after/', 0, 'GZIP']);
  await put('three');
  await flush();
  const keys = [...(await bench.objects('archive')).keys()].sort();
  const expected = [/^after\/.*\/d-2-.*[0-9a-f]$/, /^after\/.*\/d-3-.*\.gz$/, /^before\/.*\/d-1-.*[0-9a-f]$/];
  assert.equal(keys.length, 3);
  for (const [index, pattern] of expected.entries()) assert.match(keys[index] ?? '', pattern);
});

test('of two updates from one version the second is refused', async () => {
  const bench = await new Bench().open();
  await bench.call('CreateDeliveryStream', { DeliveryStreamName: 'd', ExtendedS3DestinationConfiguration: S3 });
  await bench.call('UpdateDestination', update(1, { Prefix: 'first/' }));
  assert.equal(
    await bench.refusal('UpdateDestination', update(1, { Prefix: 'second/' })),
    'ConcurrentModificationException: Cannot update firehose: d since the current version id: 2 ' +
      'and specified version id: 1 do not match',
  );
  assert.deepEqual(await described(bench), ['2', 'first/', 900, 'UNCOMPRESSED']);
});

test('a backup of all records can be switched on, begins where the delivery stands, and stays', async () => {
  const bench = await new Bench().open();
  await bench.call('CreateDeliveryStream', { DeliveryStreamName: 'd', ExtendedS3DestinationConfiguration: S3 });
  const put = async (text: string): Promise<void> => {
    await bench.call('PutRecord', { DeliveryStreamName: 'd', Record: { Data: base64(text) } });
    await bench.admin('POST', '/admin/deliveries/{name}/flush', { name: 'd' });
  };
  await put('before;');
  const S3BackupUpdate = { BucketARN: 'arn:aws:s3:::kept' };
  await bench.call('UpdateDestination', update(1, { S3BackupMode: 'Enabled', S3BackupUpdate }));
  await bench.simulation.pass(1000);
  await put('after;');
  const texts = async (bucket: string): Promise<string> =>
    [...(await bench.objects(bucket)).values()].map(String).sort().join('');
  assert.deepEqual([await texts('archive'), await texts('kept')], ['after;before;', 'after;']);
  assert.equal(
    await bench.refusal('UpdateDestination', update(2, { S3BackupMode: 'Disabled' })),
    'InvalidArgumentException: S3BackupMode: it cannot be switched off again',
  );
  await bench.call('UpdateDestination', update(2, { S3BackupUpdate: { Prefix: 'p/' } }));
  const { DeliveryStreamDescription } = await bench.call('DescribeDeliveryStream', { DeliveryStreamName: 'd' });
  const { S3BackupMode, S3BackupDescription } =
    DeliveryStreamDescription.Destinations[0].ExtendedS3DestinationDescription;
  const { BucketARN, Prefix } = S3BackupDescription;
  assert.deepEqual([S3BackupMode, BucketARN, Prefix], ['Enabled', 'arn:aws:s3:::kept', 'p/']);
});

test('a delivery to a cluster moves between URL and domain', async () => {
  const bench = await new Bench().open();
  const endpoint = { ClusterEndpoint: 'https://127.0.0.1:9200' };
  const domain = { DomainARN: 'arn:aws:es:us-east-1:000000000000:domain/logs' };
  await bench.call('CreateDeliveryStream', {
    DeliveryStreamName: 'd',
    AmazonopensearchserviceDestinationConfiguration: {
      ...endpoint,
      IndexName: 'logs',
      S3Configuration: { BucketARN: 'arn:aws:s3:::failed' },
    },
  });
  const change = (version: number, AmazonopensearchserviceDestinationUpdate: object): object => ({
    ...ADDRESS,
    CurrentDeliveryStreamVersionId: String(version),
    AmazonopensearchserviceDestinationUpdate,
  });
  const place = async (): Promise<Answer> => {
    const { DeliveryStreamDescription } = await bench.call('DescribeDeliveryStream', { DeliveryStreamName: 'd' });
    const { ClusterEndpoint, DomainARN } =
      DeliveryStreamDescription.Destinations[0].AmazonopensearchserviceDestinationDescription;
    return { ...(ClusterEndpoint && { ClusterEndpoint }), ...(DomainARN && { DomainARN }) };
  };
  for (const [index, there] of [domain, endpoint].entries()) {
    await bench.call('UpdateDestination', change(index + 1, there));
    assert.deepEqual(await place(), there);
  }
  await bench.call('UpdateDestination', change(3, { IndexName: 'other' }));
  assert.deepEqual(await place(), endpoint);
  assert.equal(
    await bench.refusal('UpdateDestination', change(4, { ...endpoint, ...domain })),
    'InvalidArgumentException: Give one of DomainARN and ClusterEndpoint, and not both.',
  );
});

test('what UpdateDestination refuses', async () => {
  const bench = await new Bench().open({
    streams: { events: {} },
    deliveries: { f: { from: 'events', function: { name: 'handler' } } },
  });
  await bench.call('CreateDeliveryStream', { DeliveryStreamName: 'd', ...toBucket() });
  const one = update(1, { Prefix: 'x/' });
  const table: readonly (readonly [input: object, expected: RegExp])[] = [
    [{ ...one, DeliveryStreamName: 'none' }, /^ResourceNotFoundException: Firehose none under account/],
    [
      { ...one, DestinationId: 'destinationId-2' },
      /^InvalidArgumentException: Destination Id destinationId-2 not found$/,
    ],
    [{ ...one, DestinationId: undefined }, /^ValidationException: .*'destinationId'.*must not be null/],
    [
      { ...one, CurrentDeliveryStreamVersionId: 'x' },
      /^ValidationException: .*'currentDeliveryStreamVersionId'.*\[0-9\]\+/,
    ],
    [{ ...one, CurrentDeliveryStreamVersionId: undefined }, /^ValidationException: .*'currentDeliveryStreamVersionId'/],
    [{ ...one, CurrentDeliveryStreamVersionId: '7'.repeat(50) }, /^ConcurrentModificationException: /],
    [
      { ...one, CurrentDeliveryStreamVersionId: '01' },
      /^ConcurrentModificationException: .*specified version id: 01 do/,
    ],
    [{ ...one, ExtendedS3DestinationUpdate: undefined }, /^InvalidArgumentException: Exactly one destination update/],
    [{ ...one, S3DestinationUpdate: {} }, /^InvalidArgumentException: Exactly one destination update/],
    [
      { ...one, ExtendedS3DestinationUpdate: undefined, SplunkDestinationUpdate: {} },
      /^InvalidArgumentException: SplunkDestinationUpdate is not built yet\.$/,
    ],
    [
      update(1, { CompressionFormat: 'gzip' }),
      /^ValidationException: .*'extendedS3DestinationUpdate\.compressionFormat'.*\[ZIP, HADOOP_SNAPPY, Snappy, GZIP, UNC/,
    ],
    [update(1, { BufferingHints: { SizeInMBs: 5 } }), /^InvalidArgumentException: BufferingHints: give both/],
    [update(1, { Prefix: '!{timestamp:yyyy}/' }), /^InvalidArgumentException: Ths supplied prefix\(es\)/],
    [update(1, { BucketARN: 'arn:aws:s3:::No' }), /^InvalidArgumentException: BucketARN/],
    [
      update(1, { S3BackupUpdate: { Prefix: 'x' } }),
      /^InvalidArgumentException: S3BackupConfiguration\.BucketARN: missing$/,
    ],
    [
      { ...one, DeliveryStreamName: 'f' },
      /^InvalidArgumentException: The destination of f is of the kind function: it cannot become ExtendedS3/,
    ],
  ];
  for (const [input, expected] of table) assert.match(await bench.refusal('UpdateDestination', input), expected);
  const { DeliveryStreamDescription } = await bench.call('DescribeDeliveryStream', { DeliveryStreamName: 'd' });
  assert.equal(DeliveryStreamDescription.VersionId, '1');
});
