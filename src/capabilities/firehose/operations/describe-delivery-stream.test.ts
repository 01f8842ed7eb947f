import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench, toBucket } from '../harness.fixture.ts';

const ROLE = 'arn:aws:iam::000000000000:role/firehose';

test('DescribeDeliveryStream of a direct one: every member, the destination twice', async () => {
  const bench = await new Bench().open();
  await bench.call('CreateDeliveryStream', {
    DeliveryStreamName: 'd',
    ExtendedS3DestinationConfiguration: { RoleARN: ROLE, BucketARN: 'arn:aws:s3:::archive', Prefix: 'p/' },
  });
  const { DeliveryStreamDescription } = await bench.call('DescribeDeliveryStream', { DeliveryStreamName: 'd' });
  const { CreateTimestamp, LastUpdateTimestamp, ...rest } = DeliveryStreamDescription;
  assert.ok(CreateTimestamp > 1_700_000_000 && CreateTimestamp < 2_000_000_000, 'epoch seconds');
  assert.equal(LastUpdateTimestamp, CreateTimestamp);
  const plain = {
    RoleARN: ROLE,
    BucketARN: 'arn:aws:s3:::archive',
    Prefix: 'p/',
    BufferingHints: { SizeInMBs: 5, IntervalInSeconds: 300 },
    CompressionFormat: 'UNCOMPRESSED',
    EncryptionConfiguration: { NoEncryptionConfig: 'NoEncryption' },
    CloudWatchLoggingOptions: { Enabled: false },
  };
  assert.deepEqual(rest, {
    DeliveryStreamName: 'd',
    DeliveryStreamARN: 'arn:aws:firehose:us-east-1:000000000000:deliverystream/d',
    DeliveryStreamStatus: 'ACTIVE',
    DeliveryStreamEncryptionConfiguration: { Status: 'DISABLED' },
    DeliveryStreamType: 'DirectPut',
    VersionId: '1',
    Destinations: [
      {
        DestinationId: 'destinationId-000000000001',
        S3DestinationDescription: plain,
        ExtendedS3DestinationDescription: { ...plain, S3BackupMode: 'Disabled' },
      },
    ],
    HasMoreDestinations: false,
  });
});

test('DescribeDeliveryStream of one that the file declares, and after the file changed it', async () => {
  const sections = (seconds: number): object => ({
    streams: { events: {} },
    deliveries: { d: { from: 'events', ...toBucket('archive', seconds) } },
  });
  const bench = await new Bench().open(sections(60) as Record<string, unknown>);
  const describe = async (): Promise<unknown> => {
    const { DeliveryStreamDescription: all } = await bench.call('DescribeDeliveryStream', { DeliveryStreamName: 'd' });
    const source = all.Source.KinesisStreamSourceDescription.KinesisStreamARN;
    const { BufferingHints, BucketARN } = all.Destinations[0].ExtendedS3DestinationDescription;
    return [all.DeliveryStreamType, source, all.VersionId, BucketARN, BufferingHints.IntervalInSeconds];
  };
  const source = 'arn:aws:kinesis:us-east-1:000000000000:stream/events';
  assert.deepEqual(await describe(), ['KinesisStreamAsSource', source, '1', 'arn:aws:s3:::archive', 60]);
  await bench.simulation.drive(bench.node.reload(sections(60) as Record<string, unknown>));
  assert.deepEqual(await describe(), ['KinesisStreamAsSource', source, '1', 'arn:aws:s3:::archive', 60]);
  await bench.simulation.drive(bench.node.reload(sections(90) as Record<string, unknown>));
  assert.deepEqual(await describe(), ['KinesisStreamAsSource', source, '2', 'arn:aws:s3:::archive', 90]);
});

test('the source that a request names is described as it was named, with what it hints at', async () => {
  const bench = await new Bench().open({ streams: { events: {} } });
  const source = async (name: string, given: object): Promise<unknown> => {
    await bench.call('CreateDeliveryStream', { DeliveryStreamName: name, ...toBucket(), ...given });
    const { DeliveryStreamDescription } = await bench.call('DescribeDeliveryStream', { DeliveryStreamName: name });
    return DeliveryStreamDescription.Source;
  };
  const ThroughputHintInMBs = 20;
  assert.equal(await source('plain', {}), undefined);
  assert.deepEqual(await source('hinted', { DirectPutSourceConfiguration: { ThroughputHintInMBs } }), {
    DirectPutSourceDescription: { ThroughputHintInMBs },
  });
  // Of any region and account, also one with a digit less; the stream is the one of that name here.
  const KinesisStreamSourceConfiguration = {
    KinesisStreamARN: 'arn:aws:kinesis:eu-west-1:78023564309:stream/events',
    RoleARN: 'arn:aws:iam::78023564309:role/reader',
  };
  const described = (await source('reader', {
    DeliveryStreamType: 'KinesisStreamAsSource',
    KinesisStreamSourceConfiguration,
  })) as { readonly KinesisStreamSourceDescription: Readonly<Record<string, unknown>> };
  const { DeliveryStartTimestamp, ...rest } = described.KinesisStreamSourceDescription;
  assert.equal(typeof DeliveryStartTimestamp, 'number');
  assert.deepEqual(rest, KinesisStreamSourceConfiguration);
});

test('Limit and ExclusiveStartDestinationId: there is one destination', async () => {
  const bench = await new Bench().open();
  await bench.call('CreateDeliveryStream', { DeliveryStreamName: 'd', ...toBucket() });
  const ids = async (more: object): Promise<unknown> => {
    const answer = await bench.call('DescribeDeliveryStream', { DeliveryStreamName: 'd', ...more });
    const { Destinations, HasMoreDestinations } = answer.DeliveryStreamDescription;
    return [Destinations.map(({ DestinationId }: { DestinationId: string }) => DestinationId), HasMoreDestinations];
  };
  const ID = 'destinationId-000000000001';
  assert.deepEqual(await ids({ Limit: 1 }), [[ID], false]);
  assert.deepEqual(await ids({ ExclusiveStartDestinationId: 'destinationId-000000000000' }), [[ID], false]);
  assert.deepEqual(await ids({ ExclusiveStartDestinationId: ID }), [[], false]);
  for (const more of [{ Limit: 0 }, { Limit: 10_001 }, { ExclusiveStartDestinationId: 'a b' }]) {
    const said = await bench.refusal('DescribeDeliveryStream', { DeliveryStreamName: 'd', ...more });
    assert.match(said, /^ValidationException/);
  }
});
