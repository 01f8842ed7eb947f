import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32, gunzipSync, inflateRawSync } from 'node:zlib';
import { createNodeCompute } from '../../environments/node/compute.ts';
import { EnvironmentError } from '../../kernel/errors.ts';
import { checkConfig } from '../../kernel/schema/check-config.ts';
import type { BlobOptions, BlobStore } from '../../ports/blob-store.ts';
import type { Batch, OpenDestination, OutgoingRecord } from '../../ports/destination.ts';
import type { Compute, Environment } from '../../ports/environment.ts';
import { quietEnvironment } from '../../testing/quiet-environment.ts';
import { fakeDrivers } from '../../testing/fake-drivers.ts';
import { s3 } from './index.ts';
import { s3Options, type S3Options } from './options.ts';

const KEY = 'arn:aws:kms:us-east-1:000000000000:key/0b';
const AT = Date.parse('2026-01-31T23:04:05.678Z');

const LAMBDA = 'ProcessingConfiguration: ';

function processing(
  Type: string,
  ...parameters: readonly (readonly [string, string])[]
): NonNullable<S3Options['ProcessingConfiguration']> {
  const Parameters = parameters.map(([ParameterName, ParameterValue]) => ({ ParameterName, ParameterValue }));
  return { Enabled: true, Processors: [{ Type, Parameters }] };
}

function lambda(...parameters: readonly (readonly [string, string])[]): S3Options {
  return { BucketARN: 'bucket', ProcessingConfiguration: processing('Lambda', ...parameters) };
}

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
    [{ BucketARN: 'bucket', CompressionFormat: 'Snappy' }, undefined],
    [{ BucketARN: 'bucket', CompressionFormat: 'ZIP', FileExtension: '.json.zip' }, undefined],
    [{ BucketARN: 'bucket', FileExtension: '' }, undefined],
    [{ BucketARN: 'xn--bucket' }, 'BucketARN: xn--bucket is not a name that S3 takes for a bucket'],
    [{ BucketARN: 'amzn-s3-demo-a' }, 'BucketARN: amzn-s3-demo-a is not a name that S3 takes for a bucket'],
    [{ BucketARN: 'bucket--x-s3' }, 'BucketARN: bucket--x-s3 is not a name that S3 takes for a bucket'],
    [{ BucketARN: 'bucket', S3BackupMode: 'Disabled' }, undefined],
    [{ BucketARN: 'bucket', S3BackupMode: 'Enabled' }, 'S3BackupMode: Enabled needs S3BackupConfiguration'],
    [{ BucketARN: 'bucket', S3BackupMode: 'Enabled', S3BackupConfiguration: { BucketARN: 'other' } }, undefined],
    [{ BucketARN: 'bucket', S3BackupConfiguration: { BucketARN: 'other' } }, undefined],
    [
      { BucketARN: 'bucket', S3BackupConfiguration: { BucketARN: 'other', BufferingHints: { SizeInMBs: 1 } } },
      'S3BackupConfiguration: BufferingHints: give both SizeInMBs and IntervalInSeconds, or none',
    ],
    [{ BucketARN: 'bucket', EncryptionConfiguration: { KMSEncryptionConfig: { AWSKMSKeyARN: KEY } } }, undefined],
    [
      { BucketARN: 'bucket', EncryptionConfiguration: {} },
      'Exactly one of NoEncryptionConfig or KMSEncryptionConfig must be specified',
    ],
    [{ BucketARN: 'bucket', CloudWatchLoggingOptions: { Enabled: false } }, undefined],
    [
      { BucketARN: 'bucket', CloudWatchLoggingOptions: { Enabled: true, LogGroupName: 'g' } },
      'CloudWatchLoggingOptions: Enabled needs LogGroupName and LogStreamName',
    ],
    [
      { BucketARN: 'bucket', Prefix: 'x/!{timestamp:yyyy}/' },
      'Ths supplied prefix(es) do not satisfy the following constraint: ' +
        'ErrorOutputPrefix cannot be null or empty when Prefix contains expressions',
    ],
    [{ BucketARN: 'bucket', CustomTimeZone: 'Mars' }, 'CustomTimeZone: Mars is no time zone of the IANA database'],
    [{ BucketARN: 'bucket', ProcessingConfiguration: {} }, undefined],
    [lambda(['LambdaArn', 'f']), undefined],
    [lambda(['LambdaArn', 'https://example.com/transform'], ['BufferSizeInMBs', '0.2'], ['RoleArn', 'r']), undefined],
    [lambda(['LambdaArn', '${gateway}/transform']), undefined],
    [lambda(['LambdaArn', 'arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST']), undefined],
    ...['arn:aws:sns:us-east-1:000000000000:f', 'ftp://example.com/', '${gate}/transform', 'a function'].map(
      (said) =>
        [
          lambda(['LambdaArn', said]),
          `${LAMBDA}LambdaArn: ${said} is neither a function's name or ARN nor a URL`,
        ] as const,
    ),
    [lambda(['LambdaArn', 'f'], ['BufferSizeInMBs', '3.1']), `${LAMBDA}BufferSizeInMBs is from 0.2 to 3`],
    [
      lambda(['LambdaArn', 'f'], ['BufferIntervalInSeconds', '1.5']),
      `${LAMBDA}BufferIntervalInSeconds is from 0 to 900`,
    ],
    [lambda(['LambdaArn', 'f'], ['NumberOfRetries', 'many']), `${LAMBDA}NumberOfRetries is from 0 to 300`],
    [lambda(['LambdaArn', 'f'], ['LambdaArn', 'g']), `${LAMBDA}LambdaArn is given twice`],
    [lambda(['LambdaArn', 'f'], ['Delimiter', ',']), `${LAMBDA}Lambda takes no Delimiter`],
    [
      { BucketARN: 'bucket', ProcessingConfiguration: processing('Decompression') },
      `${LAMBDA}Decompression is not built yet for this destination`,
    ],
    [{ BucketARN: 'bucket', ProcessingConfiguration: processing('AppendDelimiterToRecord') }, undefined],
    [
      { BucketARN: 'bucket', ProcessingConfiguration: processing('Lambda') },
      "ProcessingConfiguration: Lambda needs LambdaArn: a function's ARN or name, or a URL",
    ],
    [
      { BucketARN: 'bucket', ProcessingConfiguration: processing('AppendDelimiterToRecord', ['Delimiter', '\\n']) },
      undefined,
    ],
    [
      { BucketARN: 'bucket', ProcessingConfiguration: processing('AppendDelimiterToRecord', ['Delimiter', ';']) },
      'ProcessingConfiguration: AppendDelimiterToRecord takes no Delimiter but a Delimiter of \\n',
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
  const added = {
    ProcessingConfiguration: { Enabled: true, Processors: [{ Type: 'AppendDelimiterToRecord' }] },
    FileExtension: '.jsonl',
    CustomTimeZone: 'Asia/Tokyo',
  };
  const described = s3.describe({ ...full, ...added });
  assert.deepEqual(
    described['S3DestinationDescription'],
    { ...full, ...encryption },
    'the older form knows none of it',
  );
  assert.deepEqual(described['ExtendedS3DestinationDescription'], {
    ...full,
    ...encryption,
    ...added,
    S3BackupMode: 'Disabled',
  });
  const own = { EncryptionConfiguration: { KMSEncryptionConfig: { AWSKMSKeyARN: KEY } } };
  const S3BackupConfiguration = { ...own, BucketARN: 'kept' };
  const { S3BackupDescription } = s3.describe({ ...full, S3BackupConfiguration })[
    'ExtendedS3DestinationDescription'
  ] as Readonly<Record<string, unknown>>;
  assert.deepEqual(S3BackupDescription, { ...bare, ...own, BucketARN: 'arn:aws:s3:::kept' });
});

