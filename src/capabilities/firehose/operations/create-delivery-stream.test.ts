import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench, toBucket } from '../harness.fixture.ts';

const KINESIS_ARN = 'arn:aws:kinesis:eu-west-1:999999999999:stream/events';

function endpoint(own: object, bucket = 'failed'): object {
  return {
    HttpEndpointDestinationConfiguration: {
      EndpointConfiguration: { Url: 'https://a.example/', ...own },
      S3Configuration: { BucketARN: `arn:aws:s3:::${bucket}`, RoleARN: 'arn:aws:iam::000000000000:role/r' },
    },
  };
}

function processedBy(ParameterValue: string): object {
  const Parameters = [{ ParameterName: 'LambdaArn', ParameterValue }];
  return { Enabled: true, Processors: [{ Type: 'Lambda', Parameters }] };
}

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
  const AWSKMSKeyARN = 'arn:aws:kms:us-east-1:000000000000:alias/mine';
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
      /^InvalidArgumentException: ProcessingConfiguration: Lambda needs LambdaArn/,
    ],
    ...(
      [
        ['http://169.254.169.254/x', /^Inv.*: 169\.254\.169\.254 is where a cloud answers with credentials/],
        ['https://10.0.0.1/x', /^InvalidArgumentException: 10\.0\.0\.1 is private; outgoing\.allow can list it$/],
        ['https://me:s3cret@a.example/x', /^InvalidArgumentException: (?!.*s3cret).* holds a user name or a password/],
        ['${gateway}/x', /^InvalidArgumentException: \$\{gateway\} in a URL is the config file's; say the address$/],
      ] as const
    ).map(([url, said]) => [extended({ ProcessingConfiguration: processedBy(url) }), said] as const),
    [extended({ BucketARN: 'archive' }), /^ValidationException: .*bucketARN.*pattern: arn:\.\*:s3:::/],
    [
      extended({
        EncryptionConfiguration: { NoEncryptionConfig: 'NoEncryption', KMSEncryptionConfig: { AWSKMSKeyARN } },
      }),
      /^InvalidArgumentException: Exactly one of NoEncryptionConfig or KMSEncryptionConfig must be specified$/,
    ],
    [
      extended({ CloudWatchLoggingOptions: { Enabled: true } }),
      /^InvalidArgumentException: CloudWatchLoggingOptions: Enabled needs LogGroupName and LogStreamName$/,
    ],
    [
      extended({ S3BackupConfiguration: { BucketARN: 'arn:aws:s3:::No' } }),
      /^InvalidArgumentException: S3BackupConfiguration: BucketARN/,
    ],
    [extended({ S3BackupMode: 'Enabled' }), /^Inv.*: S3BackupMode: Enabled needs S3BackupConfiguration$/],
    [{ ...toBucket(), Tags: [] }, /^ValidationException: .*'tags'/],
    [{ ...toBucket(), Tags: [{ Key: 'aws:x' }] }, /^ValidationException: .*'tags\.1\.member\.key'/],
    [
      { ...toBucket(), DirectPutSourceConfiguration: { ThroughputHintInMBs: 101 } },
      /^ValidationException: .*'directPutSourceConfiguration\.throughputHintInMBs'/,
    ],
    [
      {
        ...toBucket(),
        ...source,
        DeliveryStreamType: 'KinesisStreamAsSource',
        DirectPutSourceConfiguration: { ThroughputHintInMBs: 1 },
      },
      /^InvalidArgumentException: DirectPutSourceConfiguration goes with DeliveryStreamType DirectPut only/,
    ],
    [
      {
        ...toBucket(),
        ...source,
        DeliveryStreamType: 'KinesisStreamAsSource',
        DeliveryStreamEncryptionConfigurationInput: { KeyType: 'AWS_OWNED_CMK' },
      },
      /^InvalidArgumentException: Server-side encryption is only for delivery streams of type DirectPut, which d is not/,
    ],
    [{ SplunkDestinationConfiguration: {} }, /not built yet/],
    [
      endpoint({ Url: 'https://10.0.0.1/' }),
      /^InvalidArgumentException: 10\.0\.0\.1 is private; outgoing\.allow can list it$/,
    ],
    [endpoint({ Url: 'ftp://a.example/', AccessKey: 's3cret' }), /^ValidationException: (?!.*s3cret).*https\?/],
    [endpoint({}, 'No_Bucket'), /^InvalidArgumentException: S3Configuration: BucketARN: No_Bucket is not a name/],
    [{ ...toBucket(), ...source }, /^InvalidArgumentException: KinesisStreamSourceConfiguration goes with/],
    [{ ...toBucket(), DeliveryStreamType: 'KinesisStreamAsSource' }, /^InvalidArgumentException/],
    [
      { ...toBucket(), ...source, DeliveryStreamType: 'KinesisStreamAsSource' },
      /^ResourceNotFoundException: Stream events under account 000000000000 not found\.$/,
    ],
    [
      { ...toBucket(), DeliveryStreamType: 'MSKAsSource' },
      /^Inv.*: DeliveryStreamType MSKAsSource is not built yet\.$/,
    ],
    [{ ...toBucket(), MSKSourceConfiguration: {} }, /^Inv.*: MSKSourceConfiguration is not built yet\.$/],
    [{ ...toBucket(), DatabaseSourceConfiguration: {} }, /^Inv.*: DatabaseSourceConfiguration is not built yet\.$/],
    [{ ...toBucket(), DeliveryStreamName: 'a/b' }, /^ValidationException/],
  ];
  for (const [input, expected] of table) {
    assert.match(await bench.refusal('CreateDeliveryStream', { DeliveryStreamName: 'd', ...input }), expected);
  }
  assert.deepEqual((await bench.call('ListDeliveryStreams', {})).DeliveryStreamNames, []);
});

