import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { quietEnvironment } from '../../../src/testing/quiet-environment.ts';
import { whole } from '../../../src/testing/whole-object.ts';
import { openS3Store } from '../../../src/drivers/aws/index.ts';
import { nodeClock } from '../../../src/environments/node/clock.ts';
import { openS3Blobs } from '../../../src/engines/blobs-s3/index.ts';
import { freePort } from '../../support/free-port.ts';
import { removeDirectory, startNodeProcess, temporaryDirectory, type NodeProcess } from '../../support/node-process.ts';
import { kinesis } from '../../support/kinesis.ts';
import { failureOf, isFlushed } from '../deliveries.ts';
import { startProgram, until } from '../program.ts';
import type { Group } from '../run.ts';
import { goProgram } from '../tools.ts';

const MODULE = 'github.com/versity/versitygw@v1.8.0';
const KEYS = { accessKeyId: 'deliveries', secretAccessKey: 'a-secret-of-the-test-alone' };
const WAIT_MS_MAX = 60_000;
const MIB = 1024 ** 2;

async function program(): Promise<string> {
  return await goProgram(MODULE, './cmd/versitygw', []);
}

interface Gateway {
  readonly endpoint: string;
  stop(): Promise<void>;
}

async function startGateway(folder: string, port: number): Promise<Gateway> {
  mkdirSync(folder, { recursive: true });
  const variables = { ROOT_ACCESS_KEY: KEYS.accessKeyId, ROOT_SECRET_KEY: KEYS.secretAccessKey };
  const words = ['--port', `127.0.0.1:${port}`, 'posix', folder];
  const running = startProgram(await program(), words, { environment: variables });
  const endpoint = `http://127.0.0.1:${port}`;
  await until('versitygw answers', WAIT_MS_MAX, async () => await fetch(endpoint), [running]);
  return { endpoint, stop: async () => await running.kill() };
}

function clientOf(endpoint: string): S3Client {
  return new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: KEYS });
}

interface StoredObject {
  readonly key: string;
  readonly bytes: Buffer;
  readonly tag: string;
  readonly type: string | undefined;
  readonly encoding: string | undefined;
}

async function objectsOf(client: S3Client, bucket: string): Promise<readonly StoredObject[]> {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
  const found: StoredObject[] = [];
  for (const { Key: key = '' } of Contents) {
    const {
      Body,
      ETag: tag = '',
      ContentType,
      ContentEncoding,
    } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
    found.push({ key, bytes, tag, type: ContentType, encoding: ContentEncoding });
  }
  return found;
}

/** Incompressible, and of a size whose object is an upload in parts. */
function recordsOf(count: number): readonly Buffer[] {
  return Array.from({ length: count }, (_, index) => {
    const data = Buffer.alloc(1_000_000);
    for (let at = 0; at < data.length; at += 4) data.writeUInt32LE((index * 2_654_435_761 + at * 40_503) >>> 0, at);
    return data;
  });
}

/** It keeps objects plain whatever is asked: that the words are signed as they are sent is what it proves. */
const ENCRYPTION =
  'EncryptionConfiguration: { KMSEncryptionConfig: { AWSKMSKeyARN: "arn:aws:kms:us-east-1:000000000000:key/k" } }';

/** `secretAccessKey` undefined: keys are found as the SDK finds them. */
function configOf(endpoint: string, secretAccessKey?: string): string {
  const delivery = (name: string, members: string): string =>
    `  ${name}: { from: events, ExtendedS3DestinationConfiguration: { BucketARN: ${name}, ${ENCRYPTION}, ${members} } }`;
  const hints = (seconds: number): string => `BufferingHints: { SizeInMBs: 128, IntervalInSeconds: ${seconds} }`;
  const keys =
    secretAccessKey === undefined
      ? ''
      : `, credentials: { accessKeyId: ${KEYS.accessKeyId}, secretAccessKey: ${secretAccessKey} }`;
  return [
    `s3: { endpoint: "${endpoint}"${keys} }`,
    'streams: { events: { ShardCount: 1 } }',
    'deliveries:',
    delivery('large-objects', hints(900)),
    delivery('small-objects', `${hints(1)}, CompressionFormat: GZIP`),
    '',
  ].join('\n');
}

/** Waits until the delivery's failure is of that kind. */
async function failsWith(node: NodeProcess, name: string, failure: RegExp): Promise<void> {
  await until(`${name} fails with ${String(failure)}`, WAIT_MS_MAX, async () =>
    failure.test(await failureOf(node, name)),
  );
}

async function flush(node: NodeProcess, name: string): Promise<void> {
  await until(`${name} is flushed`, WAIT_MS_MAX, async () => await isFlushed(node, name));
}

async function put(node: NodeProcess, records: readonly Buffer[]): Promise<void> {
  for (const record of records) {
    const Data = record.toString('base64');
    await kinesis(node.api, 'PutRecord', { StreamName: 'events', PartitionKey: 'k', Data });
  }
}

async function start(folder: string, config: string, environment = {}): Promise<NodeProcess> {
  const file = join(folder, 'millrace.yaml');
  writeFileSync(file, config);
  return await startNodeProcess({ config: file, data: join(folder, 'node'), environment });
}

/** Variables of a process whose keys stand in a profile, and nowhere else. */
function profileIn(folder: string): Readonly<Record<string, string>> {
  const file = join(folder, 'credentials');
  const { accessKeyId, secretAccessKey } = KEYS;
  writeFileSync(file, `[bucket]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`);
  return { AWS_SHARED_CREDENTIALS_FILE: file, AWS_CONFIG_FILE: join(folder, 'none'), AWS_PROFILE: 'bucket' };
}

