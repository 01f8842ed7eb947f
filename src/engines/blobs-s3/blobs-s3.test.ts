import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { DeliveryError } from '../../kernel/errors.ts';
import type { BlobOptions } from '../../ports/blob-store.ts';
import type { CheckedBytes, ObjectStore, Upload, UploadedPart } from '../../ports/object-store.ts';
import { whole } from '../../testing/whole-object.ts';
import { openS3Blobs } from './index.ts';

const MIB = 1024 ** 2;

/** A store that keeps objects by key, and writes down what was asked of it. */
class FakeStore implements ObjectStore {
  readonly objects = new Map<string, Buffer>();
  readonly asked: string[] = [];
  readonly parts: Buffer[] = [];
  failing: string | undefined;

  async put(bucket: string, key: string, body: CheckedBytes, options: BlobOptions): Promise<boolean> {
    this.#note(`put ${bucket}/${key} ${body.bytes.length} ${JSON.stringify(options)}`, body);
    if (this.objects.has(key) && options.replaces !== true) return false;
    this.objects.set(key, Buffer.from(body.bytes));
    return true;
  }

  async begin(bucket: string, key: string, options: BlobOptions): Promise<Upload> {
    this.#note(`begin ${bucket}/${key} ${JSON.stringify(options)}`);
    return { bucket, key, id: 'u', ...(options.replaces === true && { replaces: true as const }) };
  }

  async addPart(upload: Upload, number: number, body: CheckedBytes): Promise<UploadedPart> {
    this.#note(`part ${upload.id} ${number} ${body.bytes.length}`, body);
    this.parts.push(Buffer.from(body.bytes));
    return { number, tag: `tag ${number}`, crc32: body.crc32 };
  }

  async complete({ id, key, replaces }: Upload, parts: readonly UploadedPart[]): Promise<boolean> {
    this.#note(`complete ${id} ${parts.map(({ number, tag }) => `${number}=${tag}`).join()}`);
    if (this.objects.has(key) && replaces !== true) return false;
    this.objects.set(key, Buffer.concat(this.parts));
    return true;
  }

  async abandon({ id }: Upload): Promise<void> {
    this.#note(`abandon ${id}`);
  }

  async get(_bucket: string, key: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    const found = this.objects.get(key);
    return found === undefined ? undefined : pieces(found, 3);
  }

  async list(): Promise<readonly { key: string; sizeBytes: number }[]> {
    return [...this.objects].map(([key, { length }]) => ({ key, sizeBytes: length }));
  }

  async remove(_bucket: string, key: string): Promise<void> {
    this.objects.delete(key);
  }

  close(): void {}

  /** What was said of the bytes is true of them. */
  #note(request: string, body?: CheckedBytes): void {
    this.asked.push(request);
    if (body !== undefined) {
      assert.equal(body.sha256, createHash('sha256').update(body.bytes).digest('hex'));
      assert.equal(Buffer.from(body.crc32, 'base64').readUInt32BE(), crc32(body.bytes));
    }
    if (this.failing !== undefined && request.startsWith(this.failing)) {
      throw new DeliveryError('S3.SlowDown', 'slow down', true);
    }
  }
}

function bytes(length: number): Buffer {
  const made = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4096) made.writeUInt32LE(at + 1, at);
  return made;
}

async function* pieces(whole: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size);
}

test('what fits one part is one request, what does not is an upload in parts of 8 MiB', async () => {
  const cases: readonly (readonly [number, readonly string[]])[] = [
    [0, ['put']],
    [1, ['put']],
    [8 * MIB, ['put']],
    [8 * MIB + 1, ['begin', `part u 1 ${8 * MIB}`, 'part u 2 1', 'complete']],
    [16 * MIB, ['begin', `part u 1 ${8 * MIB}`, `part u 2 ${8 * MIB}`, 'complete']],
  ];
  for (const [length, expected] of cases) {
    for (const size of [65_536, 9 * MIB, 1_000_003]) {
      const store = new FakeStore();
      const whole = bytes(length);
      assert.equal(await openS3Blobs(store).put('bucket', 'a/b', pieces(whole, size)), length);
      assert.equal(store.asked.length, expected.length);
      store.asked.forEach((request, index) => assert.ok(request.startsWith(expected[index] ?? '?'), request));
      assert.ok(store.objects.get('a/b')?.equals(whole));
    }
  }
});

