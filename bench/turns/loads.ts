import { aggregated } from '../../src/wire/kpl/aggregated-record.fixture.ts';
import { Connection } from '../client.ts';
import { put } from '../load.ts';
import { Verdict } from '../records.ts';
import { whenSettled } from '../settled.ts';
import { callJson, createStream, drain, ShardReader, STREAM } from '../stream.ts';
import { wires } from '../wire.ts';
import { largeWebhooks } from './webhook-loads.ts';

/** What the turns are measured under; what comes in front of `begin` is not. */
export interface TurnsLoad {
  readonly name: string;
  readonly title: string;
  /** What the node is started with; absent: nothing. */
  readonly config?: object;
  run(port: number, begin: () => Promise<void>): Promise<void>;
}

const IDS_MAX = 4_000_000;
const WARMING_MS = 2000;
const LOAD_MS = 4000;
const MIB = 1024 * 1024;
const RECORD_MIB_MAX = 10;
const MANY_SHARDS = 500;
const MANY_READERS = 300;
/** As little as 600 clients in one process can follow. */
const FOLLOWED_BATCH = 50;
const FOLLOWED_EVERY_MS = 500;
const LISTED_SHARDS = 10_000;

const wire = wires.json;

/** Puts from 0 to the end of the time; `firstIds` as in `put`. */
async function putFor(port: number, batch: number, connections: number, ms: number, nextId = 0): Promise<number> {
  const endAt = performance.now() + ms;
  const load = {
    wire,
    connections,
    batch,
    idsPerWriter: IDS_MAX / connections,
    isOver: () => performance.now() > endAt,
  };
  const firstIds = Array.from({ length: connections }, (_, index) => nextId + (index * IDS_MAX) / connections);
  const stored = await put(port, load, firstIds);
  return Math.max(...stored.map(({ count }) => count)) + nextId;
}

function puts(name: string, batch: number, connections: number): TurnsLoad {
  const what = batch === 1 ? 'PutRecord' : `PutRecords x${batch}`;
  return {
    name,
    title: `${what}, ${connections} connections`,
    async run(port, begin) {
      await createStream(port);
      const next = await putFor(port, batch, connections, WARMING_MS);
      await begin();
      await putFor(port, batch, connections, LOAD_MS, next);
    },
  };
}

/** Drains are of so many records in all, and each answer has 10,000 records or 10 MiB. */
function drains(name: string, batch: number, connections: number): TurnsLoad {
  return {
    name,
    title: `GetRecords of 4 shards to their end, after ${batch === 1 ? 'PutRecord' : `PutRecords x${batch}`}`,
    async run(port, begin) {
      const shardIds = await createStream(port);
      await putFor(port, batch, connections, LOAD_MS);
      const all = async (): Promise<void> =>
        await drain(port, shardIds, new Verdict(wire, IDS_MAX, IDS_MAX / connections), connections);
      await all();
      await begin();
      await all();
      await all();
    },
  };
}

const mixed: TurnsLoad = {
  name: 'mixed',
  title: '4 writers of PutRecords x100 with 4 tailing readers',
  async run(port, begin) {
    const shardIds = await createStream(port);
    const tails = await tailing(port, shardIds, 4);
    const next = await putFor(port, 100, 4, WARMING_MS);
    await begin();
    await putFor(port, 100, 4, LOAD_MS, next);
    await tails.stop();
  },
};

/** Readers that follow the shards in turn until they are stopped; one that finds nothing pauses. */
async function tailing(port: number, shardIds: readonly string[], count: number): Promise<{ stop(): Promise<void> }> {
  const over = new AbortController();
  const verdict = new Verdict(wire, IDS_MAX * count, IDS_MAX * count);
  const tails = Array.from({ length: count }, async (_, index) => {
    const reader = await ShardReader.open(port, shardIds[index % shardIds.length] ?? '', verdict, 1);
    while (!over.signal.aborted) {
      const { found } = await reader.next();
      if (found === 0) await new Promise((done) => setTimeout(done, count));
    }
    reader.close();
  });
  return {
    async stop() {
      over.abort();
      await Promise.all(tails);
    },
  };
}

const manyShards: TurnsLoad = {
  name: 'shards',
  title: `${MANY_SHARDS} shards: PutRecords x${FOLLOWED_BATCH}, ${MANY_READERS} readers and ${MANY_READERS} viewers follow`,
  async run(port, begin) {
    const shardIds = await createStream(port, MANY_SHARDS);
    const next = await putFor(port, FOLLOWED_BATCH, 4, WARMING_MS);
    const tails = await tailing(port, shardIds, MANY_READERS);
    const until = performance.now() + 2 * LOAD_MS;
    const viewers = Array.from({ length: MANY_READERS }, async () => await view(port, until));
    await begin();
    const load = { wire, connections: 1, batch: FOLLOWED_BATCH, idsPerWriter: IDS_MAX };
    const turn = async (): Promise<void> => await new Promise((done) => setTimeout(done, FOLLOWED_EVERY_MS));
    await put(port, { ...load, turn, isOver: () => performance.now() > until }, [next]);
    await Promise.all([...viewers, tails.stop()]);
  },
};

/** Asks for page after page, as `millrace tail` does. */
async function view(port: number, until: number): Promise<void> {
  for (let query = 'from=LATEST'; performance.now() < until;) {
    const answer = await fetch(`http://127.0.0.1:${port}/admin/streams/${STREAM}/records?${query}&waitMs=2000`);
    if (answer.ok) query = `after=${encodeURIComponent(((await answer.json()) as { next: string }).next)}`;
    else await new Promise((done) => setTimeout(done, FOLLOWED_EVERY_MS));
  }
}