test('destinations of AWS that are not built say so', async () => {
  const bench = await new Bench().open();
  for (const kind of ['Redshift', 'Splunk', 'AmazonOpenSearchServerless', 'Snowflake', 'Iceberg']) {
    const member = `${kind}DestinationConfiguration`;
    const said = await bench.refusal('CreateDeliveryStream', { DeliveryStreamName: 'd', [member]: { RoleARN: 5 } });
    assert.equal(said, `InvalidArgumentException: ${member} is not built yet.`);
  }
});

test('the older form of S3 knows less', async () => {
  const bench = await new Bench().open();
  const { BucketARN } = toBucket().ExtendedS3DestinationConfiguration as { BucketARN: string };
  const S3DestinationConfiguration = { BucketARN, FileExtension: '.txt', CompressionFormat: 'GZIP' };
  await bench.call('CreateDeliveryStream', { DeliveryStreamName: 'd', S3DestinationConfiguration });
  const { DeliveryStreamDescription } = await bench.call('DescribeDeliveryStream', { DeliveryStreamName: 'd' });
  const { FileExtension, CompressionFormat } =
    DeliveryStreamDescription.Destinations[0].ExtendedS3DestinationDescription;
  assert.deepEqual([FileExtension, CompressionFormat], [undefined, 'GZIP']);
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

test('what is not built may say that it is off, and is described so; what is on is refused', async () => {
  const bench = await new Bench().open();
  const s3 = toBucket().ExtendedS3DestinationConfiguration;
  const create = (more: object): object => ({
    DeliveryStreamName: 'd',
    ExtendedS3DestinationConfiguration: { ...s3, ...more },
  });
  const conversion = {
    Enabled: false,
    OutputFormatConfiguration: { Serializer: { ParquetSerDe: { Compression: 'SNAPPY' } } },
  };
  const table: readonly (readonly [more: object, expected: RegExp])[] = [
    [
      { DataFormatConversionConfiguration: { Enabled: true } },
      /^Inv.*: DataFormatConversionConfiguration is not built/,
    ],
    [{ DataFormatConversionConfiguration: {} }, /^Inv.*: DataFormatConversionConfiguration is not built yet; Enabled:/],
    [{ DynamicPartitioningConfiguration: { Enabled: true } }, /^Inv.*: DynamicPartitioningConfiguration is not built/],
    [
      { DynamicPartitioningConfiguration: { Enabled: false, RetryOptions: { DurationInSeconds: 7201 } } },
      /^Val.*dynamicPartitioningConfiguration\.retryOptions\.durationInSeconds/,
    ],
  ];
  for (const [more, expected] of table) {
    assert.match(await bench.refusal('CreateDeliveryStream', create(more)), expected);
  }
  const off = { DataFormatConversionConfiguration: conversion, DynamicPartitioningConfiguration: { Enabled: false } };
  await bench.call('CreateDeliveryStream', create(off));
  const { DeliveryStreamDescription } = await bench.call('DescribeDeliveryStream', { DeliveryStreamName: 'd' });
  const { DataFormatConversionConfiguration, DynamicPartitioningConfiguration } =
    DeliveryStreamDescription.Destinations[0].ExtendedS3DestinationDescription;
  assert.deepEqual({ DataFormatConversionConfiguration, DynamicPartitioningConfiguration }, off);
});
