import assert from 'node:assert/strict';
import test from 'node:test';
import type { RecordPosition, StreamSpec } from '../../ports/records.ts';
import { SimulatedCrash, Simulation } from '../../environments/simulated/index.ts';
import { openCatalog, type OpenCatalog } from '../catalog/index.ts';
import { openSegmentLog, type SegmentLog } from '../segment-log/index.ts';
import { openRecords, type OpenRecords } from './index.ts';

const SEEDS = 20;
const LIVES = 4;
const CLIENTS = 3;
const LIMIT = { records: 100_000, bytes: 100_000_000 };
const identity = { region: 'us-east-1', account: '000000000000' };

interface Node {
  readonly log: SegmentLog;
  readonly catalog: OpenCatalog;
  readonly records: OpenRecords;
}

/** What the clients were told, over all lives. */
class Told {
  readonly positions = new Map<string, RecordPosition>();
  readonly tried = new Set<string>();
  counted = 0;
  attempts = 0;
  lastRevision = -1n;
  readonly created = new Set<string>();
  readonly deleted = new Set<string>();
}

function spec(name: string): StreamSpec {
  return { name, mode: 'PROVISIONED', shardCount: 2, retentionMs: 86_400_000, maxRecordBytes: 1_048_576 };
}

async function open(simulation: Simulation, life: number, failures: Error[]): Promise<Node> {
  const { environment } = simulation;
  // The claim on the data directory makes and syncs it before anything else.
  await environment.files.makeDirectory('/data');
  await environment.files.syncDirectory('/');
  const log = await openSegmentLog(environment, {
    directory: '/data/log',
    epoch: life + 1,
    segmentBytesMax: 20_000,
    onFailure: (error) => failures.push(error),
  });
  const catalog = await openCatalog(log.commands, environment, { snapshotEvery: 25 });
  return { log, catalog, records: await openRecords(log.store, catalog, environment, identity) };
}

async function close({ records, catalog, log }: Node): Promise<void> {
  await records.close();
  await catalog.close();
  await log.close();
}

/** Appends numbered records, counts in the catalog, and now and then makes or deletes a stream. */
async function client(name: string, { records, catalog }: Node, told: Told, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const texts = [0, 1, 2].map((index) => `${name}:${round}:${index}`);
    for (const text of texts) told.tried.add(text);
    const inputs = texts.map((text) => ({ partitionKey: text, data: Buffer.from(text) }));
    const answers = await records.append('main', inputs);
    for (const [index, answer] of answers.entries()) {
      assert.ok(!('failed' in answer), 'nothing here makes the log unavailable');
      told.positions.set(texts[index] as string, answer);
    }
    await increment(catalog, told);
    const other = `${name}-${round}`.replaceAll(':', '-');
    if (round % 3 === 0) {
      await records.create(spec(other));
      told.created.add(other);
    }
    if (round % 6 === 0) {
      await records.append(
        other,
        [0, 1, 2, 3].map((key) => ({ partitionKey: `${key}`, data: Buffer.from('gone soon') })),
      );
      told.created.delete(other);
      await records.delete(other);
      told.deleted.add(other);
    }
  }
}

async function increment(catalog: OpenCatalog, told: Told): Promise<void> {
  told.attempts += 1;
  for (;;) {
    const entry = catalog.get('count');
    const put = ((entry?.value as number | undefined) ?? 0) + 1;
    const verdict = await catalog.propose([{ key: 'count', expect: entry?.revision ?? null, put }]);
    if (!verdict.accepted) continue;
    told.counted += 1;
    if (verdict.revision > told.lastRevision) told.lastRevision = verdict.revision;
    return;
  }
}

/** Everything a client was told is so, and nothing stands there that nobody tried. */
async function check({ records, catalog, log }: Node, told: Told): Promise<void> {
  const count = catalog.get('count');
  const value = (count?.value as number | undefined) ?? 0;
  assert.ok(value >= told.counted && value <= told.attempts, `${told.counted} <= ${value} <= ${told.attempts}`);
  assert.ok((count?.revision ?? -1n) >= told.lastRevision);
  for (const name of told.created) assert.ok(records.describe(name), `${name} was created`);
  for (const name of told.deleted) assert.equal(records.describe(name), undefined, `${name} was deleted`);
  const stored = log.store.shards().filter(({ stream }) => stream !== '$catalog');
  assert.equal(stored.length, 2 * records.list().length, 'the store has the shards of the catalog and no others');
  await checkRecords(records, told);
}

async function checkRecords(records: OpenRecords, told: Told): Promise<void> {
  const stream = records.describe('main');
  const seen = new Set<string>();
  const lastRound = new Map<string, number>();
  for (const shard of stream?.shards ?? []) {
    const slice = await records.read(stream as NonNullable<typeof stream>, shard, 0n, LIMIT);
    for (const record of slice.records) {
      const text = Buffer.from(record.data).toString();
      assert.ok(told.tried.has(text) && !seen.has(text), `${text} stands once`);
      seen.add(text);
      const position = told.positions.get(text);
      if (position !== undefined) assert.deepEqual([position.shardId, position.offset], [shard.id, record.offset]);
      const [client = '', round] = text.split(/:(\d+):\d+$/);
      assert.ok(Number(round) >= (lastRound.get(client + shard.id) ?? 0), `${text} stands in order`);
      lastRound.set(client + shard.id, Number(round));
    }
  }
  for (const text of told.positions.keys()) assert.ok(seen.has(text), `${text} was acknowledged`);
}

/** The same commands folded from the newest snapshot and from the running view are the same bytes. */
async function checkReplay(simulation: Simulation, { catalog, log }: Node): Promise<void> {
  const replayed = await openCatalog(log.commands, simulation.environment);
  await catalog.sync();
  const [one, two] = [await catalog.snapshot(), await replayed.snapshot()];
  assert.equal(Buffer.from(one.bytes).toString(), Buffer.from(two.bytes).toString());
}

async function live(simulation: Simulation, life: number, told: Told): Promise<void> {
  const failures: Error[] = [];
  const node = await open(simulation, life, failures);
  await check(node, told);
  if (node.records.describe('main') === undefined) await node.records.create(spec('main'));
  const rounds = 4 + Math.floor(simulation.random.fraction() * 20);
  const names = Array.from({ length: CLIENTS }, (_, index) => `${life}:${index}`);
  await Promise.all(names.map(async (name) => await client(name, node, told, rounds)));
  await check(node, told);
  await checkReplay(simulation, node);
  await close(node);
  assert.deepEqual(failures, []);
}

async function run(seed: number): Promise<number> {
  const simulation = new Simulation(seed);
  const told = new Told();
  let crashes = 0;
  for (let life = 0; life < LIVES; life += 1) {
    simulation.crashAfterFileOperations(life === LIVES - 1 ? Infinity : simulation.random.below(120) + 1);
    try {
      await simulation.drive(live(simulation, life, told));
    } catch (error) {
      if (!(error instanceof SimulatedCrash)) throw new Error(`seed ${seed}, life ${life}`, { cause: error });
      crashes += 1;
    }
    simulation.restart();
  }
  return crashes;
}

test('whatever was acknowledged before a power cut is so after it', async () => {
  let crashes = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) crashes += await run(seed);
  assert.ok(crashes > SEEDS, `only ${crashes} power cuts`);
});
