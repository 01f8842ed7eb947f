import * as sdk from '@aws-sdk/client-s3';
import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { test } from 'node:test';
import { createNodeCompute } from '../../environments/node/compute.ts';
import { DeliveryError } from '../../kernel/errors.ts';
import { DELIVERY_DEFAULTS, type Batch } from '../../ports/destination.ts';
import type { BlobOptions } from '../../ports/blob-store.ts';
import type { Environment } from '../../ports/environment.ts';
import type { Upload } from '../../ports/object-store.ts';
import { s3 } from '../../destinations/s3/index.ts';
import type { S3Options } from '../../destinations/s3/options.ts';
import { openS3Blobs } from '../../engines/blobs-s3/index.ts';
import { endServer, onLoopback } from '../../testing/loopback.ts';
import { quietEnvironment } from '../../testing/quiet-environment.ts';
import { fakeDrivers } from '../../testing/fake-drivers.ts';
import { recordingS3 } from './recording-s3.fixture.ts';
import { S3Store } from './s3-store.ts';

const BODY = { bytes: Buffer.from('x'), sha256: '', crc32: '' };

test('a store that never answers holds nobody longer than he wants to wait', async () => {
  let abort = (): void => undefined;
  // It reads every request and answers none.
  const server = createServer((request) => void request.resume().once('end', () => abort()));
  const endpoint = await onLoopback(server);
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const store = new S3Store(sdk, { endpoint, region: 'us-east-1', credentials }, quietEnvironment());
  const uploadWith = (signal: AbortSignal): Upload => ({ bucket: 'bucket', key: 'k', id: '1', signal });
  const calls: Readonly<Record<string, (signal: AbortSignal) => Promise<unknown>>> = {
    put: async (signal) => await store.put('bucket', 'k', BODY, { signal }),
    begin: async (signal) => await store.begin('bucket', 'k', { signal }),
    addPart: async (signal) => await store.addPart(uploadWith(signal), 1, BODY),
    complete: async (signal) => await store.complete(uploadWith(signal), []),
  };
  for (const [name, call] of Object.entries(calls)) {
    const controller = new AbortController();
    abort = () => controller.abort();
    const wanted = (error: unknown): boolean => error instanceof DeliveryError && error.code === 'S3.Stopped';
    await assert.rejects(call(controller.signal), wanted, name);
  }
  store.close();
  endServer(server);
});

test('an object that breaks off on its way is a failure that may pass', async () => {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('half of it', () => response.destroy());
  });
  const endpoint = await onLoopback(server);
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const store = new S3Store(sdk, { endpoint, region: 'us-east-1', credentials }, quietEnvironment());
  const pieces = (await store.get('bucket', 'k')) ?? assert.fail('no object');
  const read = async (): Promise<void> => {
    for await (const piece of pieces) assert.equal(String(piece), 'half of it');
  };
  await assert.rejects(
    read(),
    (error: unknown) => error instanceof DeliveryError && error.retryable && error.code === 'S3.ECONNRESET',
  );
  store.close();
  endServer(server);
});

const KEY = 'arn:aws:kms:us-east-1:000000000000:key/0b';
const MIB = 1024 ** 2;

/** Words of a request's headers about encryption, with what they say. */
function encryptionOf(headers: IncomingHttpHeaders): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('x-amz-server-side')));
}

test('EncryptionConfiguration is asked of S3 where an object begins, in one request and in parts', async () => {
  const server = await recordingS3();
  const { clock, random, log, meter } = quietEnvironment();
  const environment = { clock, random, log, meter, compute: createNodeCompute(meter) } as unknown as Environment;
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const store = new S3Store(sdk, { endpoint: server.endpoint, region: 'us-east-1', credentials }, environment);
  const doors = { ...fakeDrivers(clock), blobs: openS3Blobs(store), settings: DELIVERY_DEFAULTS };
  const asked = { 'x-amz-server-side-encryption': 'aws:kms', 'x-amz-server-side-encryption-aws-kms-key-id': KEY };
  const table: readonly (readonly [encryption: S3Options['EncryptionConfiguration'], headers: object])[] = [
    [{ KMSEncryptionConfig: { AWSKMSKeyARN: KEY } }, asked],
    [{ NoEncryptionConfig: 'NoEncryption' }, {}],
    [undefined, {}],
  ];
  for (const [EncryptionConfiguration, headers] of table) {
    const options = { BucketARN: 'bucket', ...(EncryptionConfiguration !== undefined && { EncryptionConfiguration }) };
    for (const [bytes, ...actions] of [
      [10, 'PUT'],
      [9 * MIB, 'POST ?uploads', 'PUT ?partNumber ?uploadId', 'PUT ?partNumber ?uploadId', 'POST ?uploadId'],
    ] as const) {
      server.requests.length = 0;
      await s3.open(options, doors, environment).deliver(batchOf(bytes), 'k', new AbortController().signal);
      assert.deepEqual(
        server.requests.map(({ action }) => action),
        actions,
      );
      const said = server.requests.map((request) => encryptionOf(request.headers));
      assert.deepEqual(said, [headers, ...actions.slice(1).map(() => ({}))]);
    }
  }
  store.close();
  server.close();
});

