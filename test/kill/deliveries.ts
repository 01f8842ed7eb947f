/**
 * Deliveries outlive `kill -9` while they attempt: what was put directly arrives at an endpoint, which is slow and fails
 * at times, as it came and as a function made it, with a backup of everything; and in objects that a function shaped.
 * Nothing is missing, a request comes again under its id with its bytes, and no more is doubled than the node says.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { isFlushed } from '../real/deliveries.ts';
import { filesBelow } from '../support/files-below.ts';
import {
  call,
  removeDirectory,
  startNodeProcess,
  temporaryDirectory,
  type NodeProcess,
} from '../support/node-process.ts';
import { Receiver } from './receiver.ts';

const ROUNDS = Math.ceil(Number(process.env['KILL_ROUNDS'] ?? 20) / 2);
const BATCH = 10;
const LIFE_MS_MAX = 1500;
/** A kill waits so long for a request that is under way. */
const HELD_MS_MAX = 1000;
/** To the endpoint as they come; the same by way of a function; to objects by way of a function. */
const DELIVERIES = ['direct', 'shaped', 'packed'] as const;
type Delivery = (typeof DELIVERIES)[number];

/** Capital letters of each; some it cannot make anything of, and some it drops. */
const CODE = `export const handler = async ({ records }) => ({
  records: records.map(({ recordId, data }) => {
    const text = Buffer.from(data, 'base64').toString();
    if (text.includes('fail')) return { recordId, result: 'ProcessingFailed', data };
    if (text.includes('drop')) return { recordId, result: 'Dropped', data };
    return { recordId, result: 'Ok', data: Buffer.from(text.toUpperCase()).toString('base64') };
  }),
});
`;
const HINTS = { SizeInMBs: 1, IntervalInSeconds: 0 };
const PARAMETERS = { LambdaArn: 'shape', BufferIntervalInSeconds: '0', NumberOfRetries: '20' };
const ProcessingConfiguration = {
  Enabled: true,
  Processors: [
    {
      Type: 'Lambda',
      Parameters: Object.entries(PARAMETERS).map(([ParameterName, ParameterValue]) => ({
        ParameterName,
        ParameterValue,
      })),
    },
  ],
};

function config(url: string): object {
  const endpoint = {
    EndpointConfiguration: { Url: url, AccessKey: '${secret:KEY}' },
    BufferingHints: HINTS,
    RequestConfiguration: { ContentEncoding: 'GZIP' },
    RetryOptions: { DurationInSeconds: 7200 },
  };
  const bucket = (BucketARN: string): object => ({ BucketARN, BufferingHints: HINTS, CompressionFormat: 'GZIP' });
  return {
    functions: { shape: { runtime: 'node', code: '.', handler: 'index.handler' } },
    deliveries: {
      direct: {
        HttpEndpointDestinationConfiguration: {
          ...endpoint,
          S3BackupMode: 'AllData',
          S3Configuration: { ...bucket('direct'), Prefix: 'all/', ErrorOutputPrefix: 'failed/' },
        },
      },
      shaped: {
        HttpEndpointDestinationConfiguration: {
          ...endpoint,
          ProcessingConfiguration,
          S3Configuration: { ...bucket('shaped'), ErrorOutputPrefix: 'failed/' },
        },
      },
      packed: {
        ExtendedS3DestinationConfiguration: {
          ...bucket('packed'),
          BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 1 },
          Prefix: 'all/',
          ErrorOutputPrefix: 'failed/',
          ProcessingConfiguration,
        },
      },
    },
  };
}

/** One in seventeen is of a kind that somebody does not take. */
function textOf(delivery: Delivery, life: number, count: number): string {
  const kind = count % 17 === 3 ? (delivery === 'direct' ? 'poison' : 'fail') : count % 13 === 5 ? 'drop' : 'fine';
  return `${delivery}/${kind}/${life}/${count};`;
}

/** What the senders were told: put for sure, or without an answer. */
interface Put {
  readonly sure: Set<string>;
  readonly unsure: Set<string>;
}

/** A closed loop of puts to one delivery, until the node is gone. */
async function load(node: NodeProcess, delivery: Delivery, life: number, { sure, unsure }: Put): Promise<void> {
  for (let count = 0; ; count += BATCH) {
    const texts = Array.from({ length: BATCH }, (_, index) => textOf(delivery, life, count + index));
    for (const text of texts) unsure.add(text);
    const Records = texts.map((text) => ({ Data: Buffer.from(text).toString('base64') }));
    const input = { DeliveryStreamName: delivery, Records };
    const answer = await call(node.api, 'Firehose_20150804.PutRecordBatch', input).catch(() => undefined);
    if (answer === undefined) return;
    assert.deepEqual([answer.status, (answer.body as { FailedPutCount: number }).FailedPutCount], [200, 0]);
    for (const text of texts) {
      unsure.delete(text);
      sure.add(text);
    }
    await sleep(Math.random() * 20);
  }
}

/** Load until a kill, mostly while the receiver has a request that it did not answer yet. */
async function liveAndDie(node: NodeProcess, receiver: Receiver, put: Put): Promise<void> {
  const loads = DELIVERIES.map(async (delivery) => await load(node, delivery, receiver.life, put));
  await sleep(100 + Math.random() * LIFE_MS_MAX);
  for (const end = performance.now() + HELD_MS_MAX; receiver.held === 0 && performance.now() < end;) await sleep(1);
  await sleep(Math.random() * 20);
  await node.kill();
  await Promise.all(loads);
}

