import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { base64, HOOK_DELIVERY, ok, refuses, repeated, type Subject } from './subject.ts';

interface Listed {
  readonly DeliveryStreamNames: readonly string[];
  readonly HasMoreDeliveryStreams: boolean;
}

interface Description extends Readonly<Record<string, unknown>> {
  readonly CreateTimestamp: number;
  readonly LastUpdateTimestamp: number;
}

const BUCKET = 'arn:aws:s3:::conformance-direct';
const ROLE = 'arn:aws:iam::000000000000:role/conformance';
const S3 = { BucketARN: BUCKET, RoleARN: ROLE };
const RECORD_MAX = 1_024_000;

async function create(subject: Subject, name: string, more: object = {}): Promise<string> {
  const input = { DeliveryStreamName: name, ExtendedS3DestinationConfiguration: S3, ...more };
  const answer = await ok<{ DeliveryStreamARN: string }>(subject.firehose('CreateDeliveryStream', input));
  assert.deepEqual(Object.keys(answer), ['DeliveryStreamARN']);
  return answer.DeliveryStreamARN;
}

async function remove(subject: Subject, name: string): Promise<void> {
  const gone = await ok(subject.firehose('DeleteDeliveryStream', { DeliveryStreamName: name, AllowForceDelete: true }));
  assert.deepEqual(gone, {});
}

async function describeDelivery(subject: Subject, name: string): Promise<Description> {
  const answer = subject.firehose('DescribeDeliveryStream', { DeliveryStreamName: name });
  return (await ok<{ DeliveryStreamDescription: Description }>(answer)).DeliveryStreamDescription;
}

/** Every action of Firehose. */
export function firehoseConformance(subject: Subject): void {
  describe('firehose', () => {
    test('a new delivery stream: ARN, defaults, both descriptions of its bucket', async () => await defaults(subject));
    test('what was said at creation is described', async () => await saidIsDescribed(subject));
    test('a delivery stream that reads a Kinesis stream takes no records itself', async () =>
      await fromKinesis(subject));
    test('ListDeliveryStreams: alphabetical, 10 at a time, by type', async () => await lists(subject));
    test('UpdateDestination: what is not named stays, and each version is updated once', async () =>
      await updates(subject));
    test('tags: of the creation, added, replaced, removed, a page at a time', async () => await tags(subject));
    test('encryption: what is said of it, and of each record', async () => await encrypts(subject));
    test('PutRecord and PutRecordBatch: shapes and sizes', async () => await puts(subject));
    test('three records of three bytes are an object of nine', async () => await delivers(subject));
  });
}

