import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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
    const node = await startNodeProcess({ config: verifyingConfig(data), data: join(data, 'node') });
    try {
      const environment = await clientEnvironment(node.api);
      const checks = await program();
      const plain = await runChecks(process.execPath, [checks], environment);
      const secure = { ...environment, AWS_ENDPOINT_URL_KINESIS: node.api.replace('http:', 'https:') };
      const tls = await runChecks(process.execPath, [checks, 'tls'], secure);
      return plain + tls + (await killed(node, environment));
    } finally {
      await node.stop();
      removeDirectory(data);
    }
  },
};
