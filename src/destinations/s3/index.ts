import { BufferPool } from '../../kernel/bytes/buffer-pool.ts';
import { bufferingOf, hintsProblem } from '../../kernel/buffering-hints.ts';
import { DeliveryError, EnvironmentError } from '../../kernel/errors.ts';
import { isBucketName, nameOfArn } from '../../kernel/names.ts';
import { delimiterOf, processingProblem } from '../../kernel/processing.ts';
import { describeS3 } from '../../kernel/s3-description.ts';
import type { Json } from '../../ports/catalog.ts';
import type { AttemptSize, Batch, Destination, DestinationDoors, OpenDestination } from '../../ports/destination.ts';
import type { Environment } from '../../ports/environment.ts';
import { comingProblem } from './coming-options.ts';
import { formatOf } from './formats.ts';
import { notes } from './notes.ts';
import { objectKey } from './object-key.ts';
import { s3Options, type ObjectOptions, type S3Options } from './options.ts';
import { placingProblem } from './placing-problem.ts';

const OCTETS = 'application/octet-stream';
const RANDOM_CHARACTERS = 11;

/** Objects in a bucket: records one after the other as they came, plain or in one of AWS's formats. */
export const s3: Destination<typeof s3Options> = {
  name: 'ExtendedS3DestinationConfiguration',
  options: s3Options,
  buffering: ({ BufferingHints: hints }) => bufferingOf(hints),
  problem,
  notes,
  describe,
  sourceBackup: ({ S3BackupMode, S3BackupConfiguration: backup }) => (S3BackupMode === 'Enabled' ? backup : undefined),
  // The same key is the same object.
  overwrites: () => true,
  bytesBehindRecord: ({ ProcessingConfiguration }) => delimiterOf(ProcessingConfiguration).length,
  open: (options, doors, environment) => new S3Bucket(options, doors, environment),
};

/** Rules that the service has beside its shapes, and what is not built. */
function problem(options: S3Options): string | undefined {
  const { ProcessingConfiguration: processing = {} } = options;
  return (
    comingProblem(options) ?? objectsProblem(options) ?? processingProblem(processing, true) ?? backupProblem(options)
  );
}

function backupProblem({ S3BackupMode: mode, S3BackupConfiguration: backup }: S3Options): string | undefined {
  if (backup === undefined) return mode === 'Enabled' ? 'S3BackupMode: Enabled needs S3BackupConfiguration' : undefined;
  const problemOfBackup = objectsProblem(backup);
  return problemOfBackup === undefined ? undefined : `S3BackupConfiguration: ${problemOfBackup}`;
}

function objectsProblem(options: ObjectOptions): string | undefined {
  const { BufferingHints: hints, EncryptionConfiguration: encryption } = options;
  const bucket = nameOfArn(options.BucketARN);
  if (!isBucketName(bucket)) {
    return `BucketARN: ${bucket} is not a name that S3 takes for a bucket`;
  }
  const faultOfHints = hintsProblem(hints);
  if (faultOfHints !== undefined) return faultOfHints;
  if (encryption !== undefined && Object.keys(encryption).length !== 1) {
    // AWS's words (observed).
    return 'Exactly one of NoEncryptionConfig or KMSEncryptionConfig must be specified';
  }
  return loggingProblem(options) ?? placingProblem(options, endingOf(options));
}

function loggingProblem({ CloudWatchLoggingOptions: logging = {} }: ObjectOptions): string | undefined {
  if (logging.Enabled !== true) return undefined;
  const { LogGroupName = '', LogStreamName = '' } = logging;
  if (LogGroupName !== '' && LogStreamName !== '') return undefined;
  return 'CloudWatchLoggingOptions: Enabled needs LogGroupName and LogStreamName';
}

/** An ending of the user's own stands in place of the format's. */
function endingOf({ FileExtension: own = '', CompressionFormat }: ObjectOptions): string {
  return own === '' ? formatOf(CompressionFormat).ending : own;
}

/** AWS describes such a destination twice, the older form without what it did not know. */
function describe(options: S3Options): Readonly<Record<string, Json>> {
  const { ProcessingConfiguration, S3BackupConfiguration, FileExtension, CustomTimeZone } = options;
  const { DataFormatConversionConfiguration: conversion, DynamicPartitioningConfiguration: partitioning } = options;
  const plain = describeS3(options);
  return {
    S3DestinationDescription: plain,
    ExtendedS3DestinationDescription: {
      ...plain,
      ...(ProcessingConfiguration !== undefined && { ProcessingConfiguration: ProcessingConfiguration as Json }),
      S3BackupMode: options.S3BackupMode ?? 'Disabled',
      ...(S3BackupConfiguration !== undefined && { S3BackupDescription: describeS3(S3BackupConfiguration) }),
      ...(conversion !== undefined && { DataFormatConversionConfiguration: conversion as Json }),
      ...(partitioning !== undefined && { DynamicPartitioningConfiguration: partitioning as Json }),
      ...(FileExtension !== undefined && { FileExtension }),
      ...(CustomTimeZone !== undefined && { CustomTimeZone }),
    },
  };
}