async function duplicatesShown({ api }: NodeProcess, delivery: Delivery): Promise<number> {
  const status = (await (await fetch(`${api}/admin/deliveries/${delivery}`)).json()) as { possibleDuplicates: number };
  return status.possibleDuplicates;
}

/** All that was put has left, to the backup, too. */
async function settled(node: NodeProcess): Promise<void> {
  for (const delivery of DELIVERIES) assert.ok(await isFlushed(node, delivery), `${delivery} is not delivered`);
}

/** What stands in the objects below a folder of a bucket. */
async function contents({ data }: NodeProcess, bucket: Delivery, folder: string): Promise<string> {
  const files = filesBelow(join(data, 'buckets', bucket)).filter((path) => path.includes(`/${bucket}/${folder}/`));
  const texts = await Promise.all(files.map(async (path) => gunzipSync(await readFile(path)).toString()));
  return texts.join('');
}

function recordsIn(text: string): string[] {
  return text
    .split(';')
    .slice(0, -1)
    .map((part) => `${part};`);
}

/** The records of lines about what failed. */
function failedIn(lines: string): string[] {
  const parsed = lines
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { readonly rawData: string });
  return parsed.map(({ rawData }) => Buffer.from(rawData, 'base64').toString());
}

/** Each of them was put, none stands there twice, and what was put for sure is there. */
function assertWhole(what: string, found: readonly string[], put: Put, isWanted: (text: string) => boolean): void {
  const seen = new Set(found);
  assert.equal(seen.size, found.length, `${what}: ${found.length - seen.size} stand there twice`);
  const strange = found.filter((text) => !isWanted(text) || !(put.sure.has(text) || put.unsure.has(text)));
  assert.deepEqual(strange.slice(0, 3), [], `${what}: not put, or not to be there`);
  const missing = [...put.sure].filter((text) => isWanted(text) && !seen.has(text));
  assert.deepEqual(missing.slice(0, 3), [], `${what}: ${missing.length} of ${put.sure.size} are missing`);
}

function isOf(delivery: Delivery, ...kinds: readonly string[]): (text: string) => boolean {
  return (text) => kinds.some((kind) => text.startsWith(`${delivery}/${kind}/`));
}

async function judge(node: NodeProcess, receiver: Receiver, put: Put): Promise<void> {
  const taken = [...receiver.taken.keys()];
  const asPut = (text: string): string => (text.startsWith('SHAPED') ? text.toLowerCase() : text);
  const arrived = (delivery: Delivery): string[] => taken.map(asPut).filter((text) => text.startsWith(delivery));
  assertWhole('the endpoint', arrived('direct'), put, isOf('direct', 'fine', 'drop'));
  assertWhole('the backup', recordsIn(await contents(node, 'direct', 'all')), put, (text) => text.startsWith('direct'));
  const refused = failedIn(await contents(node, 'direct', 'failed'));
  assertWhole('what the endpoint refused', refused, put, isOf('direct', 'poison'));
  assertWhole('what was shaped, at the endpoint', arrived('shaped'), put, isOf('shaped', 'fine'));
  for (const delivery of ['shaped', 'packed'] as const) {
    const failed = failedIn(await contents(node, delivery, 'failed'));
    assertWhole(`what could not be shaped of ${delivery}`, failed, put, isOf(delivery, 'fail'));
  }
  const objects = recordsIn(await contents(node, 'packed', 'all'));
  assert.ok(objects.every((text) => text === text.toUpperCase()));
  const lower = objects.map((text) => text.toLowerCase());
  assertWhole('what was shaped, in objects', lower, put, isOf('packed', 'fine'));
}

test(`kill -9, ${ROUNDS} times, while deliveries attempt`, { timeout: 300_000 }, async (context) => {
  const home = temporaryDirectory('kill-deliveries');
  const receiver = new Receiver((text) => text.includes('poison'));
  const put: Put = { sure: new Set(), unsure: new Set() };
  const [file, data] = [join(home, 'millrace.yaml'), join(home, 'data')];
  writeFileSync(join(home, 'index.mjs'), CODE);
  writeFileSync(file, JSON.stringify(config(await receiver.listen())));
  try {
    for (; receiver.life < ROUNDS; receiver.life += 1) {
      await liveAndDie(await startNodeProcess({ config: file, data }), receiver, put);
    }
    receiver.isCalm = true;
    const node = await startNodeProcess({ config: file, data });
    try {
      await settled(node);
      assert.deepEqual(receiver.faults, []);
      await judge(node, receiver, put);
      const shown = (await duplicatesShown(node, 'direct')) + (await duplicatesShown(node, 'shaped'));
      const { duplicates, repeatedAfterKills, requests } = receiver;
      context.diagnostic(
        `${put.sure.size} records, ${requests.size} requests, ${repeatedAfterKills} taken before a kill and sent ` +
          `again; ${duplicates} records came twice, ${shown} are shown`,
      );
      assert.ok(put.sure.size > 100 * ROUNDS, `${put.sure.size} records were put`);
      assert.ok(repeatedAfterKills > 0, 'no kill fell between what the endpoint took and what the node knew');
      assert.ok(duplicates <= shown, `${duplicates} came twice, and ${shown} are shown`);
      const moved = [...receiver.taken].filter(([, ids]) => new Set(ids).size > 1);
      assert.deepEqual(moved.slice(0, 3), [], 'a record that came twice came under one id');
      assert.equal(await node.stop(), 0, node.output());
    } finally {
      await node.kill();
    }
  } finally {
    receiver.close();
    removeDirectory(home);
  }
});
