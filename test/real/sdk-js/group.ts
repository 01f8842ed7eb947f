import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { kinesis } from '../../support/kinesis.ts';
import { signed, verifyingConfig } from '../../support/key-pair.ts';
import { removeDirectory, startNodeProcess, temporaryDirectory, type NodeProcess } from '../../support/node-process.ts';
import { clientEnvironment, runChecks } from '../checks.ts';
import { startProgram, until } from '../program.ts';
import type { Group } from '../run.ts';
import { npmPackage } from '../tools.ts';

const PACKAGE = '@aws-sdk/client-kinesis@3.1143.0';
const SOURCES = join('test', 'real', 'sdk-js');
const LARGE = 700_000;
const STEP_MS_MAX = 20_000;
const SUBSCRIBERS = 4;
const HANDLER = 'from-handler';

/** Our program beside the package, so that it finds it; resolves with its path. */
async function program(): Promise<string> {
  const folder = await npmPackage(PACKAGE);
  for (const file of readdirSync(SOURCES).filter((name) => name.endsWith('.mjs'))) {
    copyFileSync(join(SOURCES, file), join(folder, file));
  }
  return join(folder, 'checks.mjs');
}

async function metric(api: string, name: string): Promise<number> {
  const url = new URL('/metrics', api);
  const text = await (
    await fetch(url, { headers: signed('millrace', { method: 'GET', url, headers: {}, body: '' }) })
  ).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
}

/** SIGKILL to subscribers that stopped reading in the middle of large frames: nothing is left of them on the node. */
async function killed({ api }: NodeProcess, environment: Readonly<Record<string, string>>): Promise<number> {
  const target = { StreamName: 'killed' };
  await kinesis(api, 'CreateStream', { ...target, ShardCount: 1 });
  const Data = Buffer.alloc(LARGE, 'x').toString('base64');
  for (let index = 0; index < 20; index += 1) {
    await kinesis(api, 'PutRecord', { ...target, PartitionKey: 'k', Data });
  }
  const StreamARN = `arn:aws:kinesis:us-east-1:000000000000:stream/${target.StreamName}`;
  for (let index = 0; index < SUBSCRIBERS; index += 1) {
    const registered = await kinesis(api, 'RegisterStreamConsumer', { StreamARN, ConsumerName: `consumer-${index}` });
    const { ConsumerARN } = (registered as { Consumer: { ConsumerARN: string } }).Consumer;
    const subscriber = startProgram(process.execPath, [await program(), 'linger', ConsumerARN], { environment });
    try {
      await until('the subscriber reads', STEP_MS_MAX, () => subscriber.lines.includes('reading'), [subscriber]);
      assert.equal(await metric(api, 'kinesis_subscriptions'), 1);
    } finally {
      await subscriber.kill();
    }
    await until('nothing is left of it', STEP_MS_MAX, async () => {
      return (await metric(api, 'kinesis_subscriptions')) + (await metric(api, 'kinesis_fan_out_bytes')) === 0;
    });
  }
  assert.equal((await fetch(`${api}/healthz`)).status, 200);
  return 1;
}

/** The config's section of a handler that stands beside the package; its stream is made once the checks counted theirs. */
async function functionsSection(): Promise<string> {
  const handler = { runtime: 'node', code: dirname(await program()), handler: 'handler.handler' };
  const functions = { [HANDLER]: { ...handler, timeoutSeconds: 30, memoryMb: 256, env: { STREAM_NAME: HANDLER } } };
  return `functions: ${JSON.stringify(functions)}`;
}

/** An unmodified handler puts records with the address and the key pair that it is given, from its first event on. */
async function fromHandler(api: string): Promise<number> {
  await kinesis(api, 'CreateStream', { StreamName: HANDLER, ShardCount: 1 });
  const url = new URL(`/2015-03-31/functions/${HANDLER}/invocations`, api);
  const orders = [1, 2, 3, 4].map((number) => ({ id: `order-${number}`, note: 'schön' }));
  for (const some of [orders.slice(0, 2), orders.slice(2)]) {
    const request = { method: 'POST', url, headers: {}, body: JSON.stringify({ orders: some }) };
    const answer = await fetch(url, { ...request, headers: signed('lambda', request) });
    const value = (await answer.json()) as Record<string, unknown>;
    assert.equal(answer.headers.get('x-amz-function-error'), null, JSON.stringify(value));
    assert.equal(value['ShardId'], 'shardId-000000000000');
    assert.match(String(value['SequenceNumber']), /^49\d{54}$/);
    assert.equal(value['FailedRecordCount'], 0);
  }
  const shard = { StreamName: HANDLER, ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON' };
  const { ShardIterator } = (await kinesis(api, 'GetShardIterator', shard)) as { ShardIterator: string };
  const { Records } = (await kinesis(api, 'GetRecords', { ShardIterator })) as { Records: readonly StoredRecord[] };
  const stored = Records.map(({ PartitionKey, Data }) => [PartitionKey, Buffer.from(Data, 'base64').toString()]);
  assert.deepEqual(
    stored,
    orders.map((order) => [order.id, JSON.stringify(order)]),
  );
  return 1;
}

interface StoredRecord {
  readonly PartitionKey: string;
  readonly Data: string;
}

/** The AWS SDK for JavaScript with its client's settings untouched: HTTP/2 by prior knowledge, and over TLS by ALPN. */
export const sdkJs: Group = {
  name: 'sdk-js',
  async install() {
    const manifest = join(await npmPackage(PACKAGE), 'node_modules', '@aws-sdk', 'client-kinesis', 'package.json');
    const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
    return `AWS SDK for JavaScript ${version}`;
  },
  async run() {
    const data = temporaryDirectory('sdk-js');
    const node = await startNodeProcess({
      config: verifyingConfig(data, await functionsSection()),
      data: join(data, 'node'),
    });
    try {
      const environment = await clientEnvironment(node.api);
      const checks = await program();
      const plain = await runChecks(process.execPath, [checks], environment);
      const secure = { ...environment, AWS_ENDPOINT_URL_KINESIS: node.api.replace('http:', 'https:') };
      const tls = await runChecks(process.execPath, [checks, 'tls'], secure);
      const handled = await fromHandler(node.api);
      return plain + tls + handled + (await killed(node, environment));
    } finally {
      await node.stop();
      removeDirectory(data);
    }
  },
};
