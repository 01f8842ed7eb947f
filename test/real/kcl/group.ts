import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kinesis, listShards } from '../../support/kinesis.ts';
import { verifyingConfig } from '../../support/key-pair.ts';
import { removeDirectory, startNodeProcess, temporaryDirectory } from '../../support/node-process.ts';
import { until } from '../program.ts';
import type { Group } from '../run.ts';
import { Application, installApplication, type Reading } from './application.ts';
import { installDynamoDbLocal, startDynamoDbLocal } from './dynamodb-local.ts';
import { judge } from './transcript.ts';
import { startWriter, type Writer } from './writer.ts';

const STREAM = 'orders';
const SHARDS = 6;
/** The library waits for an index of its table, then a random while of up to half a minute, before it looks for shards. */
const FIRST_START_MS_MAX = 180_000;
const STEP_MS_MAX = 60_000;
const READINGS: readonly Reading[] = [
  { name: 'polling-json-http1', retrieval: 'polling', client: 'json-http1' },
  { name: 'polling-default', retrieval: 'polling', client: 'default' },
  { name: 'fanout-default', retrieval: 'fanout', client: 'default' },
];

interface Scene {
  readonly api: string;
  readonly applications: readonly Application[];
  readonly writer: Writer;
}

/** Each application went on until it had begun these shards. */
async function allBegin({ applications }: Scene, shards: readonly string[], timeoutMs = STEP_MS_MAX): Promise<void> {
  for (const application of applications) {
    await application.until(`begins ${shards.join(', ')}`, timeoutMs, () => {
      const holders = application.holders();
      return shards.every((shard) => holders.has(shard));
    });
  }
}

/**
 * Worker b first, which takes all shards and no more, then a, which takes what splits and merges bring: the library
 * does not share evenly where it cannot measure how busy machines are.
 */
async function startBoth(scene: Scene): Promise<void> {
  for (const application of scene.applications) await application.start('b', SHARDS);
  await allBegin(scene, await openShards(scene.api), FIRST_START_MS_MAX);
  for (const application of scene.applications) await application.start('a', 10 * SHARDS);
}

async function openShards(api: string): Promise<readonly string[]> {
  const shards = await listShards(api, STREAM);
  const open = shards.filter(({ SequenceNumberRange }) => SequenceNumberRange.EndingSequenceNumber === undefined);
  return open.map(({ ShardId }) => ShardId);
}

/** One shard becomes two, and two others become one, while records flow; the children are begun by all. */
async function reshard(scene: Scene): Promise<void> {
  const { api } = scene;
  const shards = await listShards(api, STREAM);
  const range = shards[0]?.HashKeyRange;
  const middle = (BigInt(range?.StartingHashKey ?? 0) + BigInt(range?.EndingHashKey ?? 0)) / 2n;
  const split = { ShardToSplit: shards[0]?.ShardId, NewStartingHashKey: String(middle) };
  await kinesis(api, 'SplitShard', { StreamName: STREAM, ...split });
  await active(api);
  await allBegin(scene, await openShards(api));
  const merge = { ShardToMerge: shards[2]?.ShardId, AdjacentShardToMerge: shards[3]?.ShardId };
  await kinesis(api, 'MergeShards', { StreamName: STREAM, ...merge });
  await active(api);
  await allBegin(scene, await openShards(api));
}

async function active(api: string): Promise<void> {
  await until(`${STREAM} is ACTIVE`, STEP_MS_MAX, async () => {
    const answer = await kinesis(api, 'DescribeStreamSummary', { StreamName: STREAM });
    return (answer as Described).StreamDescriptionSummary.StreamStatus === 'ACTIVE';
  });
}

interface Described {
  readonly StreamDescriptionSummary: { readonly StreamStatus: string };
}

/** SIGKILL to one worker of each application; the other begins the shards that it held. */
async function killOne({ api, applications }: Scene): Promise<void> {
  const open = await openShards(api);
  for (const application of applications) {
    const holders = application.holders();
    assert.equal(new Set(open.map((shard) => holders.get(shard))).size, 2, 'both workers hold shards');
  }
  for (const application of applications) await application.kill('b');
  for (const application of applications) {
    await application.until('the shards of the killed worker are taken over', STEP_MS_MAX, () => {
      const holders = application.holders();
      return open.every((shard) => holders.get(shard) === 'a');
    });
  }
}

/** The parents that each shard came from. */
async function parents(api: string): Promise<Map<string, readonly string[]>> {
  const shards = (await listShards(api, STREAM)) as readonly {
    readonly ShardId: string;
    readonly ParentShardId?: string;
    readonly AdjacentParentShardId?: string;
  }[];
  return new Map(
    shards.map(({ ShardId, ParentShardId, AdjacentParentShardId }) => [
      ShardId,
      [ParentShardId, AdjacentParentShardId].filter((parent) => parent !== undefined),
    ]),
  );
}

/** Lets all catch up; then what they told is judged. */
async function judgeAll({ api, applications, writer }: Scene): Promise<number> {
  await writer.stop();
  const family = await parents(api);
  assert.equal(family.size, SHARDS + 3);
  for (const application of applications) {
    const processed = (): Set<string> =>
      new Set(application.told().flatMap(({ event, rest }) => (event === 'RECORD' ? [rest.split(' ')[1] ?? ''] : [])));
    // Who does not come to the end is told about below, record by record.
    await application
      .until('all is processed', STEP_MS_MAX, () => processed().size >= writer.stored.size)
      .catch(() => undefined);
    assert.deepEqual(judge(application.told(), writer.stored, family), [], application.name);
    const records = application.told().filter(({ event }) => event === 'RECORD').length;
    process.stdout.write(
      `kcl: ${application.name}: ${writer.stored.size} records, ${records - writer.stored.size} of them again after the kill\n`,
    );
  }
  return applications.length;
}

async function play(scene: Scene): Promise<number> {
  await startBoth(scene);
  await reshard(scene);
  await killOne(scene);
  await sleep(3000);
  return await judgeAll(scene);
}

/**
 * The Kinesis Client Library for Java, two workers of each application, leases in DynamoDB Local: through a split, a
 * merge and the death of a worker while records flow.
 */
export const kcl: Group = {
  name: 'kcl',
  async install() {
    return `${await installApplication()}, ${await installDynamoDbLocal()}`;
  },
  async run() {
    const data = temporaryDirectory('kcl');
    const node = await startNodeProcess({ config: verifyingConfig(data), data: join(data, 'node') });
    const dynamo = await startDynamoDbLocal();
    await kinesis(node.api, 'CreateStream', { StreamName: STREAM, ShardCount: SHARDS });
    await active(node.api);
    const places = { kinesis: node.api, dynamo: dynamo.url, stream: STREAM };
    const applications = READINGS.map((reading) => new Application(reading, places));
    const writer = startWriter(node.api, STREAM);
    try {
      return await play({ api: node.api, applications, writer });
    } finally {
      await Promise.all(applications.map((application) => application.stop()));
      await writer.stop().catch(() => undefined);
      await dynamo.stop();
      await node.stop();
      removeDirectory(data);
    }
  },
};
