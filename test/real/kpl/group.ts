import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kinesis, listShards, readAll, type Read, whenActive } from '../../support/kinesis.ts';
import { KEY_PAIR_VARIABLES, verifyingConfig } from '../../support/key-pair.ts';
import { removeDirectory, startNodeProcess, temporaryDirectory, type NodeProcess } from '../../support/node-process.ts';
import { javaWords, LOGGER } from '../java.ts';
import { kclJars } from '../kcl/application.ts';
import { startProgram, until } from '../program.ts';
import type { Group } from '../run.ts';
import { mavenJars, runProgram } from '../tools.ts';
import { judge, parsePut, type Found, type Put, type Range } from './transcript.ts';

const KPL = 'software.amazon.kinesis:amazon-kinesis-producer:1.0.4';
const PRODUCER = join('test', 'real', 'kpl', 'Producer.java');
const OPENER = join('test', 'real', 'kpl', 'Opener.java');
const STREAM = 'packed';
const BUCKET = 'archive';
const CONFIG = `
streams: { ${STREAM}: { ShardCount: 4 } }
deliveries:
  ${BUCKET}:
    from: ${STREAM}
    ExtendedS3DestinationConfiguration: { BucketARN: ${BUCKET}, BufferingHints: { SizeInMBs: 5, IntervalInSeconds: 1 } }
`;
const SECONDS = 8;
const PER_SECOND = 1000;
const PRODUCE_MS_MAX = 90_000;
const STEP_MS_MAX = 30_000;
/** What a packed record begins with, and the bytes of the digest at its end. */
const MAGIC = Buffer.from('f3899ac2', 'hex');
const DIGEST_BYTES = 16;

async function producerWords(): Promise<string[]> {
  return await javaWords(PRODUCER, await mavenJars(KPL, LOGGER));
}

async function openerWords(): Promise<string[]> {
  return await javaWords(OPENER, await kclJars());
}

/** Puts for some seconds through the library, over TLS; in the middle one shard is split and two are merged. */
async function produce(api: string, folder: string): Promise<readonly Put[]> {
  mkdirSync(folder);
  const where = [api.replace('http:', 'https:'), STREAM, folder, String(SECONDS), String(PER_SECOND)];
  const environment = { ...KEY_PAIR_VARIABLES, AWS_EC2_METADATA_DISABLED: 'true' };
  const producer = startProgram('java', [...(await producerWords()), ...where], { environment });
  try {
    const isFlowing = async (): Promise<boolean> => [...(await readAll(api, STREAM)).values()].flat().length > 0;
    await until('the producer puts', STEP_MS_MAX, isFlowing, [producer]);
    await sleep((SECONDS / 2) * 1000);
    await reshard(api);
    const puts = (): readonly Put[] => producer.lines.map(parsePut).filter((put) => put !== undefined);
    await until('all is stored', PRODUCE_MS_MAX, () => puts().length >= SECONDS * PER_SECOND).catch(
      (error: unknown) => {
        producer.assertRunning();
        throw error;
      },
    );
    return puts();
  } finally {
    await producer.stop();
  }
}

async function reshard(api: string): Promise<void> {
  const [one, , three, four] = await listShards(api, STREAM);
  const NewStartingHashKey = String((2n ** 126n - 1n) / 2n);
  await kinesis(api, 'SplitShard', { StreamName: STREAM, ShardToSplit: one?.ShardId, NewStartingHashKey });
  await whenActive(api, STREAM);
  const merge = { ShardToMerge: three?.ShardId, AdjacentShardToMerge: four?.ShardId };
  await kinesis(api, 'MergeShards', { StreamName: STREAM, ...merge });
}

/** What `millrace tail` prints of all there is, under further flags. */
async function tail({ api }: NodeProcess, ...flags: readonly string[]): Promise<readonly Found[]> {
  const words = ['tail', STREAM, '--from', 'TRIM_HORIZON', '--no-follow', '--json', '--api', api, ...flags];
  const printed = await runProgram(process.execPath, ['dist/main.js', ...words], { environment: KEY_PAIR_VARIABLES });
  return printed.split('\n').map((line) => {
    const record = JSON.parse(line) as Record<'shardId' | 'sequenceNumber' | 'partitionKey' | 'data', string>;
    const { subSequenceNumber } = JSON.parse(line) as { subSequenceNumber?: number };
    const { shardId: shard, sequenceNumber, partitionKey: key, data } = record;
    return { shard, sequenceNumber, subSequenceNumber, key, data };
  });
}

/** Each as it stands in the stream, so that lists can be compared. */
function lines(found: readonly Found[]): readonly string[] {
  return found
    .map(({ sequenceNumber, subSequenceNumber = '-', key, data }) =>
      [sequenceNumber, subSequenceNumber, key, Buffer.from(data).toString('base64')].join('\t'),
    )
    .toSorted();
}

