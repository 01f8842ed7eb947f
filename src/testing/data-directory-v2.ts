import { createHmac } from 'node:crypto';
import { base64, NodeBench, type Answer } from './node-bench.ts';
import { SIMULATED_DATA } from './open-node.ts';

/** Where the data directory stands that releases with format 2 of the log wrote. */
export const DATA_V2 = 'fixtures/data-v2';
/** What stands in it, beside it. */
export const CONTENT_V2 = 'content.json';

const SECRET = 'a secret of the fixture';
const HOUR_MS = 3_600_000;
/** The config under which it was written. */
export const SECTIONS_V2 = {
  streams: {
    kept: { ShardCount: 2, RetentionPeriodHours: 8760 },
    hooks: { ShardCount: 1, RetentionPeriodHours: 8760 },
  },
  gateway: { routes: { 'POST /hook': { verify: { github: { secrets: [SECRET] } }, to: 'hooks' } } },
  deliveries: {
    archive: {
      from: 'hooks',
      ExtendedS3DestinationConfiguration: {
        BucketARN: 'archive',
        BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 60 },
      },
    },
  },
} as const;
/** Delivery ids whose webhooks stand in it, checkpointed and not. */
export const IDS_V2 = Array.from({ length: 12 }, (_, index) => `id-${index}`);

/** Sends one webhook; resolves with the answer. */
export async function sendHook(bench: NodeBench, id: string): Promise<Answer> {
  const body = JSON.stringify({ id });
  const signature = createHmac('sha256', SECRET).update(body).digest('hex');
  const headers = {
    'content-type': 'application/json',
    'x-github-event': 'push',
    'x-github-delivery': id,
    'x-hub-signature-256': `sha256=${signature}`,
  };
  return await bench.post('/hook', headers, body);
}

/**
 * Writes a small data directory with all that the format has: shards that were split and merged, settled files, sealed
 * ones and one without a footer, snapshots of the catalog, checkpointed ids, the position of a delivery, and gaps, as a
 * start leaves them behind a power cut. Resolves with the node, which is stopped.
 */
export async function writeDataV2(): Promise<NodeBench> {
  const bench = new NodeBench(1, { log: { segmentBytesMax: 6000, sync: 'interval' }, catalog: { snapshotEvery: 8 } });
  await bench.open(SECTIONS_V2);
  const kinesis = async (action: string, input: object): Promise<Answer> =>
    await bench.call(`Kinesis_20131202.${action}`, input);
  await kinesis('CreateStream', { StreamName: 'short', ShardCount: 1 });
  await bench.simulation.pass(1000);
  let count = 0;
  const round = async (): Promise<void> => {
    const Records = Array.from({ length: 6 }, () => {
      count += 1;
      return { PartitionKey: `key ${count}`, Data: base64(`record ${count} ${'.'.repeat(count % 40)}`) };
    });
    await kinesis('PutRecords', { StreamName: 'kept', Records });
    const garbage = { PartitionKey: 'k', Data: base64('x'.repeat(1500)) };
    await kinesis('PutRecords', { StreamName: 'short', Records: [garbage, garbage] });
    await bench.simulation.pass(500);
  };
  for (let rounds = 0; rounds < 5; rounds += 1) await round();
  const split = { ShardToSplit: 'shardId-000000000000', NewStartingHashKey: String(1n << 126n) };
  await kinesis('SplitShard', { StreamName: 'kept', ...split });
  await bench.simulation.pass(2000);
  for (const id of IDS_V2.slice(0, 8)) await sendHook(bench, id);
  for (let rounds = 0; rounds < 5; rounds += 1) await round();
  const merge = { ShardToMerge: 'shardId-000000000001', AdjacentShardToMerge: 'shardId-000000000003' };
  await kinesis('MergeShards', { StreamName: 'kept', ...merge });
  await bench.simulation.pass(2000);
  await round();
  // The ids so far are checkpointed, and delivered.
  await bench.simulation.pass(70_000);
  await kinesis('DeleteStream', { StreamName: 'short' });
  await bench.simulation.pass(HOUR_MS);
  bench.simulation.crash();
  bench.simulation.restart();
  await bench.open(SECTIONS_V2);
  for (const id of IDS_V2.slice(8)) await sendHook(bench, id);
  await kinesis('PutRecord', { StreamName: 'kept', PartitionKey: 'last', Data: base64('behind the power cut') });
  await bench.close();
  return bench;
}

/** What a release finds in it: every shard, and every record with its number, key and time. */
export async function contentOf(bench: NodeBench): Promise<Answer> {
  const kinesis = async (action: string, input: object): Promise<Answer> =>
    await bench.call(`Kinesis_20131202.${action}`, input);
  const { StreamNames } = await kinesis('ListStreams', {});
  const streams = [];
  for (const StreamName of StreamNames as readonly string[]) {
    const { Shards } = await kinesis('ListShards', { StreamName });
    const shards = [];
    for (const shard of Shards as readonly Answer[]) {
      const asked = { StreamName, ShardId: shard.ShardId, ShardIteratorType: 'TRIM_HORIZON' };
      const { ShardIterator } = await kinesis('GetShardIterator', asked);
      const { Records } = await kinesis('GetRecords', { ShardIterator });
      shards.push({ ...shard, Records });
    }
    streams.push({ StreamName, shards });
  }
  return streams;
}

/** The files of it that count, by their paths below the data directory. */
export async function filesOf({ simulation }: NodeBench): Promise<ReadonlyMap<string, Buffer>> {
  const { files } = simulation.environment;
  const found = new Map<string, Buffer>();
  const read = async (): Promise<void> => {
    for (const folder of ['log', 'catalog']) {
      for (const name of await files.list(`${SIMULATED_DATA}/${folder}`)) {
        const path = `${folder}/${name}`;
        found.set(path, Buffer.from(await files.readFile(`${SIMULATED_DATA}/${path}`)));
      }
    }
    for (const name of await files.list(SIMULATED_DATA))
      if (/^(epoch|owner)-/.test(name)) found.set(name, Buffer.alloc(0));
  };
  await simulation.drive(read());
  return found;
}

/** Puts such files on the disk of a machine that has none. */
export async function placeFiles({ simulation }: NodeBench, all: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const { files } = simulation.environment;
  const folders = ['log', 'catalog'].map((folder) => `${SIMULATED_DATA}/${folder}`);
  const write = async (): Promise<void> => {
    await files.makeDirectory(SIMULATED_DATA);
    for (const folder of folders) await files.makeDirectory(folder);
    for (const [path, bytes] of all) {
      const file = await files.open(`${SIMULATED_DATA}/${path}`, 'create');
      await file.write(bytes, 0);
      await file.sync();
      await file.close();
    }
    for (const folder of ['/', SIMULATED_DATA, ...folders]) await files.syncDirectory(folder);
  };
  await simulation.drive(write());
}