interface Put {
  readonly bucket: string;
  readonly key: string;
  readonly bytes: Buffer;
  readonly options: BlobOptions | undefined;
}

/** An open destination over a bucket that keeps what was put, whole or not at all. */
function opened(
  options: S3Options,
  compute: Compute = createNodeCompute(quietEnvironment().meter),
): { readonly destination: OpenDestination; readonly puts: Put[] } {
  const puts: Put[] = [];
  const blobs: Pick<BlobStore, 'put' | 'locate'> = {
    put: async (bucket, key, body, { signal, ...rest } = {}) => {
      assert.ok(signal !== undefined, 'it can be ended');
      const chunks: Uint8Array[] = [];
      for await (const chunk of body) chunks.push(Uint8Array.from(chunk));
      const bytes = Buffer.concat(chunks);
      puts.push({ bucket, key, bytes, options: rest });
      return bytes.length;
    },
    locate: (bucket, key) => `/buckets/${bucket}/${key}`,
  };
  const { clock, random, log, meter } = quietEnvironment();
  const environment = { clock, random, log, meter, compute } as Environment;
  const doors = { blobs: blobs as BlobStore, ...fakeDrivers(clock), settings: { on413: 'bisect' } } as const;
  return {
    destination: s3.open(options, doors, environment),
    puts,
  };
}