/** Records one after the other, before they are encoded. */
const PIECE_BYTES = 1024 * 1024;
/** Large memory that lives shortly is dear: the collector goes through all objects each time that some came. */
const pool = new BufferPool(PIECE_BYTES, 4);

class S3Bucket implements OpenDestination {
  readonly #options: S3Options;
  readonly #doors: DestinationDoors;
  readonly #environment: Environment;

  constructor(options: S3Options, doors: DestinationDoors, environment: Environment) {
    this.#options = options;
    this.#doors = doors;
    this.#environment = environment;
  }

  /** A piece, and what is as large as a group where that is larger; of an encoding as much as there is to encode. */
  holdsBytes({ sizeBytes, groupBytes }: AttemptSize): number {
    const encoding = formatOf(this.#options.CompressionFormat).holdsBytes(this.#environment.compute);
    const larger = groupBytes > PIECE_BYTES ? groupBytes : 0;
    return PIECE_BYTES + larger + Math.min(encoding, sizeBytes + 2 * PIECE_BYTES);
  }

  place({ deliveryStream, versionId, oldestAt, errorType }: Omit<Batch, 'records'>): string {
    const { random } = this.#environment;
    return objectKey(this.#options, {
      deliveryStream,
      versionId,
      oldestAt,
      uuid: random.uuid(),
      random: () => random.uuid().replaceAll('-', '').slice(0, RANDOM_CHARACTERS),
      ending: endingOf(this.#options),
      ...(errorType !== undefined && { errorOutputType: errorType }),
    });
  }

  async deliver(batch: Batch, place: string, signal: AbortSignal): Promise<{ place: string; sizeBytes: number }> {
    const { BucketARN, CompressionFormat, EncryptionConfiguration: encryption } = this.#options;
    const bucket = nameOfArn(BucketARN);
    const { contentEncoding } = formatOf(CompressionFormat);
    const kmsKeyArn = encryption?.KMSEncryptionConfig?.AWSKMSKeyARN;
    const body = this.#encoded(batch, signal);
    const options = {
      contentType: OCTETS,
      signal,
      ...(contentEncoding !== undefined && { contentEncoding }),
      ...(kmsKeyArn !== undefined && { kmsKeyArn }),
      // Which records fail differs between attempts. Lines about those that are gone meanwhile stand under another key.
      ...(batch.errorType !== undefined && { replaces: true as const }),
    };
    const sizeBytes = await this.#doors.blobs.put(bucket, place, body, options);
    return { place: this.#doors.blobs.locate(bucket, place), sizeBytes };
  }

  async close(): Promise<void> {}

  async *#encoded(batch: Batch, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    // The file in an archive has a UUID for a name (observed); the batch's own is the same at each attempt.
    const entry = { name: batch.id, at: batch.oldestAt };
    const { encode } = formatOf(this.#options.CompressionFormat);
    try {
      yield* encode(this.#bytes(batch, signal), this.#environment.compute, entry);
    } catch (error) {
      if (!(error instanceof EnvironmentError) || error.code !== 'ENOTENCODED') throw error;
      throw new DeliveryError('S3.EncodingFailed', error.message, true, error);
    }
  }

  async *#bytes(batch: Batch, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    // Lines about what failed end by themselves.
    const own = batch.errorType === undefined ? delimiterOf(this.#options.ProcessingConfiguration) : '';
    const delimiter = Buffer.from(own);
    const piece = pool.take();
    for await (const records of batch.records()) {
      if (signal.aborted) throw new DeliveryError('S3.Stopped', 'the node stops', true);
      const sizeBytes = records.reduce((sum, { data }) => sum + data.length + delimiter.length, 0);
      // What was handed out is taken when more is asked for.
      const memory = sizeBytes <= piece.length ? piece : Buffer.allocUnsafeSlow(sizeBytes);
      concatenate(records, delimiter, memory);
      yield memory.subarray(0, sizeBytes);
    }
    // Who leaves earlier may look at it still.
    pool.giveBack(piece);
  }
}

/** One write for many small records, a delimiter behind each. */
function concatenate(records: readonly { readonly data: Uint8Array }[], delimiter: Uint8Array, into: Buffer): void {
  let at = 0;
  for (const { data } of records) {
    into.set(data, at);
    at += data.length;
    if (delimiter.length > 0) into.set(delimiter, at);
    at += delimiter.length;
  }
}
