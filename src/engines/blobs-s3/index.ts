import { createByteBudget, type ByteBudget } from '../../kernel/flow/byte-budget.ts';
import { DeliveryError } from '../../kernel/errors.ts';
import { isBucketName } from '../../kernel/names.ts';
import type { BlobInfo, BlobOptions, BlobStore } from '../../ports/blob-store.ts';
import type { CheckedBytes, ObjectStore, Upload, UploadedPart } from '../../ports/object-store.ts';
import { PartMemory } from './part-memory.ts';

const MIB = 1024 ** 2;
/** One part of an object: above the 5 MiB that S3 asks of all parts but the last, below 10,000 parts for 64 GiB. */
const PART_BYTES = 8 * MIB;
/** Parts of all uploads in memory at once; who comes later waits. */
const PARTS_BYTES_MAX = 64 * MIB;
const LIST_LIMIT = 1000;
/** A bound of S3 (documentation). */
const KEY_BYTES_MAX = 1024;

/**
 * Buckets of a real S3. An object of up to 8 MiB is one request, a larger one an upload in parts of which one is in
 * memory. Objects are not overwritten: a key that is taken is an earlier attempt of the same batch, whose answer was
 * lost, as each key holds a UUID of its own. Only lines about what failed are: what fails differs between attempts.
 */
export function openS3Blobs(store: ObjectStore): BlobStore {
  return new S3Blobs(store);
}

class S3Blobs implements BlobStore {
  readonly #store: ObjectStore;
  readonly #budget: ByteBudget = createByteBudget(PARTS_BYTES_MAX);

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  async put(bucket: string, key: string, body: AsyncIterable<Uint8Array>, options: BlobOptions = {}): Promise<number> {
    check(bucket, key);
    const { signal = new AbortController().signal } = options;
    if (!(await this.#budget.take(PART_BYTES, signal))) throw new DeliveryError('S3.Stopped', 'the node stops', true);
    try {
      return await this.#put(bucket, key, body, options);
    } finally {
      this.#budget.giveBack(PART_BYTES);
    }
  }

  async get(bucket: string, key: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    check(bucket, key);
    return await this.#store.get(bucket, key);
  }

  async list(
    bucket: string,
    options: { readonly prefix?: string; readonly after?: string; readonly limit?: number } = {},
  ): Promise<readonly BlobInfo[]> {
    check(bucket, 'any');
    const { prefix = '', after = '', limit = LIST_LIMIT } = options;
    return await this.#store.list(bucket, { prefix, after, limit });
  }

  async remove(bucket: string, key: string): Promise<void> {
    check(bucket, key);
    await this.#store.remove(bucket, key);
  }

  locate(bucket: string, key: string): string {
    check(bucket, key);
    return `s3://${bucket}/${key}`;
  }

  async #put(bucket: string, key: string, body: AsyncIterable<Uint8Array>, options: BlobOptions): Promise<number> {
    const memory = new PartMemory(PART_BYTES);
    const parts = new Parts(this.#store, { bucket, key, options });
    let sizeBytes = 0;
    try {
      for await (const chunk of body) {
        sizeBytes += chunk.length;
        for (let rest = memory.add(chunk); rest.length > 0; rest = memory.add(rest)) {
          await parts.add(memory.take());
        }
      }
      await parts.end(memory.take());
    } catch (error) {
      const abandoned = parts.abandon();
      // Who waits no longer does not wait for that either.
      if (options.signal?.aborted !== true) await abandoned;
      throw error;
    }
    return sizeBytes;
  }
}

/** One object on its way: nothing is begun as long as all of it may be one request. */
class Parts {
  readonly #store: ObjectStore;
  readonly #object: { readonly bucket: string; readonly key: string; readonly options: BlobOptions };
  readonly #done: UploadedPart[] = [];
  #upload: Upload | undefined;

  constructor(store: ObjectStore, object: { bucket: string; key: string; options: BlobOptions }) {
    this.#store = store;
    this.#object = object;
  }

  async add(part: CheckedBytes): Promise<void> {
    const { bucket, key, options } = this.#object;
    this.#upload ??= await this.#store.begin(bucket, key, options);
    this.#done.push(await this.#store.addPart(this.#upload, this.#done.length + 1, part));
  }

  async end(last: CheckedBytes): Promise<void> {
    const { bucket, key, options } = this.#object;
    if (this.#upload === undefined) {
      await this.#store.put(bucket, key, last, options);
      return;
    }
    if (last.bytes.length > 0) await this.add(last);
    const isNew = await this.#store.complete(this.#upload, this.#done);
    // The parts of one that came too late would be paid for until somebody finds them.
    if (!isNew) await this.abandon();
    this.#upload = undefined;
  }

  async abandon(): Promise<void> {
    if (this.#upload === undefined) return;
    // What is left then goes by the bucket's own rule for uploads that nobody completes.
    await this.#store.abandon(this.#upload).catch(() => undefined);
  }
}

function check(bucket: string, key: string): void {
  if (!isBucketName(bucket)) {
    throw new DeliveryError('S3.InvalidBucketName', `not a bucket name: ${JSON.stringify(bucket)}`, false);
  }
  if (key === '' || Buffer.byteLength(key) > KEY_BYTES_MAX) {
    throw new DeliveryError('S3.KeyTooLongError', `S3 takes keys of 1 to ${KEY_BYTES_MAX} bytes`, false);
  }
}
