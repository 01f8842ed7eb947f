import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync, inflateRawSync } from 'node:zlib';
import { nodeCompute } from '../../environments/node/compute.ts';
import { checkConfig } from '../../kernel/schema/check-config.ts';
import type { BlobOptions, BlobStore } from '../../ports/blob-store.ts';
import type { Batch, OpenDestination, OutgoingRecord } from '../../ports/destination.ts';
import type { Environment } from '../../ports/environment.ts';
import { quietEnvironment } from '../../testing/quiet-environment.ts';
import { s3 } from './index.ts';
import { hourFolder, objectKey } from './object-key.ts';
import { s3Options, type S3Options } from './options.ts';

const AT = Date.parse('2026-01-31T23:04:05.678Z');

test('object keys', () => {
  const name = { prefix: '', deliveryStream: 'events', versionId: '1', oldestAt: AT, uuid: 'u-u-i-d', ending: '' };
  const table: readonly (readonly [change: Partial<typeof name>, key: string])[] = [
    [{}, '2026/01/31/23/events-1-2026-01-31-23-04-05-u-u-i-d'],
    [{ ending: '.gz' }, '2026/01/31/23/events-1-2026-01-31-23-04-05-u-u-i-d.gz'],
    [{ prefix: 'raw/' }, 'raw/2026/01/31/23/events-1-2026-01-31-23-04-05-u-u-i-d'],
    [{ prefix: 'raw' }, 'raw2026/01/31/23/events-1-2026-01-31-23-04-05-u-u-i-d'],
    [{ versionId: '12' }, '2026/01/31/23/events-12-2026-01-31-23-04-05-u-u-i-d'],
    [{ oldestAt: 0 }, '1970/01/01/00/events-1-1970-01-01-00-00-00-u-u-i-d'],
    [{ oldestAt: AT + 3_600_000 }, '2026/02/01/00/events-1-2026-02-01-00-04-05-u-u-i-d'],
  ];
  for (const [change, key] of table) assert.equal(objectKey({ ...name, ...change }), key);
  assert.equal(hourFolder(AT), '2026/01/31/23/');
});

test('what shapes alone cannot say', () => {
  const table: readonly (readonly [options: S3Options, said: string | undefined])[] = [
    [{ BucketARN: 'bucket' }, undefined],
    [{ BucketARN: 'arn:aws:s3:::bucket' }, undefined],
    [{ BucketARN: 'a.b-c.9' }, undefined],
    [{ BucketARN: 'Bucket' }, 'BucketARN: Bucket is not a name that S3 takes for a bucket'],
    [{ BucketARN: 'arn:aws:s3:::a_b' }, 'BucketARN: a_b is not a name that S3 takes for a bucket'],
    [{ BucketARN: 'ab' }, 'BucketARN: ab is not a name that S3 takes for a bucket'],
    [{ BucketARN: 'a..b' }, 'BucketARN: a..b is not a name that S3 takes for a bucket'],
    [{ BucketARN: '..' }, 'BucketARN: .. is not a name that S3 takes for a bucket'],
    [{ BucketARN: '10.0.0.1' }, 'BucketARN: 10.0.0.1 is not a name that S3 takes for a bucket'],
    [{ BucketARN: 'bucket', BufferingHints: {} }, undefined],
    [{ BucketARN: 'bucket', BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 0 } }, undefined],
    [
      { BucketARN: 'bucket', BufferingHints: { SizeInMBs: 1 } },
      'BufferingHints: give both SizeInMBs and IntervalInSeconds, or none',
    ],
    [
      { BucketARN: 'bucket', BufferingHints: { IntervalInSeconds: 0 } },
      'BufferingHints: give both SizeInMBs and IntervalInSeconds, or none',
    ],
    [{ BucketARN: 'bucket', CompressionFormat: 'GZIP' }, undefined],
    [{ BucketARN: 'bucket', CompressionFormat: 'Snappy' }, 'CompressionFormat: Snappy is not built yet'],
    [{ BucketARN: 'bucket', S3BackupMode: 'Disabled' }, undefined],
    [{ BucketARN: 'bucket', S3BackupMode: 'Enabled' }, 'S3BackupMode: Enabled is not built yet'],
    [
      { BucketARN: 'bucket', Prefix: 'x/!{timestamp:yyyy}/' },
      'Prefix: expressions such as !{timestamp:...} are not built yet',
    ],
    [
      { BucketARN: 'bucket', ErrorOutputPrefix: '!{firehose:error-output-type}/' },
      'Prefix: expressions such as !{timestamp:...} are not built yet',
    ],
  ];
  for (const [options, said] of table) {
    assert.deepEqual(checkConfig(s3Options, options), [], 'the shape takes it');
    assert.equal(s3.problem(options), said, JSON.stringify(options));
  }
});