const listing: TurnsLoad = {
  name: 'list',
  title: `ListShards of ${LISTED_SHARDS} shards, all and 1,000 in a page, and DescribeStream`,
  async run(port, begin) {
    await createStream(port, MANY_SHARDS);
    const connection = await Connection.open(port);
    const list = async (MaxResults: number, filter = {}): Promise<number> => {
      const { Shards } = await callJson(connection, 'ListShards', { StreamName: STREAM, MaxResults, ...filter });
      return (Shards as unknown[]).length;
    };
    for (let isDown = true; (await list(LISTED_SHARDS)) < LISTED_SHARDS; isDown = !isDown) {
      const TargetShardCount = isDown ? MANY_SHARDS / 2 : MANY_SHARDS;
      await callJson(connection, 'UpdateShardCount', {
        StreamName: STREAM,
        TargetShardCount,
        ScalingType: 'UNIFORM_SCALING',
      });
      for (let status = ''; status !== 'ACTIVE';) {
        const { StreamDescriptionSummary } = await callJson(connection, 'DescribeStreamSummary', {
          StreamName: STREAM,
        });
        status = (StreamDescriptionSummary as { StreamStatus: string }).StreamStatus;
      }
    }
    process.stderr.write(`  ${await list(LISTED_SHARDS)} shards\n`);
    await begin();
    for (let round = 0; round < 20; round += 1) {
      await list(LISTED_SHARDS);
      await list(1000);
      await list(1000, { ShardFilter: { Type: 'FROM_TRIM_HORIZON' } });
      await callJson(connection, 'DescribeStream', { StreamName: STREAM, Limit: 1000 });
    }
    connection.close();
  },
};

const resharding: TurnsLoad = {
  name: 'reshard',
  title: `UpdateShardCount from ${MANY_SHARDS} to ${MANY_SHARDS / 2} under PutRecords x100`,
  async run(port, begin) {
    await createStream(port, MANY_SHARDS);
    const next = await putFor(port, 100, 4, WARMING_MS);
    const connection = await Connection.open(port);
    await begin();
    const input = { StreamName: STREAM, TargetShardCount: MANY_SHARDS / 2, ScalingType: 'UNIFORM_SCALING' };
    await Promise.all([putFor(port, 100, 4, LOAD_MS, next), callJson(connection, 'UpdateShardCount', input)]);
    connection.close();
  },
};

/** Records of 10 MiB, and of 4 MiB that hold 100 bytes each, put, read, and looked at by the viewer. */
const large: TurnsLoad = {
  name: 'large',
  title: 'records of 10 MiB, and packed ones of 4 MiB: put, read, and shown by the viewer',
  async run(port, begin) {
    await createStream(port, 1);
    const connection = await Connection.open(port);
    const { StreamDescriptionSummary } = await callJson(connection, 'DescribeStreamSummary', { StreamName: STREAM });
    const { StreamARN } = StreamDescriptionSummary as { StreamARN: string };
    await callJson(connection, 'UpdateMaxRecordSize', { StreamARN, MaxRecordSizeInKiB: RECORD_MIB_MAX * 1024 });
    const whole = Buffer.alloc(RECORD_MIB_MAX * MIB - 1, 'x').toString('base64');
    const one = Buffer.alloc(100, 'y');
    const packed = aggregated(
      ['key'],
      Array.from({ length: 37_000 }, () => ({ key: 0, data: one })),
    ).toString('base64');
    const round = async (): Promise<void> => {
      for (const Data of [whole, packed])
        await callJson(connection, 'PutRecord', { StreamName: STREAM, PartitionKey: 'k', Data });
    };
    await round();
    await begin();
    for (let times = 0; times < 5; times += 1) await round();
    await drain(port, ['shardId-000000000000'], new Verdict(wire, 1, 1), 1);
    for (let query = 'from=TRIM_HORIZON'; query !== '';) {
      const answer = await fetch(
        `http://127.0.0.1:${port}/admin/streams/${STREAM}/records?${query}&limit=1000&scan=100000`,
      );
      const { next, atEnd } = (await answer.json()) as { next: string; atEnd: boolean };
      query = atEnd ? '' : `after=${encodeURIComponent(next)}`;
    }
    connection.close();
  },
};

const settling: TurnsLoad = {
  name: 'settle',
  title: 'single puts of 64 connections are settled, and more are put',
  async run(port, begin) {
    await createStream(port);
    const next = await putFor(port, 1, 64, 2 * LOAD_MS);
    await begin();
    await whenSettled(port);
    await putFor(port, 1, 64, LOAD_MS, next);
  },
};

const deleting: TurnsLoad = {
  name: 'delete',
  title: 'a stream of 2 GiB in 500 shards is deleted, beside PutRecord to another one',
  async run(port, begin) {
    await createStream(port, MANY_SHARDS);
    await putFor(port, 500, 4, 5 * LOAD_MS);
    const connection = await Connection.open(port);
    await callJson(connection, 'CreateStream', { StreamName: 'other', ShardCount: 1 });
    await new Promise((done) => setTimeout(done, 1000));
    await begin();
    await callJson(connection, 'DeleteStream', { StreamName: STREAM });
    const endAt = performance.now() + 2 * LOAD_MS;
    while (performance.now() < endAt) {
      await callJson(connection, 'PutRecord', { StreamName: 'other', PartitionKey: 'k', Data: 'eA==' });
    }
    connection.close();
  },
};

/** All loads, by the name that `--only` takes. */
export const turnsLoads: readonly TurnsLoad[] = [
  puts('puts500', 500, 4),
  puts('puts100', 100, 4),
  puts('put64', 1, 64),
  drains('drain500', 500, 4),
  drains('drain1', 1, 64),
  mixed,
  manyShards,
  listing,
  resharding,
  large,
  settling,
  deleting,
  largeWebhooks,
];