async function defaults(subject: Subject): Promise<void> {
  const name = subject.name('defaults');
  const before = Date.now() / 1000;
  const arn = await create(subject, name);
  assert.match(arn, new RegExp(`^arn:aws:firehose:[a-z0-9-]+:\\d{12}:deliverystream/${name}$`));
  const { CreateTimestamp, LastUpdateTimestamp, ...rest } = await describeDelivery(subject, name);
  assert.ok(CreateTimestamp >= Math.floor(before) && CreateTimestamp <= Date.now() / 1000 + 1);
  assert.ok(LastUpdateTimestamp >= CreateTimestamp);
  const plain = {
    RoleARN: ROLE,
    BucketARN: BUCKET,
    BufferingHints: { SizeInMBs: 5, IntervalInSeconds: 300 },
    CompressionFormat: 'UNCOMPRESSED',
    EncryptionConfiguration: { NoEncryptionConfig: 'NoEncryption' },
    CloudWatchLoggingOptions: { Enabled: false },
  };
  assert.deepEqual(rest, {
    DeliveryStreamName: name,
    DeliveryStreamARN: arn,
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
  await remove(subject, name);
  const account = arn.split(':')[4];
  await refuses(
    subject.firehose('DescribeDeliveryStream', { DeliveryStreamName: name }),
    'ResourceNotFoundException',
    `Firehose ${name} under account ${account} not found.`,
  );
}

async function saidIsDescribed(subject: Subject): Promise<void> {
  const name = subject.name('said');
  const said = {
    ...S3,
    Prefix: 'events/',
    ErrorOutputPrefix: 'errors/',
    BufferingHints: { SizeInMBs: 64, IntervalInSeconds: 900 },
    CompressionFormat: 'GZIP',
  };
  // The older name of the same destination.
  const older = { ExtendedS3DestinationConfiguration: undefined, S3DestinationConfiguration: said };
  for (const more of [{ ExtendedS3DestinationConfiguration: said }, older]) {
    await create(subject, name, more);
    const { Destinations } = await describeDelivery(subject, name);
    const [only] = Destinations as readonly Readonly<Record<string, object>>[];
    for (const form of ['S3DestinationDescription', 'ExtendedS3DestinationDescription']) {
      assert.deepEqual({ ...only?.[form], ...said }, only?.[form], form);
    }
    await remove(subject, name);
  }
}

async function fromKinesis(subject: Subject): Promise<void> {
  const [name, stream] = [subject.name('reader'), subject.name('source')];
  await ok(subject.kinesis('CreateStream', { StreamName: stream, ShardCount: 1 }));
  const KinesisStreamARN = `arn:aws:kinesis:us-east-1:000000000000:stream/${stream}`;
  const source = { KinesisStreamARN, RoleARN: ROLE };
  await create(subject, name, {
    DeliveryStreamType: 'KinesisStreamAsSource',
    KinesisStreamSourceConfiguration: source,
  });
  const { DeliveryStreamType, Source, CreateTimestamp } = await describeDelivery(subject, name);
  assert.equal(DeliveryStreamType, 'KinesisStreamAsSource');
  assert.deepEqual(Source, { KinesisStreamSourceDescription: { ...source, DeliveryStartTimestamp: CreateTimestamp } });
  const sentence = 'This operation is not permitted on KinesisStreamAsSource delivery stream type.';
  const Record = { Data: 'YQ==' };
  const put = subject.firehose('PutRecord', { DeliveryStreamName: name, Record });
  await refuses(put, 'InvalidArgumentException', sentence);
  const batch = subject.firehose('PutRecordBatch', { DeliveryStreamName: name, Records: [Record] });
  await refuses(batch, 'InvalidArgumentException', sentence);
  await remove(subject, name);
  await ok(subject.kinesis('DeleteStream', { StreamName: stream }));
}

async function lists(subject: Subject): Promise<void> {
  const prefix = subject.name('list');
  const names = Array.from({ length: 12 }, (_, index) => `${prefix}-${String(index).padStart(2, '0')}`);
  for (const name of names.toReversed()) await create(subject, name);
  const list = async (input: object): Promise<Listed> =>
    await ok<Listed>(subject.firehose('ListDeliveryStreams', input));
  const first = await list({ ExclusiveStartDeliveryStreamName: prefix });
  assert.deepEqual(first, { DeliveryStreamNames: names.slice(0, 10), HasMoreDeliveryStreams: true });
  const second = await list({ ExclusiveStartDeliveryStreamName: names[9], Limit: 2 });
  assert.deepEqual(second.DeliveryStreamNames, names.slice(10));
  const all = await list({ Limit: 10_000, DeliveryStreamType: 'DirectPut' });
  assert.equal(all.HasMoreDeliveryStreams, false);
  assert.deepEqual(all.DeliveryStreamNames, all.DeliveryStreamNames.toSorted());
  assert.ok(names.every((name) => all.DeliveryStreamNames.includes(name)));
  const readers = await list({ Limit: 10_000, DeliveryStreamType: 'KinesisStreamAsSource' });
  assert.ok(!readers.DeliveryStreamNames.some((name) => names.includes(name)));
  if (subject.node !== undefined) assert.deepEqual(readers.DeliveryStreamNames, [HOOK_DELIVERY]);
  for (const name of names) await remove(subject, name);
}

async function updates(subject: Subject): Promise<void> {
  const name = subject.name('updates');
  const BufferingHints = { SizeInMBs: 2, IntervalInSeconds: 60 };
  await create(subject, name, { ExtendedS3DestinationConfiguration: { ...S3, Prefix: 'before/', BufferingHints } });
  const address = { DeliveryStreamName: name, DestinationId: 'destinationId-000000000001' };
  const update = { ...address, CurrentDeliveryStreamVersionId: '1', ExtendedS3DestinationUpdate: { Prefix: 'after/' } };
  assert.deepEqual(await ok(subject.firehose('UpdateDestination', update)), {});
  const { VersionId, Destinations } = await describeDelivery(subject, name);
  const [only] = Destinations as readonly Readonly<Record<string, object>>[];
  const expected = { ...S3, Prefix: 'after/', BufferingHints };
  assert.deepEqual({ ...only?.['S3DestinationDescription'], ...expected }, only?.['S3DestinationDescription']);
  assert.equal(VersionId, '2');
  const sentence = `Cannot update firehose: ${name} since the current version id: 2 and specified version id: 1 do not match`;
  await refuses(subject.firehose('UpdateDestination', update), 'ConcurrentModificationException', sentence);
  await remove(subject, name);
}

async function tags(subject: Subject): Promise<void> {
  const name = subject.name('tags');
  const tag = (Key: string, Value: string): object => ({ Key, Value });
  await create(subject, name, { Tags: [tag('a', '1'), tag('b', '2')] });
  const address = { DeliveryStreamName: name };
  assert.deepEqual(
    await ok(subject.firehose('TagDeliveryStream', { ...address, Tags: [tag('b', '3'), tag('c', '4')] })),
    {},
  );
  const list = async (more: object): Promise<unknown> =>
    await ok(subject.firehose('ListTagsForDeliveryStream', { ...address, ...more }));
  assert.deepEqual(await list({ Limit: 2 }), { Tags: [tag('a', '1'), tag('b', '3')], HasMoreTags: true });
  assert.deepEqual(await list({ ExclusiveStartTagKey: 'b' }), { Tags: [tag('c', '4')], HasMoreTags: false });
  assert.deepEqual(await ok(subject.firehose('UntagDeliveryStream', { ...address, TagKeys: ['a', 'x'] })), {});
  assert.deepEqual(await list({}), { Tags: [tag('b', '3'), tag('c', '4')], HasMoreTags: false });
  await remove(subject, name);
}

async function encrypts(subject: Subject): Promise<void> {
  const name = subject.name('encrypts');
  await create(subject, name);
  const address = { DeliveryStreamName: name };
  const now = async (): Promise<unknown> => {
    const { DeliveryStreamEncryptionConfiguration: said } = await describeDelivery(subject, name);
    const { Encrypted } = await ok(subject.firehose('PutRecord', { ...address, Record: { Data: '' } }));
    return [said, Encrypted];
  };
  assert.deepEqual(await ok(subject.firehose('StartDeliveryStreamEncryption', address)), {});
  assert.deepEqual(await now(), [{ KeyType: 'AWS_OWNED_CMK', Status: 'ENABLED' }, true]);
  assert.deepEqual(await ok(subject.firehose('StopDeliveryStreamEncryption', address)), {});
  assert.deepEqual(await now(), [{ Status: 'DISABLED' }, false]);
  await remove(subject, name);
}

async function puts(subject: Subject): Promise<void> {
  const name = subject.name('puts');
  await create(subject, name);
  const largest = { Data: base64(Buffer.alloc(RECORD_MAX)) };
  const address = { DeliveryStreamName: name };
  for (const Record of [{ Data: '' }, largest]) {
    const answer = await ok(subject.firehose('PutRecord', { ...address, Record }));
    assert.deepEqual(Object.keys(answer).sort(), ['Encrypted', 'RecordId']);
    assert.deepEqual([typeof answer['RecordId'], answer['Encrypted']], ['string', false]);
  }
  const batch = await ok<{ RequestResponses: readonly { RecordId: string }[] }>(
    subject.firehose('PutRecordBatch', { ...address, Records: repeated(500, { Data: 'YQ==' }) }),
  );
  const { RequestResponses, ...counts } = batch;
  assert.deepEqual(counts, { FailedPutCount: 0, Encrypted: false });
  assert.equal(new Set(RequestResponses.map(({ RecordId }) => RecordId)).size, 500);
  assert.ok(RequestResponses.every((one) => Object.keys(one).join() === 'RecordId'));
  await remove(subject, name);
}

async function delivers(subject: Subject): Promise<void> {
  if (subject.node === undefined) return;
  const name = subject.name('delivers');
  await create(subject, name, {
    S3DestinationConfiguration: { BucketARN: BUCKET, Prefix: `${name}/` },
    ExtendedS3DestinationConfiguration: undefined,
  });
  const Records = repeated(3, { Data: base64('abc') });
  await ok(subject.firehose('PutRecordBatch', { DeliveryStreamName: name, Records }));
  assert.equal((await fetch(`${subject.api}/admin/deliveries/${name}/flush`, { method: 'POST' })).status, 200);
  const listing = await fetch(`${subject.api}/admin/buckets/conformance-direct?prefix=${name}/`);
  const { objects } = (await listing.json()) as { objects: readonly { key: string; sizeBytes: number }[] };
  assert.deepEqual(
    objects.map(({ sizeBytes }) => sizeBytes),
    [9],
  );
  const time = String.raw`\d{4}(-\d\d){5}`;
  const uuid = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}';
  assert.match(objects[0]?.key ?? '', new RegExp(`^${name}/\\d{4}/\\d\\d/\\d\\d/\\d\\d/${name}-1-${time}-${uuid}$`));
  await remove(subject, name);
}
