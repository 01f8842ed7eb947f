import assert from 'node:assert/strict';
import test from 'node:test';
import { isOpen, type RecordInput, type ShardInfo, type StreamInfo } from '../../ports/records.ts';
import { MemoryCommandLog } from '../../testing/memory-command-log.ts';
import { MemoryStore } from '../../testing/memory-store.ts';
import { quietEnvironment, type QuietEnvironment } from '../../testing/quiet-environment.ts';
import { openCatalog, type OpenCatalog } from '../catalog/index.ts';
import { openRecords, type OpenRecords } from './index.ts';

const identity = { region: 'us-east-1', account: '000000000000' };
const LIMIT = { records: 100_000, bytes: 100_000_000 };
const HOUR = 3_600_000;
const MIDDLE = 1n << 127n;

interface Bench {
  readonly environment: QuietEnvironment;
  readonly store: MemoryStore;
  readonly catalog: OpenCatalog;
  readonly records: OpenRecords;
  /** Keys and bytes of each command that changed shards, as it was proposed. */
  readonly steps: { readonly keys: number; readonly bytes: number }[];
  /** Called before a command that changes shards is proposed. */
  before: () => Promise<void>;
}

async function setUp(shardCount: number): Promise<Bench> {
  const environment = quietEnvironment();
  const store = new MemoryStore(environment.clock);
  const catalog = await openCatalog(new MemoryCommandLog(environment.clock), environment);
  const records = await openRecords(store, catalog, environment, identity);
  const bench: Bench = { environment, store, catalog, records, steps: [], before: async () => undefined };
  await records.create({ name: 'a', mode: 'PROVISIONED', shardCount, retentionMs: 24 * HOUR, maxRecordBytes: 1000 });
  const propose = catalog.propose.bind(catalog);
  catalog.propose = async (ops) => {
    if (ops.length > 1) {
      bench.steps.push({ keys: ops.length, bytes: textOf(ops).length });
      await bench.before();
    }
    return await propose(ops);
  };
  return bench;
}

function textOf(ops: readonly object[]): string {
  return JSON.stringify(ops, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
}

function described({ records }: Bench): StreamInfo {
  return records.describe('a') ?? assert.fail();
}

function record(text: string, explicitHashKey: bigint): RecordInput {
  return { partitionKey: 'k', explicitHashKey, data: Buffer.from(text) };
}

async function turns({ environment }: Bench, count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await environment.clock.sleep(0);
}

test('the call returns with the intent: the stream says what it will be until it is', async () => {
  const bench = await setUp(4);
  const begun = await bench.records.reshard('a', { to: 7 });
  assert.deepEqual([begun.isResharding, begun.shardCount, begun.targetShardCount], [true, 4, 7]);
  for (const change of [{ to: 8 }, { split: 'shardId-000000000000', at: 5n }]) {
    await assert.rejects(bench.records.reshard('a', change), { name: 'StreamBusy' });
  }
  await bench.records.update('a', () => ({ tags: { changed: 'meanwhile' } }));
  await bench.records.settled('a');
  const { isResharding, shardCount, targetShardCount, tags } = described(bench);
  assert.deepEqual([isResharding, shardCount, targetShardCount, tags], [false, 7, 7, { changed: 'meanwhile' }]);
});

test('a step writes what it changes, however many shards there are', async () => {
  const bench = await setUp(100);
  await bench.records.reshard('a', { to: 200 });
  await bench.records.settled('a');
  assert.equal(described(bench).shardCount, 200);
  assert.equal(bench.steps.length, 7);
  for (const { keys, bytes } of bench.steps) assert.ok(keys <= 49 && bytes < 20_000, `${keys} keys, ${bytes} bytes`);
});

test('puts wait for the step that closes their shards, not for the others; each shard keeps their order', async () => {
  const bench = await setUp(64);
  const { records } = bench;
  const held: (() => void)[] = [];
  bench.before = async () => await new Promise((resolve) => void held.push(resolve));
  await records.reshard('a', { to: 128 });
  await turns(bench, 3);
  assert.equal(held.length, 1, 'the first step waits for the catalog');
  const ends: string[] = [];
  const put = async (text: string, hashKey: bigint): Promise<void> => {
    const [stored] = await records.append('a', [record(text, hashKey)]);
    ends.push(stored !== undefined && 'shardId' in stored ? text : `${text} failed`);
  };
  const last = (1n << 128n) - 1n;
  await put('elsewhere', last);
  const waiting = [put('1', 0n), put('2', 0n)];
  await turns(bench, 3);
  assert.deepEqual(ends, ['elsewhere']);
  held[0]?.();
  await Promise.all(waiting);
  assert.deepEqual(ends, ['elsewhere', '1', '2'], 'stored before the second step is over');
  assert.equal(described(bench).isResharding, true);
  bench.before = async () => undefined;
  await turns(bench, 3);
  held[1]?.();
  await records.settled('a');
  const stream = described(bench);
  const child = stream.shards.find((shard) => isOpen(shard) && shard.startingHashKey === 0n) as ShardInfo;
  const { records: stored } = await records.read(stream, child, 0n, LIMIT);
  assert.deepEqual(stored.map(({ data }) => Buffer.from(data).toString()), ['1', '2']); // prettier-ignore
});

test('a log that refuses is asked again until it takes the step; deletion ends it', async () => {
  const bench = await setUp(2);
  bench.store.refusing = true;
  await bench.records.reshard('a', { to: 4 });
  await turns(bench, 10);
  assert.equal(described(bench).isResharding, true);
  assert.ok(bench.environment.troubles.includes('stream.reshard.waits'));
  bench.store.refusing = false;
  await bench.records.settled('a');
  assert.equal(described(bench).shardCount, 4);
  bench.store.refusing = true;
  await bench.records.reshard('a', { to: 8 });
  await bench.records.delete('a');
  await bench.records.settled('a');
  assert.equal(bench.records.describe('a'), undefined);
  assert.deepEqual([bench.catalog.list('shard/'), bench.store.shards()], [[], []]);
});

test('closed shards go a quarter of an hour after all their records are too old, and no clock set ahead takes them', async () => {
  const bench = await setUp(1);
  const { records, environment, catalog, store } = bench;
  await records.append('a', [record('x', 0n)]);
  await records.reshard('a', { split: 'shardId-000000000000', at: MIDDLE });
  await records.settled('a');
  const count = async (): Promise<number[]> => {
    await records.forgetClosed();
    return [described(bench).shards.length, catalog.list('shard/').length, store.shards().length];
  };
  assert.deepEqual(await count(), [3, 3, 3]);
  environment.advance(25 * HOUR);
  assert.deepEqual(await count(), [3, 3, 3], 'it may be a clock that was set');
  environment.advance(-25 * HOUR);
  assert.deepEqual(await count(), [3, 3, 3]);
  environment.advance(25 * HOUR);
  assert.deepEqual(await count(), [3, 3, 3]);
  environment.advance(15 * 60_000);
  assert.deepEqual(await count(), [2, 2, 2]);
  await records.reshard('a', { merge: 'shardId-000000000001', with: 'shardId-000000000002' });
  await records.settled('a');
  assert.equal(described(bench).shards.at(-1)?.id, 'shardId-000000000003', 'no number is given twice');
});
