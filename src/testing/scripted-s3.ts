import { DeliveryError } from '../kernel/errors.ts';
import type { BlobInfo, BlobOptions } from '../ports/blob-store.ts';
import type { Clock } from '../ports/environment.ts';
import type { CheckedBytes, ObjectStore, Upload, UploadedPart } from '../ports/object-store.ts';

/** A request as the service sees it. */
export interface S3Call {
  readonly action: 'put' | 'begin' | 'part' | 'complete' | 'abandon';
  readonly bucket: string;
  readonly key: string;
  /** Counted from 1 over all requests. */
  readonly number: number;
}

/** What becomes of a request. */
export interface S3Fate {
  readonly fails?: Error;
  /** It takes effect all the same: only the answer is lost. */
  readonly arrives?: true;
  /** 1 when absent. */
  readonly takesMs?: number;
}

/** What the service does with each request; undefined: what it was asked. */
export type S3Script = (call: S3Call) => S3Fate | undefined;

/** A real S3 as a test scripts it: requests take time, fail before or after their effect, and parts stay behind. */
export class ScriptedS3 implements ObjectStore {
  script: S3Script = () => undefined;
  /** By `bucket/key`. */
  readonly objects = new Map<string, Buffer>();
  /** Uploads that nobody completed or gave up, by id. */
  readonly uploads = new Map<string, Map<number, Buffer>>();
  readonly calls: S3Call[] = [];
  /** The node's, whichever of its lives this is. */
  readonly #clock: () => Clock;

  constructor(clock: () => Clock) {
    this.#clock = clock;
  }

  async put(bucket: string, key: string, body: CheckedBytes, options: BlobOptions): Promise<boolean> {
    const bytes = Buffer.from(body.bytes);
    return await this.#ask('put', { bucket, key, signal: options.signal }, () => {
      return this.#store(`${bucket}/${key}`, bytes, options.replaces);
    });
  }

  async begin(bucket: string, key: string, options: BlobOptions): Promise<Upload> {
    const { replaces, signal } = options;
    return await this.#ask('begin', { bucket, key, signal }, () => {
      const id = `upload-${this.calls.length}`;
      this.uploads.set(id, new Map());
      return { bucket, key, id, ...(replaces === true && { replaces }), ...(signal !== undefined && { signal }) };
    });
  }

  async addPart(upload: Upload, number: number, body: CheckedBytes): Promise<UploadedPart> {
    const bytes = Buffer.from(body.bytes);
    return await this.#ask('part', upload, () => {
      this.#parts(upload).set(number, bytes);
      return { number, tag: `${number}`, crc32: body.crc32 };
    });
  }

  async complete(upload: Upload, parts: readonly UploadedPart[]): Promise<boolean> {
    const { bucket, key, id, replaces } = upload;
    return await this.#ask('complete', upload, () => {
      const known = this.#parts(upload);
      const whole = Buffer.concat(parts.map(({ number }) => known.get(number) ?? Buffer.alloc(0)));
      const isNew = this.#store(`${bucket}/${key}`, whole, replaces);
      if (isNew) this.uploads.delete(id);
      return isNew;
    });
  }

  async abandon(upload: Upload): Promise<void> {
    const { bucket, key, id } = upload;
    await this.#ask('abandon', { bucket, key }, () => void this.uploads.delete(id));
  }

  async get(bucket: string, key: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    const found = this.objects.get(`${bucket}/${key}`);
    return found === undefined ? undefined : pieceOf(found);
  }

  async list(bucket: string, { prefix }: { readonly prefix: string }): Promise<readonly BlobInfo[]> {
    const home = `${bucket}/`;
    return [...this.objects]
      .filter(([path]) => path.startsWith(home + prefix))
      .map(([path, { length }]) => ({ key: path.slice(home.length), sizeBytes: length }));
  }

  async remove(bucket: string, key: string): Promise<void> {
    this.objects.delete(`${bucket}/${key}`);
  }

  close(): void {}

  async #ask<T>(
    action: S3Call['action'],
    { bucket, key, signal }: { bucket: string; key: string; signal?: AbortSignal | undefined },
    effect: () => T,
  ): Promise<T> {
    const call = { action, bucket, key, number: this.calls.length + 1 };
    this.calls.push(call);
    const { fails, arrives, takesMs = 1 } = this.script(call) ?? {};
    await this.#clock().sleep(takesMs, signal);
    if (signal?.aborted === true) throw new DeliveryError('S3.Stopped', 'the node stops', true);
    if (fails === undefined) return effect();
    if (arrives === true) effect();
    throw fails;
  }

  #parts({ id }: Upload): Map<number, Buffer> {
    const parts = this.uploads.get(id);
    if (parts === undefined) throw new DeliveryError('S3.NoSuchUpload', id, true);
    return parts;
  }

  /** False: one of the key was there, and stays. */
  #store(path: string, bytes: Buffer, replaces: true | undefined): boolean {
    if (this.objects.has(path) && replaces !== true) return false;
    this.objects.set(path, bytes);
    return true;
  }
}

async function* pieceOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}