test('an object says what it is, in either way', async () => {
  const options = { contentType: 'application/octet-stream', contentEncoding: 'gzip', kmsKeyArn: 'arn:key' };
  for (const [length, first] of [
    [1, 'put bucket/k 1 '],
    [9 * MIB, 'begin bucket/k '],
  ] as const) {
    const store = new FakeStore();
    await openS3Blobs(store).put('bucket', 'k', pieces(bytes(length), MIB), options);
    assert.equal(store.asked[0], first + JSON.stringify(options));
  }
});

test('an object whose earlier attempt had arrived is left as it is, and no parts stay behind', async () => {
  const store = new FakeStore();
  const blobs = openS3Blobs(store);
  for (const length of [10, 9 * MIB]) {
    store.objects.set('k', bytes(length));
    assert.equal(await blobs.put('bucket', 'k', pieces(bytes(length), MIB)), length);
  }
  assert.equal(store.asked.at(-1), 'abandon u');
});

test('an upload that fails anywhere is given up, and the failure is told', async () => {
  for (const failing of ['begin', 'part u 1', 'part u 2', 'complete']) {
    const store = new FakeStore();
    store.failing = failing;
    const put = openS3Blobs(store).put('bucket', 'k', pieces(bytes(9 * MIB), MIB));
    await assert.rejects(put, { code: 'S3.SlowDown' });
    assert.equal(store.asked.at(-1), failing === 'begin' ? 'begin bucket/k {}' : 'abandon u');
    assert.equal(store.objects.size, 0);
  }
});

test('a body that breaks off leaves nothing', async () => {
  const store = new FakeStore();
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield bytes(9 * MIB);
    throw new DeliveryError('S3.Stopped', 'the node stops', true);
  }
  await assert.rejects(openS3Blobs(store).put('bucket', 'k', broken()), { code: 'S3.Stopped' });
  assert.equal(store.asked.at(-1), 'abandon u');
});

test('no more than eight parts are in memory at once, whatever waits', async () => {
  const store = new FakeStore();
  const blobs = openS3Blobs(store);
  let [now, most] = [0, 0];
  async function* slow(): AsyncGenerator<Uint8Array> {
    now += 1;
    most = Math.max(most, now);
    await new Promise((resolve) => setImmediate(resolve));
    yield bytes(10);
    now -= 1;
  }
  const puts = Array.from({ length: 30 }, async (_, index) => await blobs.put('bucket', `k${index}`, slow()));
  await Promise.all(puts);
  assert.equal(most, 8);
  assert.equal(store.objects.size, 30);
});

test('names that S3 does not take are refused before anything is asked', async () => {
  const store = new FakeStore();
  const blobs = openS3Blobs(store);
  const codes = await Promise.all(
    [
      ['NO', 'k'],
      ['bucket', ''],
      ['bucket', 'k'.repeat(1025)],
    ].map(async ([bucket = '', key = '']) => {
      return await blobs.put(bucket, key, pieces(bytes(1), 1)).catch((error: DeliveryError) => error.code);
    }),
  );
  assert.deepEqual(codes, ['S3.InvalidBucketName', 'S3.KeyTooLongError', 'S3.KeyTooLongError']);
  assert.deepEqual(store.asked, []);
});

test('objects are found, read whole and removed', async () => {
  const store = new FakeStore();
  const blobs = openS3Blobs(store);
  await blobs.put('bucket', 'k', pieces(bytes(10), 4));
  assert.deepEqual(await blobs.list('bucket'), [{ key: 'k', sizeBytes: 10 }]);
  assert.deepEqual(Buffer.from((await whole(blobs, 'bucket', 'k')) ?? []), bytes(10));
  assert.equal(blobs.locate('bucket', 'k'), 's3://bucket/k');
  await blobs.remove('bucket', 'k');
  assert.equal(await whole(blobs, 'bucket', 'k'), undefined);
});

test('lines about what failed take the place of those of an earlier attempt, in one request or in parts', async () => {
  const store = new FakeStore();
  const blobs = openS3Blobs(store);
  for (const size of [10, 20, 9 * MIB]) {
    store.parts.length = 0;
    await blobs.put('bucket', 'k', pieces(bytes(size), MIB), { replaces: true });
    assert.equal(store.objects.get('k')?.length, size);
  }
  await blobs.put('bucket', 'k', pieces(bytes(5), MIB));
  assert.equal(store.objects.get('k')?.length, 9 * MIB, 'others stay');
});