/** How an object is made, whole or of parts, and the request that does. */
const WRITES: Readonly<Record<string, (store: S3Store, options: BlobOptions) => Promise<boolean>>> = {
  PUT: async (store, options) => await store.put('bucket', 'k', BODY, options),
  'POST ?uploadId': async (store, options) =>
    await store.complete({ bucket: 'bucket', key: 'k', id: 'u', ...options }, [
      { number: 1, tag: '"e"', crc32: 'AAAAAA==' },
    ]),
};

test('a store without conditions is asked whether the object is there, keeps it, and the log says so once', async () => {
  const table: readonly (readonly [found: number, replaces: boolean, isNew: boolean, isAsked: boolean])[] = [
    [200, false, false, true],
    [404, false, true, true],
    [403, false, true, true],
    [200, true, true, false],
  ];
  for (const [action, write] of Object.entries(WRITES)) {
    for (const [found, replaces, isNew, isAsked] of table) {
      const server = await recordingS3(({ action: asked, headers }) => {
        if (asked === 'HEAD') return { status: found, body: '' };
        return headers['if-none-match'] === undefined ? undefined : { status: 501, body: '<Error/>' };
      });
      const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
      const environment = quietEnvironment();
      const store = new S3Store(sdk, { endpoint: server.endpoint, region: 'us-east-1', credentials }, environment);
      for (const isFirst of [true, false]) {
        server.requests.length = 0;
        const what = `${action}, the first: ${isFirst}, HEAD ${found}`;
        assert.equal(await write(store, replaces ? { replaces } : {}), isNew, what);
        const isTried = isAsked && (isFirst || !isNew);
        assert.deepEqual(
          server.requests.map((one) => one.action),
          [...(isTried ? [action] : []), ...(isAsked ? ['HEAD'] : []), ...(isNew ? [action] : [])],
          what,
        );
      }
      assert.deepEqual(environment.troubles, isAsked && isNew ? ['s3.no-conditions'] : []);
      store.close();
      server.close();
    }
  }
});

test('a store that does not know something else of a request says so, and conditions stay', async () => {
  for (const write of Object.values(WRITES)) {
    let isMended = false;
    const server = await recordingS3(({ action }) => {
      if (action === 'HEAD') return { status: 404, body: '' };
      return isMended ? undefined : { status: 501, body: '<Error><Code>NotImplemented</Code></Error>' };
    });
    const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
    const environment = quietEnvironment();
    const store = new S3Store(sdk, { endpoint: server.endpoint, region: 'us-east-1', credentials }, environment);
    await assert.rejects(write(store, {}), { code: 'S3.NotImplemented', retryable: true });
    isMended = true;
    server.requests.length = 0;
    assert.equal(await write(store, {}), true);
    assert.deepEqual(
      server.requests.map(({ headers }) => headers['if-none-match']),
      ['*'],
    );
    assert.deepEqual(environment.troubles, []);
    store.close();
    server.close();
  }
});

function batchOf(bytes: number): Batch {
  const record = { data: Buffer.alloc(bytes), at: 1, partitionKey: 'k', sequenceNumber: '1', shardId: 's', index: 0 };
  return {
    id: 'b',
    deliveryStream: 'd',
    deliveryStreamArn: 'arn',
    versionId: '1',
    oldestAt: 1,
    recordCount: 1,
    sizeBytes: bytes,
    async *records() {
      yield [record];
    },
  };
}
