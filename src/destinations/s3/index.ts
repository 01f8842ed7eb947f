import { DeliveryError } from '../../kernel/errors.ts';
import { isBucketName, nameOfArn } from '../../kernel/names.ts';
import { fileName } from '../../kernel/paths.ts';
import type { Json } from '../../ports/catalog.ts';
import type { Batch, Destination, DestinationDoors, OpenDestination } from '../../ports/destination.ts';
import type { Environment } from '../../ports/environment.ts';
import { objectKey } from './object-key.ts';
import { s3Defaults, s3Options, type S3Options } from './options.ts';

/** What file names can hold, less the year that follows the last part of a prefix. */
const PREFIX_PART_BYTES_MAX = 240;
const OCTETS = 'application/octet-stream';

/** Objects in a bucket: records one after the other as they came, plain or as one gzip member. */
export const s3: Destination<typeof s3Options> = {
  name: 'ExtendedS3DestinationConfiguration',
  options: s3Options,
  buffering: ({ BufferingHints }) => ({
    bytesMax: (BufferingHints?.SizeInMBs ?? s3Defaults.sizeMib) * s3Defaults.mib,
    intervalMs: (BufferingHints?.IntervalInSeconds ?? s3Defaults.intervalSeconds) * 1000,
  }),
  problem,
  describe,
  open: (options, doors, environment) => new S3Bucket(options, doors, environment),
};

/** Rules that the service has beside its shapes, and what is not built. */
function problem(options: S3Options): string | undefined {
  const { BufferingHints: hints, CompressionFormat: format = 'UNCOMPRESSED', Prefix = '' } = options;
  const bucket = nameOfArn(options.BucketARN);
  if (!isBucketName(bucket)) {
    return `BucketARN: ${bucket} is not a name that S3 takes for a bucket`;
  }
  if (hints !== undefined && (hints.SizeInMBs === undefined) !== (hints.IntervalInSeconds === undefined)) {
    return 'BufferingHints: give both SizeInMBs and IntervalInSeconds, or none';
  }
  if (format !== 'UNCOMPRESSED' && format !== 'GZIP') return `CompressionFormat: ${format} is not built yet`;
  if (Prefix.split('/').some((part) => Buffer.byteLength(fileName(part)) > PREFIX_PART_BYTES_MAX)) {
    return `Prefix: a folder cannot hold a part of more than ${PREFIX_PART_BYTES_MAX} bytes`;
  }
  if (options.S3BackupMode === 'Enabled') return 'S3BackupMode: Enabled is not built yet';
  if (Prefix.includes('!{') || options.ErrorOutputPrefix?.includes('!{') === true) {
    return 'Prefix: expressions such as !{timestamp:...} are not built yet';
  }
  return undefined;
}

/** AWS describes such a destination twice, the older form without what it did not know. */
function describe(options: S3Options): Readonly<Record<string, Json>> {
  const { BufferingHints: hints, CloudWatchLoggingOptions: logging } = options;
  const plain = {
    ...(options.RoleARN !== undefined && { RoleARN: options.RoleARN }),
    BucketARN: options.BucketARN.startsWith('arn:') ? options.BucketARN : `arn:aws:s3:::${options.BucketARN}`,
    ...(options.Prefix !== undefined && { Prefix: options.Prefix }),
    ...(options.ErrorOutputPrefix !== undefined && { ErrorOutputPrefix: options.ErrorOutputPrefix }),
    BufferingHints: {
      SizeInMBs: hints?.SizeInMBs ?? s3Defaults.sizeMib,
      IntervalInSeconds: hints?.IntervalInSeconds ?? s3Defaults.intervalSeconds,
    },
    CompressionFormat: options.CompressionFormat ?? 'UNCOMPRESSED',
    EncryptionConfiguration: { NoEncryptionConfig: 'NoEncryption' },
    CloudWatchLoggingOptions: { Enabled: false, ...(logging as Record<string, Json> | undefined) },
  };
  return {
    S3DestinationDescription: plain,
    ExtendedS3DestinationDescription: { ...plain, S3BackupMode: 'Disabled' },
  };
}

class S3Bucket implements OpenDestination {
  readonly #options: S3Options;
  readonly #doors: DestinationDoors;
  readonly #environment: Environment;
  readonly #isGzip: boolean;

  constructor(options: S3Options, doors: DestinationDoors, environment: Environment) {
    this.#options = options;
    this.#doors = doors;
    this.#environment = environment;
    this.#isGzip = options.CompressionFormat === 'GZIP';
  }

  place({ deliveryStream, versionId, oldestAt }: Omit<Batch, 'records'>): string {
    const uuid = this.#environment.random.uuid();
    const prefix = this.#options.Prefix ?? '';
    return objectKey({ prefix, deliveryStream, versionId, oldestAt, uuid, ending: this.#isGzip ? '.gz' : '' });
  }

  async deliver(batch: Batch, place: string, signal: AbortSignal): Promise<{ place: string; sizeBytes: number }> {
    const bucket = nameOfArn(this.#options.BucketARN);
    const plain = this.#bytes(batch, signal);
    const body = this.#isGzip ? this.#environment.compute.gzip(plain) : plain;
    const options = { contentType: OCTETS, ...(this.#isGzip && { contentEncoding: 'gzip' }) };
    const sizeBytes = await this.#doors.blobs.put(bucket, place, body, options);
    return { place: this.#doors.blobs.locate(bucket, place), sizeBytes };
  }

  async close(): Promise<void> {}

  async *#bytes(batch: Batch, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    for await (const records of batch.records()) {
      if (signal.aborted) throw new DeliveryError('S3.Stopped', 'the node stops', true);
      yield concatenate(records);
    }
  }
}

/** One write for many small records. */
function concatenate(records: readonly { readonly data: Uint8Array }[]): Uint8Array {
  const whole = new Uint8Array(records.reduce((sum, { data }) => sum + data.length, 0));
  let at = 0;
  for (const { data } of records) {
    whole.set(data, at);
    at += data.length;
  }
  return whole;
}