function record(data: string, index = 0): OutgoingRecord {
  return { data: Buffer.from(data), at: AT, partitionKey: 'k', sequenceNumber: '1', shardId: 's', index };
}

/** A batch of these slices of records. */
function batch(slices: readonly (readonly string[])[]): Batch {
  const texts = slices.flat();
  return {
    id: 'batch',
    deliveryStream: 'events',
    deliveryStreamArn: 'arn:aws:firehose:us-east-1:000000000000:deliverystream/events',
    versionId: '3',
    oldestAt: AT,
    recordCount: texts.length,
    sizeBytes: Buffer.byteLength(texts.join('')),
    records: async function* () {
      for (const slice of slices) yield slice.map((data, index) => record(data, index));
    },
  };
}

const FORMATS = ['UNCOMPRESSED', 'GZIP', 'ZIP', 'Snappy', 'HADOOP_SNAPPY'];
const live = new AbortController().signal;

test('each record also goes to the backup where it is enabled, and only there', () => {
  const S3BackupConfiguration = { BucketARN: 'kept', CompressionFormat: 'GZIP' };
  const table: readonly (readonly [mode: string | undefined, backup: object | undefined])[] = [
    ['Enabled', S3BackupConfiguration],
    ['Disabled', undefined],
    [undefined, undefined],
  ];
  for (const [mode, backup] of table) {
    const options = { BucketARN: 'b', S3BackupConfiguration, ...(mode !== undefined && { S3BackupMode: mode }) };
    assert.deepEqual(s3.sourceBackup?.(options), backup, mode);
  }
});

test('a key of encryption goes with each object', async () => {
  const { destination, puts } = opened({
    BucketARN: 'b',
    EncryptionConfiguration: { KMSEncryptionConfig: { AWSKMSKeyARN: KEY } },
  });
  const one = batch([['one']]);
  await destination.deliver(one, destination.place(one), new AbortController().signal);
  assert.equal(puts[0]?.options?.kmsKeyArn, KEY);
});

test('a place is decided once, by prefix, oldest record and chance', () => {
  const { destination } = opened({ BucketARN: 'b', Prefix: 'raw/', CompressionFormat: 'GZIP' });
  const key = '2026/01/31/23/events-3-2026-01-31-23-04-05';
  assert.equal(destination.place(batch([])), `raw/${key}-a-1.gz`);
  assert.equal(destination.place(batch([])), `raw/${key}-a-2.gz`);
});

test('endings of keys: of the format, or the user’s own', () => {
  const table: readonly (readonly [options: Omit<S3Options, 'BucketARN'>, ending: string])[] = [
    [{}, ''],
    [{ CompressionFormat: 'UNCOMPRESSED' }, ''],
    [{ CompressionFormat: 'GZIP' }, '.gz'],
    [{ CompressionFormat: 'ZIP' }, '.zip'],
    [{ CompressionFormat: 'Snappy' }, '.snappy'],
    [{ CompressionFormat: 'HADOOP_SNAPPY' }, '.snappy'],
    [{ CompressionFormat: 'GZIP', FileExtension: '.json.gz' }, '.json.gz'],
    [{ CompressionFormat: 'GZIP', FileExtension: '' }, '.gz'],
    [{ FileExtension: '.jsonl' }, '.jsonl'],
  ];
  for (const [options, ending] of table) {
    const { destination } = opened({ BucketARN: 'b', ...options });
    assert.equal(destination.place(batch([])), `2026/01/31/23/events-3-2026-01-31-23-04-05-a-1${ending}`);
  }
});

