import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';
import { verifyingConfig } from '../../support/key-pair.ts';
import {
  call,
  removeDirectory,
  startNodeProcess,
  temporaryDirectory,
  type NodeProcess,
} from '../../support/node-process.ts';
import { errorLines } from '../deliveries.ts';
import { startProgram, until, type Program } from '../program.ts';
import type { Group } from '../run.ts';
import { TELEGRAF_VERSION, telegrafProgram } from '../telegraf/program.ts';
import { runProgram } from '../tools.ts';

const KEY = 'what {Telegraf} asks for';
const STEP_MS_MAX = 30_000;
const RECORDS = 5000;

/** A receiver, and a node that delivers to it. */
interface Scene {
  readonly node: NodeProcess;
  readonly receiver: string;
  /** What Telegraf took, one line of its own format a record. */
  readonly written: string;
  readonly telegraf: Program;
}

function receiverConfig(port: number, written: string): string {
  return [
    '[agent]',
    '  flush_interval = "100ms"',
    '  omit_hostname = true',
    '  metric_buffer_limit = 100000',
    '[[inputs.firehose]]',
    `  service_address = "127.0.0.1:${port}"`,
    '  paths = ["/telegraf"]',
    `  access_key = "${KEY}"`,
    '  parameter_tags = ["stage"]',
    '  data_format = "influx"',
    '[[outputs.file]]',
    `  files = ["${written}"]`,
    '',
  ].join('\n');
}

/** Creates a delivery stream to the receiver with these changes, and puts records to it. */
async function deliver(
  { node: { api }, receiver }: Scene,
  name: string,
  more: object,
  texts: readonly string[],
): Promise<void> {
  const { Url = receiver, AccessKey = KEY, ...rest } = more as { Url?: string; AccessKey?: string };
  const created = await call(api, 'Firehose_20150804.CreateDeliveryStream', {
    DeliveryStreamName: name,
    HttpEndpointDestinationConfiguration: {
      EndpointConfiguration: { Url, AccessKey },
      BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 1 },
      RetryOptions: { DurationInSeconds: 0 },
      S3Configuration: {
        BucketARN: `arn:aws:s3:::failed-${name}`,
        BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 1 },
      },
      ...rest,
    },
  });
  assert.equal(created.status, 200, JSON.stringify(created.body));
  for (let from = 0; from < texts.length; from += 500) {
    const Records = texts.slice(from, from + 500).map((text) => ({ Data: Buffer.from(text).toString('base64') }));
    const put = await call(api, 'Firehose_20150804.PutRecordBatch', { DeliveryStreamName: name, Records });
    assert.equal(put.status, 200, JSON.stringify(put.body));
  }
}

function taken({ written }: Scene, measurement: string): readonly string[] {
  const lines = existsSync(written) ? readFileSync(written, 'utf8').split('\n') : [];
  return lines.filter((line) => line.startsWith(`${measurement} `) || line.startsWith(`${measurement},`));
}

function failed({ node }: Scene, name: string): ReturnType<typeof errorLines> {
  return errorLines(node, `failed-${name}`, 'http-endpoint-failed');
}

function line(measurement: string, number: number): string {
  return `${measurement} number=${number}i ${1_700_000_000_000_000_000n + BigInt(number)}`;
}

/** Plain and compressed, with common attributes: every record once. */
async function checkTaken(scene: Scene): Promise<void> {
  for (const ContentEncoding of ['NONE', 'GZIP']) {
    const name = ContentEncoding.toLowerCase();
    const lines = Array.from({ length: RECORDS }, (_, number) => line(name, number));
    const CommonAttributes = [{ AttributeName: 'stage', AttributeValue: 'test' }];
    await deliver(scene, name, { RequestConfiguration: { ContentEncoding, CommonAttributes } }, lines);
    await until(`${name} arrived`, STEP_MS_MAX, () => taken(scene, name).length >= RECORDS, [scene.telegraf]);
    // It tells which of its paths a record came by.
    const wanted = lines.map((text) => text.replace(' ', ',path=/telegraf,stage=test '));
    assert.deepEqual(taken(scene, name).toSorted(), wanted.toSorted());
    assert.deepEqual(failed(scene, name), []);
  }
}

