import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench, toBucket } from '../harness.fixture.ts';

const KINESIS_ARN = 'arn:aws:kinesis:eu-west-1:999999999999:stream/events';

test('CreateDeliveryStream answers the ARN, and refuses a second of the name', async () => {
  const bench = await new Bench().open();
  const input = { DeliveryStreamName: 'd', ...toBucket() };
  assert.deepEqual(await bench.call('CreateDeliveryStream', input), {
    DeliveryStreamARN: 'arn:aws:firehose:us-east-1:000000000000:deliverystream/d',
  });
  assert.equal(
    await bench.refusal('CreateDeliveryStream', input),
    'ResourceInUseException: Firehose d under accountId 000000000000 already exists',
  );
});

test('what CreateDeliveryStream refuses', async () => {
  const bench = await new Bench().open();
  const s3 = toBucket().ExtendedS3DestinationConfiguration;
  const extended = (more: object): object => ({ ExtendedS3DestinationConfiguration: { ...s3, ...more } });
  const source = { KinesisStreamSourceConfiguration: { KinesisStreamARN: KINESIS_ARN } };
  const table: readonly (readonly [object, RegExp])[] = [
    [{}, /^InvalidArgumentException: Exactly one destination configuration is supported/],
    [{ ...toBucket(), S3DestinationConfiguration: s3 }, /^InvalidArgumentException: Exactly one/],
    [
      { ExtendedS3DestinationConfiguration: {} },
      /^ValidationException: .*extendedS3DestinationConfiguration\.bucketARN/,
    ],
    [
      extended({ CompressionFormat: 'gzip' }),
      /^ValidationException: .*extendedS3DestinationConfiguration\.compressionFormat.*\[ZIP, HADOOP_SNAPPY, Snappy, GZIP, UNCOMPRESSED\]/,
    ],
    [
      extended({ Prefix: '!{timestamp:yyyy}/' }),
      /^InvalidArgumentException: Ths supplied prefix\(es\) do not satisfy .* ErrorOutputPrefix cannot be null or empty/,
    ],
    [extended({ FileExtension: 'txt' }), /^ValidationException: .*fileExtension/],
    [extended({ CustomTimeZone: 'Asia/Atlantis' }), /^InvalidArgumentException: CustomTimeZone: Asia\/Atlantis/],
    [extended({ BufferingHints: { SizeInMBs: 5 } }), /^InvalidArgumentException: BufferingHints: give both/],
    [extended({ BufferingHints: { SizeInMBs: 129, IntervalInSeconds: 1 } }), /^ValidationException: .*'129'/],
    [extended({ BucketARN: 'arn:aws:s3:::Not_A_Bucket' }), /^InvalidArgumentException: BucketARN/],
    [
      extended({ ProcessingConfiguration: { Enabled: true, Processors: [{ Type: 'Lambda' }] } }),
      /^InvalidArgumentException: ProcessingConfiguration: Lambda is not built yet/,
    ],
    [{ HttpEndpointDestinationConfiguration: {} }, /not built yet/],
    [{ ...toBucket(), ...source }, /^InvalidArgumentException: KinesisStreamSourceConfiguration goes with/],
    [{ ...toBucket(), DeliveryStreamType: 'KinesisStreamAsSource' }, /^InvalidArgumentException/],
    [
      { ...toBucket(), ...source, DeliveryStreamType: 'KinesisStreamAsSource' },
      /^ResourceNotFoundException: Stream events under account 000000000000 not found\.$/,
    ],
    [{ ...toBucket(), DeliveryStreamType: 'MSKAsSource' }, /not built yet/],
    [{ ...toBucket(), DeliveryStreamName: 'a/b' }, /^ValidationException/],
  ];
  for (const [input, expected] of table) {
    assert.match(await bench.refusal('CreateDeliveryStream', { DeliveryStreamName: 'd', ...input }), expected);
  }
  assert.deepEqual((await bench.call('ListDeliveryStreams', {})).DeliveryStreamNames, []);
});

test('through the API a delivery starts at LATEST; it survives a power cut', async () => {
  const bench = await new Bench().open({ streams: { events: { ShardCount: 1 } } });
  const put = async (text: string): Promise<void> => {
    const record = { StreamName: 'events', PartitionKey: 'k', Data: Buffer.from(text).toString('base64') };
    await bench.call('Kinesis_20131202.PutRecord', record);
  };
  await put('before;');
  await bench.call('CreateDeliveryStream', {
    DeliveryStreamName: 'd',
    DeliveryStreamType: 'KinesisStreamAsSource',
    KinesisStreamSourceConfiguration: { KinesisStreamARN: KINESIS_ARN },
    ...toBucket(),
  });
  await put('after;');
  bench.simulation.crash();
  bench.simulation.restart();
  await bench.open({ streams: { events: { ShardCount: 1 } } });
  await put('later;');
  assert.equal((await bench.admin('POST', '/admin/deliveries/{name}/flush', { name: 'd' })).flushed, true);
  assert.equal([...(await bench.objects('archive')).values()].map(String).join(), 'after;later;');
});