test('a random string is eleven characters, others at each place', () => {
  const Prefix = '!{firehose:random-string}/';
  const { destination } = opened({ BucketARN: 'b', Prefix, ErrorOutputPrefix: '!{firehose:error-output-type}/' });
  // Ids of the test's chance are short.
  assert.match(destination.place(batch([])), /^a2\/events-3-/);
  assert.match(destination.place(batch([])), /^a4\/events-3-/);
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

test('each format: its encoding, the same bytes for the same batch, however it is read', async () => {
  const slices = Array.from({ length: 60 }, (_, slice) =>
    Array.from({ length: 100 }, (_, index) => `{"slice":${slice},"record":${index},"text":"${'ab'.repeat(60)}"}\n`),
  );
  const table: readonly (readonly [CompressionFormat: string, contentEncoding: string | undefined, first: string])[] = [
    ['UNCOMPRESSED', undefined, '7b22'],
    ['GZIP', 'gzip', '1f8b0800000000000403'],
    ['ZIP', 'zip', '504b0304140008080800'],
    ['Snappy', 'snappy-java', '82534e41505059000000000100000001'],
    ['HADOOP_SNAPPY', 'hadoop-snappy', '00008000'],
  ];
  for (const [CompressionFormat, contentEncoding, first] of table) {
    const { destination, puts } = opened({ BucketARN: 'bucket', CompressionFormat });
    const { sizeBytes } = await destination.deliver(batch(slices), 'k', live);
    await destination.deliver(batch([slices.flat()]), 'k', live);
    const [one, other] = puts;
    assert.ok(one !== undefined && other !== undefined);
    assert.equal(one.bytes.toString('hex', 0, first.length / 2), first, CompressionFormat);
    assert.equal(sizeBytes, one.bytes.length);
    assert.ok(one.bytes.equals(other.bytes), CompressionFormat);
    const contentType = 'application/octet-stream';
    assert.deepEqual(one.options, { contentType, ...(contentEncoding !== undefined && { contentEncoding }) });
  }
});

test('an archive: one file, named by the batch, of the time of its oldest record', async () => {
  const { destination, puts } = opened({ BucketARN: 'bucket', CompressionFormat: 'ZIP' });
  const texts = ['{"a":1}', 'ü', '{"b":2}'];
  await destination.deliver(batch([texts]), 'k.zip', live);
  const bytes = puts[0]?.bytes as Buffer;
  const plain = Buffer.from(texts.join(''));
  const central = bytes.indexOf(Buffer.from('504b0102', 'hex'));
  const header = (at: number): string => bytes.toString('hex', at, at + 10);
  // Version 2.0, sizes behind the data, UTF-8, deflate, 23:04:04 on 31 January 2026.
  assert.equal(header(4), `14000808080082b83f5c`);
  assert.equal(header(central + 6), header(4));
  assert.equal(bytes.toString('latin1', 30, 35), 'batch');
  assert.equal(bytes.toString('latin1', central + 46, central + 51), 'batch');
  const descriptor = central - 16;
  assert.equal(bytes.readUInt32LE(descriptor), 0x08074b50);
  assert.equal(bytes.readUInt32LE(descriptor + 4), crc32(plain));
  assert.equal(bytes.readUInt32LE(descriptor + 8), descriptor - 35);
  assert.equal(bytes.readUInt32LE(descriptor + 12), plain.length);
  assert.equal(bytes.toString('hex', central + 16, central + 28), bytes.toString('hex', descriptor + 4, central));
  assert.deepEqual(inflateRawSync(bytes.subarray(35, descriptor)), plain);
  // One entry, its directory, and where that begins.
  assert.equal(bytes.toString('hex', central + 51), `504b05060000000001000100${le(51)}${le(central)}0000`);
});

function le(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes.toString('hex');
}

test('a line end behind each record, also an empty one, where it is enabled', async () => {
  const Processors = [{ Type: 'AppendDelimiterToRecord' }];
  for (const [Enabled, text] of [
    [true, 'a\n\nb\n\n'],
    [false, 'ab\n'],
  ] as const) {
    const { destination, puts } = opened({ BucketARN: 'bucket', ProcessingConfiguration: { Enabled, Processors } });
    await destination.deliver(batch([['a', ''], ['b\n']]), 'k', live);
    assert.equal(String(puts[0]?.bytes), text);
  }
});

test('a node that stops puts nothing', async () => {
  for (const CompressionFormat of FORMATS) {
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
  for (const CompressionFormat of FORMATS) {
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

test('an object that could not be encoded is an attempt that failed, and what the log refuses stays what it is', async () => {
  const compute = createNodeCompute(quietEnvironment().meter);
  const fails = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    yield* compute.gzip(chunks);
    throw new EnvironmentError('ENOTENCODED', 'the encoding thread ended');
  };
  const ending: Compute = { ...compute, gzip: fails, snappy: fails };
  for (const CompressionFormat of FORMATS.slice(1)) {
    const { destination, puts } = opened({ BucketARN: 'bucket', CompressionFormat }, ending);
    const wanted = { name: 'DeliveryError', code: 'S3.EncodingFailed', retryable: true };
    await assert.rejects(destination.deliver(batch([['a']]), 'key', live), wanted);
    assert.deepEqual(puts, []);
  }
  const unreadable = {
    ...batch([]),
    records: async function* (): AsyncGenerator<readonly OutgoingRecord[]> {
      yield [record('a')];
      throw new EnvironmentError('EIO', 'the log cannot be read');
    },
  };
  const { destination } = opened({ BucketARN: 'bucket', CompressionFormat: 'GZIP' });
  await assert.rejects(destination.deliver(unreadable, 'key', live), { name: 'EnvironmentError', code: 'EIO' });
});
