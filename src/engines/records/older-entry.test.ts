import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { SimulatedCrash, Simulation } from '../../environments/simulated/index.ts';
import { openCatalog, type OpenCatalog } from '../catalog/index.ts';
import { openSegmentLog, type SegmentLog } from '../segment-log/index.ts';
import { openRecords, type OpenRecords } from './index.ts';

const FOLDERS = ['log', 'catalog'];
const LIMIT = { records: 1000, bytes: 1_000_000 };
const NAMES = ['merging', 'split', 'splitting'];

interface Node {
  readonly log: SegmentLog;
  readonly catalog: OpenCatalog;
  readonly records: OpenRecords;
}

/** A machine with the data directory that a release wrote whose streams held their shards inside. */
async function olderMachine(): Promise<Simulation> {
  const simulation = new Simulation(3);
  const { files } = simulation.environment;
  const write = async (): Promise<void> => {
    await files.makeDirectory('/data');
    await files.syncDirectory('/');
    for (const folder of FOLDERS) {
      const from = new URL(`../../../../fixtures/catalog-v2/${folder}/`, import.meta.url);
      await files.makeDirectory(`/data/${folder}`);
      for (const name of readdirSync(from)) {
        const file = await files.open(`/data/${folder}/${name}`, 'create');
        await file.write(readFileSync(new URL(name, from)), 0);
        await file.sync();
        await file.close();
      }
      await files.syncDirectory(`/data/${folder}`);
    }
    await files.syncDirectory('/data');
  };
  await simulation.drive(write());
  return simulation;
}

async function open({ environment }: Simulation, epoch: number): Promise<Node> {
  const onFailure = (error: Error): never => {
    throw error;
  };
  const log = await openSegmentLog(environment, { directory: '/data/log', epoch, reserveBytes: 0, onFailure });
  const catalog = await openCatalog(log.commands, environment);
  const records = await openRecords(log.store, catalog, environment, { region: 'us-east-1', account: '000000000000' });
  for (const name of NAMES) await records.settled(name);
  return { log, catalog, records };
}

async function close({ records, catalog, log }: Node): Promise<void> {
  await records.close();
  await catalog.close();
  await log.close();
}

/** Each shard: its number, that of its parents, whether it is open, and its records. */
async function transcript({ records, catalog }: Node): Promise<string[]> {
  const seen: string[] = [];
  for (const stream of records.list()) {
    assert.equal('shards' in ((catalog.get(`stream/${stream.name}`)?.value ?? {}) as object), false);
    assert.equal(stream.isResharding, false);
    for (const shard of stream.shards) {
      const slice = await records.read(stream, shard, 0n, LIMIT);
      const texts = slice.records.map(({ data }) => Buffer.from(data).toString()).join();
      const parents = [shard.parentShardId, shard.adjacentParentShardId].map((id) => id?.at(-1) ?? '').join('');
      const state = shard.endingSequenceNumber === undefined ? 'open' : 'closed';
      seen.push(`${stream.name} ${shard.ref.ordinal} of [${parents}] ${state}: ${texts}`);
    }
  }
  return seen;
}

const EXPECTED = [
  'merging 0 of [] closed: merging low',
  'merging 1 of [] closed: merging high',
  'merging 2 of [01] open: ',
  'split 0 of [] closed: split low',
  'split 1 of [] open: split high',
  'split 2 of [0] open: split child',
  'split 3 of [0] open: ',
  'splitting 0 of [] open: splitting low',
  'splitting 1 of [] closed: splitting high',
  'splitting 2 of [1] open: ',
  'splitting 3 of [1] open: ',
];

test('a catalog of version 2 is opened: each shard gets its entry, and what was begun is finished', async () => {
  const simulation = await olderMachine();
  const node = await simulation.drive(open(simulation, 2));
  assert.deepEqual(await simulation.drive(transcript(node)), EXPECTED);
  assert.equal(node.catalog.list('shard/').length, EXPECTED.length);
  const [put] = await simulation.drive(
    node.records.append('merging', [{ partitionKey: 'k', data: Buffer.from('new') }]),
  );
  assert.ok(put !== undefined && 'shardId' in put && put.shardId === 'shardId-000000000002');
  await simulation.drive(close(node));
  const again = await simulation.drive(open(simulation, 3));
  assert.deepEqual(
    await simulation.drive(transcript(again)),
    EXPECTED.map((line) => (line.startsWith('merging 2') ? `${line}new` : line)),
  );
});

test('a power cut at any moment of that changes nothing of how it ends', async () => {
  let cuts = 0;
  for (let after = 1; after < 60; after += 1) {
    const simulation = await olderMachine();
    simulation.crashAfterFileOperations(after);
    try {
      await simulation.drive(close(await simulation.drive(open(simulation, 2))));
    } catch (error) {
      if (!(error instanceof SimulatedCrash)) throw error;
      cuts += 1;
    }
    simulation.restart();
    const node = await simulation.drive(open(simulation, 3));
    assert.deepEqual(await simulation.drive(transcript(node)), EXPECTED, `after ${after} operations`);
  }
  assert.ok(cuts > 30, `${cuts} power cuts`);
});