/** A wrong key, a bucket that comes late and a service that is away delay what is delivered, and lose nothing. */
async function checkDelays(folder: string, port: number): Promise<number> {
  let gateway = await startGateway(join(folder, 'buckets'), port);
  const client = clientOf(gateway.endpoint);
  await client.send(new CreateBucketCommand({ Bucket: 'large-objects' }));
  const records = recordsOf(20);
  let node = await start(folder, configOf(gateway.endpoint, 'another-secret-altogether'));
  await put(node, records);
  await failsWith(node, 'small-objects', /signature/i);
  await node.kill();
  node = await start(folder, configOf(gateway.endpoint, KEYS.secretAccessKey));
  try {
    await failsWith(node, 'small-objects', /bucket/i);
    await gateway.stop();
    await failsWith(node, 'small-objects', /connect|refused/i);
    gateway = await startGateway(join(folder, 'buckets'), port);
    await client.send(new CreateBucketCommand({ Bucket: 'small-objects' }));
    await flush(node, 'small-objects');
    await flush(node, 'large-objects');
    const [large, ...others] = await objectsOf(client, 'large-objects');
    assert.ok(large !== undefined && others.length === 0, 'one object');
    assert.ok(large.bytes.equals(Buffer.concat(records)), 'the object in parts holds the records');
    assert.match(large.tag, /-3"$/, 'an upload in three parts');
    assert.deepEqual([large.type, large.encoding], ['application/octet-stream', undefined]);
    const small = await objectsOf(client, 'small-objects');
    assert.ok(Buffer.concat(small.map(({ bytes }) => gunzipSync(bytes))).equals(Buffer.concat(records)));
    assert.deepEqual([...new Set(small.map(({ encoding }) => encoding))], ['gzip']);
    const listed = (await (await fetch(`${node.api}/admin/buckets/small-objects`)).json()) as {
      objects: readonly { key: string; location: string }[];
    };
    assert.deepEqual(
      listed.objects.map(({ location }) => location),
      small.map(({ key }) => `s3://small-objects/${key}`),
    );
    return 5;
  } finally {
    await node.stop();
    await gateway.stop();
    client.destroy();
  }
}

/** The node, whose keys are a profile's, ends at any moment of an upload: the object is there once, whole, and no other. */
async function checkKills(folder: string, port: number): Promise<number> {
  const gateway = await startGateway(join(folder, 'buckets'), port);
  const client = clientOf(gateway.endpoint);
  await client.send(new CreateBucketCommand({ Bucket: 'large-objects' }));
  await client.send(new CreateBucketCommand({ Bucket: 'small-objects' }));
  const config = configOf(gateway.endpoint);
  const profile = profileIn(folder);
  const records = recordsOf(30);
  let node = await start(folder, config, profile);
  try {
    await put(node, records);
    for (const waitMs of [30, 80, 150, 250, 400]) {
      // Nobody waits for the answer of a node that is killed.
      void fetch(`${node.api}/admin/deliveries/large-objects/flush`, { method: 'POST' }).catch(() => undefined);
      await sleep(waitMs);
      await node.kill();
      node = await start(folder, config, profile);
    }
    await flush(node, 'large-objects');
    const objects = await objectsOf(client, 'large-objects');
    assert.ok(Buffer.concat(objects.map(({ bytes }) => bytes)).equals(Buffer.concat(records)), 'each record once');
    return 1;
  } finally {
    await node.stop();
    await gateway.stop();
    client.destroy();
  }
}

/** A key that is taken stays as it is, whether it comes in one request or in parts, and no parts are left behind. */
async function checkPrecondition(folder: string, port: number): Promise<number> {
  const gateway = await startGateway(join(folder, 'buckets'), port);
  const client = clientOf(gateway.endpoint);
  const environment = { clock: nodeClock, log: quietEnvironment().log };
  const store = await openS3Store({ endpoint: gateway.endpoint, region: 'us-east-1', credentials: KEYS }, environment);
  const blobs = openS3Blobs(store);
  try {
    await client.send(new CreateBucketCommand({ Bucket: 'taken' }));
    const once = async function* (bytes: Buffer): AsyncGenerator<Uint8Array> {
      yield bytes;
    };
    for (const [key, size] of [
      ['small', 100],
      ['large', 17 * MIB],
    ] as const) {
      const [first, second] = [Buffer.alloc(size, 1), Buffer.alloc(size, 2)];
      assert.equal(await blobs.put('taken', key, once(first)), size);
      assert.equal(await blobs.put('taken', key, once(second)), size);
      assert.ok(Buffer.from((await whole(blobs, 'taken', key)) ?? []).equals(first), `${key} is the first one's`);
    }
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: 'taken' }));
    assert.deepEqual(Uploads, []);
    await assert.rejects(blobs.list('nowhere'), { code: 'S3.NoSuchBucket', retryable: false });
    await blobs.remove('taken', 'small');
    assert.deepEqual(await blobs.list('taken'), [{ key: 'large', sizeBytes: 17 * MIB }]);
    return 3;
  } finally {
    store.close();
    client.destroy();
    await gateway.stop();
  }
}

/** Deliveries to a real S3: versitygw checks signatures, digests and preconditions, and keeps parts apart. */
export const versitygw: Group = {
  name: 'versitygw',
  async install() {
    await program();
    return 'versitygw 1.8.0';
  },
  async run() {
    let passed = 0;
    for (const check of [checkPrecondition, checkDelays, checkKills]) {
      const folder = temporaryDirectory('versitygw');
      try {
        passed += await check(folder, await freePort());
      } finally {
        removeDirectory(folder);
      }
    }
    return passed;
  },
};