/** What Telegraf refuses, and how it is told. */
async function checkRefused(scene: Scene): Promise<void> {
  const elsewhere = scene.receiver.replace('/telegraf', '/elsewhere');
  const table: readonly (readonly [name: string, more: object, texts: readonly string[], said: RegExp])[] = [
    ['key', { AccessKey: 'another' }, [line('key', 1)], /\. 401 \{.*"errorMessage":/],
    ['path', { Url: elsewhere }, [line('path', 1)], /\. 404$/],
    ['bad', {}, [line('bad', 1), 'no such format', line('bad', 2)], /\. 400 \{.*"errorMessage":/],
  ];
  for (const [name, more, texts, said] of table) {
    await deliver(scene, name, more, texts);
    await until(`${name} has lines`, STEP_MS_MAX, () => failed(scene, name).length === texts.length, [scene.telegraf]);
    for (const [index, { errorCode, errorMessage, rawData }] of failed(scene, name).entries()) {
      assert.equal(errorCode, 'HttpEndpoint.DestinationException');
      assert.match(String(errorMessage), said);
      assert.equal(Buffer.from(String(rawData), 'base64').toString(), texts[index]);
    }
    assert.deepEqual(taken(scene, name), []);
  }
}

/** The receiver is strict: what it was seen to refuse of others is what this node does not send. */
async function checkStrictness({ receiver }: Scene): Promise<void> {
  const requestId = 'd34c7e5a-0000-4000-8000-000000000000';
  const send = async (type: string, id: string): Promise<number> => {
    const answer = await fetch(receiver, {
      method: 'POST',
      headers: {
        'content-type': type,
        'x-amz-firehose-request-id': id,
        'x-amz-firehose-access-key': KEY,
        'x-amz-firehose-protocol-version': '1.0',
        'x-amz-firehose-source-arn': 'arn:aws:firehose:us-east-1:000000000000:deliverystream/d',
      },
      body: JSON.stringify({ requestId, timestamp: Date.now(), records: [] }),
    });
    await answer.arrayBuffer();
    return answer.status;
  };
  assert.equal(await send('application/json', requestId), 200);
  assert.equal(await send('application/json; charset=utf-8', requestId), 415);
  assert.equal(await send('text/plain', requestId), 415);
  assert.equal(await send('application/json', 'another'), 400);
}

/** Deliveries to Telegraf's firehose input, an independent receiver of AWS's protocol. */
export const httpEndpoint: Group = {
  name: 'http-endpoint',
  async install() {
    await runProgram(await telegrafProgram(), ['--version']);
    return `Telegraf ${TELEGRAF_VERSION}`;
  },
  async run() {
    const folder = temporaryDirectory('http-endpoint');
    const [port, written] = [await freePort(), join(folder, 'written')];
    const config = join(folder, 'receiver.toml');
    writeFileSync(config, receiverConfig(port, written));
    const node = await startNodeProcess({ config: verifyingConfig(folder), data: join(folder, 'node') });
    const telegraf = startProgram(await telegrafProgram(), ['--config', config]);
    try {
      const receiver = `http://127.0.0.1:${port}/telegraf`;
      const answers = async (): Promise<boolean> =>
        await fetch(receiver).then(
          () => true,
          () => false,
        );
      await until('the receiver answers', STEP_MS_MAX, answers, [telegraf]);
      const scene = { node, receiver, written, telegraf };
      const checks = [checkStrictness, checkTaken, checkRefused];
      for (const check of checks) await check(scene);
      assert.ok(!node.output().includes(KEY), 'the key stands in no log line');
      return checks.length;
    } finally {
      await telegraf.kill();
      await node.stop();
      removeDirectory(folder);
    }
  },
};