async function ranges(api: string): Promise<ReadonlyMap<string, Range>> {
  const shards = await listShards(api, STREAM);
  return new Map(
    shards.map(({ ShardId, HashKeyRange: { StartingHashKey, EndingHashKey } }) => [
      ShardId,
      { first: BigInt(StartingHashKey), last: BigInt(EndingHashKey) },
    ]),
  );
}

/** GetRecords gives what was put: packed records with their digest, and those that are alone; most are packed. */
function checkRaw(raw: readonly Read[], found: readonly Found[]): void {
  const packed = raw.filter(({ data }) => data.subarray(0, MAGIC.length).equals(MAGIC));
  for (const { data, sequenceNumber } of packed) {
    const body = data.subarray(MAGIC.length, -DIGEST_BYTES);
    const digest = createHash('md5').update(body).digest();
    assert.ok(digest.equals(data.subarray(-DIGEST_BYTES)), `the digest in ${sequenceNumber}`);
  }
  const inside = found.filter(({ subSequenceNumber }) => subSequenceNumber !== undefined);
  assert.equal(new Set(inside.map(({ sequenceNumber }) => sequenceNumber)).size, packed.length);
  assert.equal(new Set(found.map(({ sequenceNumber }) => sequenceNumber)).size, raw.length);
  assert.ok(inside.length > found.length / 2, 'most records are packed');
  const own = found.length - inside.length;
  const counts = `${found.length} records, ${own} alone and ${inside.length} in ${packed.length}`;
  process.stdout.write(`kpl: ${counts}\n`);
}

/** The Kinesis Client Library opens the same records to the same ones, under the same numbers. */
async function checkOpened(raw: readonly Read[], found: readonly Found[], folder: string): Promise<void> {
  const file = join(folder, 'records');
  const text = raw.map(({ sequenceNumber, key, data }) => [sequenceNumber, key, data.toString('base64')].join('\t'));
  writeFileSync(file, `${text.join('\n')}\n`);
  const opened = await runProgram('java', [...(await openerWords()), file]);
  assert.deepEqual(lines(found), opened.split('\n').toSorted());
}

/** Each found record is a line of some object of the delivery stream that reads the stream, as often as it is found. */
async function checkDelivered(data: string, found: readonly Found[]): Promise<void> {
  const bucket = join(data, 'buckets', BUCKET);
  const delivered = (): readonly string[] =>
    readdirSync(bucket, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .flatMap(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8').split('\n').slice(0, -1))
      .toSorted();
  await until('all is delivered', STEP_MS_MAX, () => delivered().length >= found.length).catch(() => undefined);
  assert.deepEqual(
    delivered().map((line) => `${line}\n`),
    found.map((record) => record.data).toSorted(),
  );
}

/** The viewer looks into packed records for a key, a text and a place. */
async function checkSearch(node: NodeProcess, found: readonly Found[]): Promise<void> {
  const inside = found.find(({ subSequenceNumber = 0 }) => subSequenceNumber > 0);
  assert.ok(inside !== undefined);
  const { key, shard, data } = inside;
  const ofKey = found.filter((record) => record.key === key);
  assert.deepEqual(lines(await tail(node, '--key', key)), lines(ofKey));
  const ofBoth = ofKey.filter((record) => record.shard === shard);
  assert.deepEqual(lines(await tail(node, '--key', key, '--shard', shard)), lines(ofBoth));
  const ofText = found.filter((record) => record.data === data);
  assert.deepEqual(lines(await tail(node, '--content', data)), lines(ofText));
}

async function play(node: NodeProcess, folder: string): Promise<number> {
  const puts = await produce(node.api, join(folder, 'producer'));
  assert.equal(puts.length, SECONDS * PER_SECOND);
  const found = await tail(node);
  assert.deepEqual(judge(puts, found, await ranges(node.api)), []);
  const raw = [...(await readAll(node.api, STREAM)).values()].flat();
  checkRaw(raw, found);
  await checkOpened(raw, found, folder);
  await checkDelivered(node.data, found);
  await checkSearch(node, found);
  return 5;
}

/**
 * The Kinesis Producer Library, over TLS, with its packing of records, through a split and a merge: what it put is found
 * again one by one in the viewer and in delivered objects, and as it was put by GetRecords.
 */
export const kpl: Group = {
  name: 'kpl',
  async install() {
    await producerWords();
    await openerWords();
    return 'KPL 1.0.4';
  },
  async run() {
    const folder = temporaryDirectory('kpl');
    const config = verifyingConfig(folder, CONFIG);
    const node = await startNodeProcess({ config, data: join(folder, 'node') });
    try {
      return await play(node, folder);
    } finally {
      await node.stop();
      removeDirectory(folder);
    }
  },
};
