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
