import type { BlobInfo, BlobOptions } from '../../ports/blob-store.ts';
import type { CheckedBytes, ObjectStore, Upload, UploadedPart } from '../../ports/object-store.ts';
import type { Environment } from '../../ports/environment.ts';
import { foundCredentials, type Sdk } from './found-credentials.ts';
import { asDeliveryError, isAbsent, isTaken, lacksConditions } from './s3-errors.ts';

type Client = InstanceType<Sdk['S3Client']>;
/** Requests that make an object, by S3's names. */
type Write = 'PutObject' | 'CompleteMultipartUpload';
/** What stands under the key, if anything does, and whether it stays. */
type Place = Pick<Upload, 'bucket' | 'key' | 'replaces' | 'signal'>;

/** Attempts of one request by the SDK itself, each with its own waiting; the delivery's own go on after them. */
const ATTEMPTS_MAX = 3;
const CONNECT_MS = 5000;
/** Without a byte in either direction. */
const SILENCE_MS = 60_000;

/** The section `s3` of the config file: where real buckets are. */
export interface S3StoreOptions {
  /** Absent: AWS itself. */
  readonly endpoint?: string | undefined;
  readonly region: string;
  /** Absent: the SDK's chain (environment, shared files, SSO, container and instance roles). */
  readonly credentials?:
    | { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string | undefined }
    | undefined;
}

/** Objects in a real S3, by the AWS SDK. Rejects with DeliveryErrors. */
export class S3Store implements ObjectStore {
  readonly #sdk: Sdk;
  readonly #client: Client;
  readonly #environment: Pick<Environment, 'clock' | 'log'>;
  /** Some stores know no `If-None-Match` for these, mostly for uploads in parts alone: they said so once. */
  readonly #withoutConditions = new Set<Write>();