test('buffering: AWS values and units', () => {
  const table: readonly (readonly [hints: S3Options['BufferingHints'], bytesMax: number, intervalMs: number])[] = [
    [undefined, 5_242_880, 300_000],
    [{}, 5_242_880, 300_000],
    [{ SizeInMBs: 1, IntervalInSeconds: 0 }, 1_048_576, 0],
    [{ SizeInMBs: 128, IntervalInSeconds: 900 }, 134_217_728, 900_000],
  ];
  for (const [hints, bytesMax, intervalMs] of table) {
    const options: S3Options = { BucketARN: 'b', ...(hints !== undefined && { BufferingHints: hints }) };
    assert.deepEqual(s3.buffering(options), { bytesMax, intervalMs });
  }
});

test('a description says what holds, twice as AWS does', () => {
  const bare = {
    BucketARN: 'arn:aws:s3:::git-data',
    BufferingHints: { SizeInMBs: 5, IntervalInSeconds: 300 },
    CompressionFormat: 'UNCOMPRESSED',
    EncryptionConfiguration: { NoEncryptionConfig: 'NoEncryption' },
    CloudWatchLoggingOptions: { Enabled: false },
  };
  assert.deepEqual(s3.describe({ BucketARN: 'git-data' }), {
    S3DestinationDescription: bare,
    ExtendedS3DestinationDescription: { ...bare, S3BackupMode: 'Disabled' },
  });
  const full = {
    RoleARN: 'arn:aws:iam::000000000000:role/r',
    BucketARN: 'arn:aws:s3:::b',
    Prefix: 'p/',
    ErrorOutputPrefix: 'e/',
    BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 60 },
    CompressionFormat: 'GZIP',
    CloudWatchLoggingOptions: { Enabled: true, LogGroupName: 'g' },
  };
  const encryption = { EncryptionConfiguration: bare.EncryptionConfiguration };
  assert.deepEqual(s3.describe(full)['S3DestinationDescription'], { ...full, ...encryption });
});

interface Put {
  readonly bucket: string;
  readonly key: string;
  readonly bytes: Buffer;
  readonly options: BlobOptions | undefined;
}

/** An open destination over a bucket that keeps what was put, whole or not at all. */
function opened(options: S3Options): { readonly destination: OpenDestination; readonly puts: Put[] } {
  const puts: Put[] = [];
  const blobs: Pick<BlobStore, 'put' | 'locate'> = {
    put: async (bucket, key, body, blobOptions) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of body) chunks.push(Uint8Array.from(chunk));
      const bytes = Buffer.concat(chunks);
      puts.push({ bucket, key, bytes, options: blobOptions });
      return bytes.length;
    },
    locate: (bucket, key) => `/buckets/${bucket}/${key}`,
  };
  const { clock, random, log, meter } = quietEnvironment();
  const environment = { clock, random, log, meter, compute: nodeCompute } as Environment;
  return { destination: s3.open(options, { blobs: blobs as BlobStore }, environment), puts };
}

function record(data: string): OutgoingRecord {
  return { data: Buffer.from(data), at: AT, partitionKey: 'k', sequenceNumber: '1', shardId: 's' };
}

/** A batch of these slices of records. */
function batch(slices: readonly (readonly string[])[]): Batch {
  const texts = slices.flat();
  return {
    id: 'batch',
    deliveryStream: 'events',
    versionId: '3',
    oldestAt: AT,
    recordCount: texts.length,
    sizeBytes: Buffer.byteLength(texts.join('')),
    records: async function* () {
      for (const slice of slices) yield slice.map(record);
    },
  };
}

const live = new AbortController().signal;

test('a place is decided once, by prefix, oldest record and chance', () => {
  const { destination } = opened({ BucketARN: 'b', Prefix: 'raw/', CompressionFormat: 'GZIP' });
  const key = '2026/01/31/23/events-3-2026-01-31-23-04-05';
  assert.equal(destination.place(batch([])), `raw/${key}-a-1.gz`);
  assert.equal(destination.place(batch([])), `raw/${key}-a-2.gz`);
});

test('records stand one after the other, as they came', async () => {
  const { destination, puts } = opened({ BucketARN: 'arn:aws:s3:::git-data' });
  const delivered = await destination.deliver(batch([['{"a":1}', '', 'ü\n'], [], ['{"b":2}']]), 'the/key', live);
  assert.deepEqual(delivered, { place: '/buckets/git-data/the/key', sizeBytes: 17 });
  const options = { contentType: 'application/octet-stream' };
  assert.deepEqual(puts, [{ bucket: 'git-data', key: 'the/key', bytes: Buffer.from('{"a":1}ü\n{"b":2}'), options }]);
});

test('gzip: one member without a time, the same bytes each time', async () => {
  const { destination, puts } = opened({ BucketARN: 'bucket', CompressionFormat: 'GZIP' });
  const slices = Array.from({ length: 50 }, (_, slice) =>
    Array.from({ length: 100 }, (_, index) => `{"slice":${slice},"record":${index}}\n`),
  );
  const first = await destination.deliver(batch(slices), 'k.gz', live);
  // The same records in other slices, as after a restart.
  await destination.deliver(batch([slices.flat()]), 'k.gz', live);
  const [one, other] = puts;
  assert.ok(one !== undefined && other !== undefined);
  assert.equal(first.sizeBytes, one.bytes.length);
  const plain = Buffer.from(slices.flat().join(''));
  assert.deepEqual(gunzipSync(one.bytes), plain);
  // Ten bytes of head, eight of tail, and one deflate stream between them that is everything.
  assert.deepEqual(inflateRawSync(one.bytes.subarray(10, -8)), plain);
  assert.equal(one.bytes.readUInt32LE(4), 0, 'no time in the head');
  assert.equal(one.bytes.readUInt32LE(one.bytes.length - 4), plain.length);
  assert.deepEqual(one.bytes, other.bytes);
  assert.deepEqual(one.options, { contentType: 'application/octet-stream', contentEncoding: 'gzip' });
});

test('a node that stops puts nothing', async () => {
  for (const CompressionFormat of ['UNCOMPRESSED', 'GZIP']) {
    const { destination, puts } = opened({ BucketARN: 'bucket', CompressionFormat });
    const stop = new AbortController();
    const slices: Batch = {
      ...batch([]),
      records: async function* () {
        yield [record('first')];
        stop.abort();
        yield [record('second')];
      },
    };
    const wanted = { name: 'DeliveryError', code: 'S3.Stopped', retryable: true };
    await assert.rejects(destination.deliver(slices, 'k', stop.signal), wanted);
    assert.deepEqual(puts, []);
  }
});

test('records that cannot be read end the delivery with their own error', async () => {
  for (const CompressionFormat of ['UNCOMPRESSED', 'GZIP']) {
    const { destination, puts } = opened({ BucketARN: 'bucket', CompressionFormat });
    const broken: Batch = {
      ...batch([]),
      records: async function* () {
        yield [record('first')];
        throw new RangeError('damaged');
      },
    };
    await assert.rejects(destination.deliver(broken, 'k', live), { name: 'RangeError', message: 'damaged' });
    assert.deepEqual(puts, []);
  }
});