  constructor(sdk: Sdk, options: S3StoreOptions, environment: Pick<Environment, 'clock' | 'log'>) {
    this.#sdk = sdk;
    this.#environment = environment;
    const { endpoint, region, credentials } = options;
    this.#client = new sdk.S3Client({
      region,
      maxAttempts: ATTEMPTS_MAX,
      requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: SILENCE_MS },
      // Names of buckets are no host names of a server of one's own.
      ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
      credentials:
        credentials === undefined ? foundCredentials(sdk, region, environment.clock) : withoutNothing(credentials),
    });
  }

  async put(bucket: string, key: string, body: CheckedBytes, options: BlobOptions): Promise<boolean> {
    return await this.#unlessThere('PutObject', { ...options, bucket, key }, async (condition) => {
      const command = new this.#sdk.PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: body.bytes,
        ContentLength: body.bytes.length,
        ChecksumCRC32: body.crc32,
        ...condition,
        ...described(options),
      });
      knowsHash(command, body);
      await this.#client.send(command, untilAborted(options));
    });
  }

  async begin(bucket: string, key: string, options: BlobOptions): Promise<Upload> {
    return await told(async () => {
      const command = new this.#sdk.CreateMultipartUploadCommand({
        Bucket: bucket,
        Key: key,
        ChecksumAlgorithm: 'CRC32',
        ...described(options),
      });
      const { UploadId: id = '' } = await this.#client.send(command, untilAborted(options));
      const { replaces, signal } = options;
      return { bucket, key, id, ...(replaces === true && { replaces }), ...(signal !== undefined && { signal }) };
    });
  }

  async addPart(upload: Upload, number: number, body: CheckedBytes): Promise<UploadedPart> {
    const { bucket, key, id } = upload;
    return await told(async () => {
      const command = new this.#sdk.UploadPartCommand({
        Bucket: bucket,
        Key: key,
        UploadId: id,
        PartNumber: number,
        Body: body.bytes,
        ContentLength: body.bytes.length,
        ChecksumCRC32: body.crc32,
      });
      knowsHash(command, body);
      const { ETag: tag = '' } = await this.#client.send(command, untilAborted(upload));
      return { number, tag, crc32: body.crc32 };
    });
  }

  async complete(upload: Upload, parts: readonly UploadedPart[]): Promise<boolean> {
    const { bucket, key, id } = upload;
    return await this.#unlessThere('CompleteMultipartUpload', upload, async (condition) => {
      const command = new this.#sdk.CompleteMultipartUploadCommand({
        Bucket: bucket,
        Key: key,
        UploadId: id,
        MultipartUpload: {
          Parts: parts.map(({ number, tag, crc32 }) => ({ PartNumber: number, ETag: tag, ChecksumCRC32: crc32 })),
        },
        ...condition,
      });
      await this.#client.send(command, untilAborted(upload));
    });
  }

  async abandon({ bucket, key, id }: Upload): Promise<void> {
    await told(async () => {
      await this.#client.send(new this.#sdk.AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: id }));
    });
  }

  async get(bucket: string, key: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    return await told(async () => {
      try {
        const { Body } = await this.#client.send(new this.#sdk.GetObjectCommand({ Bucket: bucket, Key: key }));
        // On this platform it is a readable stream.
        return toldPieces(Body as unknown as AsyncIterable<Uint8Array>);
      } catch (error) {
        if (error instanceof this.#sdk.NoSuchKey) return undefined;
        throw error;
      }
    });
  }

  async list(
    bucket: string,
    { prefix, after, limit }: { readonly prefix: string; readonly after: string; readonly limit: number },
  ): Promise<readonly BlobInfo[]> {
    return await told(async () => {
      const command = new this.#sdk.ListObjectsV2Command({
        Bucket: bucket,
        MaxKeys: limit,
        ...(prefix !== '' && { Prefix: prefix }),
        ...(after !== '' && { StartAfter: after }),
      });
      const { Contents = [] } = await this.#client.send(command);
      return Contents.map(({ Key = '', Size = 0 }) => ({ key: Key, sizeBytes: Size }));
    });
  }

  async remove(bucket: string, key: string): Promise<void> {
    await told(async () => {
      await this.#client.send(new this.#sdk.DeleteObjectCommand({ Bucket: bucket, Key: key }));
    });
  }

  close(): void {
    this.#client.destroy();
  }

  /** Makes an object, with the condition that none is there; false: one is, and stays. */
  async #unlessThere(action: Write, place: Place, write: (condition: object) => Promise<void>): Promise<boolean> {
    if (place.replaces === true) return await unlessTaken(async () => await write({}));
    if (this.#withoutConditions.has(action)) return await this.#unlessSeen(place, write);
    try {
      return await unlessTaken(async () => await write({ IfNoneMatch: '*' }));
    } catch (error) {
      if (!lacksConditions(error)) throw error;
    }
    const isNew = await this.#unlessSeen(place, write);
    // Had it been something else that the store does not know, it would have said so again.
    if (isNew) this.#goesWithoutConditions(action);
    return isNew;
  }

  /** One who writes under the key is enough to ask first: nobody else knows it. */
  async #unlessSeen(place: Place, write: (condition: object) => Promise<void>): Promise<boolean> {
    return (await this.#isThere(place)) ? false : await unlessTaken(async () => await write({}));
  }

  #goesWithoutConditions(action: Write): void {
    if (this.#withoutConditions.has(action)) return;
    this.#withoutConditions.add(action);
    this.#environment.log.warn('s3.no-conditions', { action });
  }

  async #isThere(place: Place): Promise<boolean> {
    const { bucket, key } = place;
    const command = new this.#sdk.HeadObjectCommand({ Bucket: bucket, Key: key });
    return await told(async () => {
      try {
        await this.#client.send(command, untilAborted(place));
        return true;
      } catch (error) {
        if (isAbsent(error)) return false;
        throw error;
      }
    });
  }
}

function untilAborted({ signal }: { readonly signal?: AbortSignal }): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

/** What an object says of itself. */
function described({ contentType, contentEncoding, kmsKeyArn }: BlobOptions): object {
  return {
    ...(contentType !== undefined && { ContentType: contentType }),
    ...(contentEncoding !== undefined && { ContentEncoding: contentEncoding }),
    ...(kmsKeyArn !== undefined && { ServerSideEncryption: 'aws:kms' as const, SSEKMSKeyId: kmsKeyArn }),
  };
}

/** A command whose steps can be added to; what the SDK's types say of it differs from command to command. */
interface Stacked {
  readonly middlewareStack: {
    add(step: (next: (given: never) => Promise<never>) => (given: never) => Promise<never>, options: object): void;
  };
}

/** The signature takes the hash that was computed while the bytes came, rather than computing it over all at once. */
function knowsHash(command: unknown, { sha256 }: CheckedBytes): void {
  (command as Stacked).middlewareStack.add(
    (next) => async (given) => {
      const { request } = given as { request: { headers: Record<string, string> } };
      request.headers['x-amz-content-sha256'] = sha256;
      return await next(given);
    },
    { step: 'build', name: 'knownHash', override: true },
  );
}

function withoutNothing(credentials: NonNullable<S3StoreOptions['credentials']>): {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
} {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
}

async function* toldPieces(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } catch (error) {
    throw asDeliveryError(error);
  }
}

async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asDeliveryError(error);
  }
}

/** False: an object was there, and stays. */
async function unlessTaken(work: () => Promise<void>): Promise<boolean> {
  return await told(async () => {
    try {
      await work();
      return true;
    } catch (error) {
      if (isTaken(error)) return false;
      throw error;
    }
  });
}
