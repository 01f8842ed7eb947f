import assert from 'node:assert/strict';
import test from 'node:test';
import type { RecordInput, RecordPosition, Records, ShardInfo, StreamInfo, StreamSpec } from '../../ports/records.ts';
import type { Offset, StreamStore } from '../../ports/stream-store.ts';
import { decodeSequenceNumber } from '../../kernel/stream/sequence-number.ts';
import { MemoryCommandLog } from '../../testing/memory-command-log.ts';
import { MemoryStore } from '../../testing/memory-store.ts';
import { quietEnvironment, type QuietEnvironment } from '../../testing/quiet-environment.ts';
import { openCatalog, type OpenCatalog } from '../catalog/index.ts';
import { openRecords, type OpenRecords } from './index.ts';

const identity = { region: 'us-east-1', account: '000000000000' };
const LIMIT = { records: 1000, bytes: 1_000_000 };
const HOUR = 3_600_000;

interface Bench {
  readonly environment: QuietEnvironment;
  readonly store: MemoryStore;
  readonly log: MemoryCommandLog;
  readonly catalog: OpenCatalog;
  readonly records: OpenRecords;
}

async function setUp(): Promise<Bench> {
  const environment = quietEnvironment();
  const store = new MemoryStore(environment.clock);
  const log = new MemoryCommandLog(environment.clock);
  const catalog = await openCatalog(log, environment);
  return { environment, store, log, catalog, records: await openRecords(store, catalog, environment, identity) };
}

function spec(name: string, shardCount = 4): StreamSpec {
  return { name, mode: 'ON_DEMAND', shardCount, retentionMs: 24 * HOUR, maxRecordBytes: 1_048_576 };
}

function input(text: string, explicitHashKey?: bigint): RecordInput {
  const record = { partitionKey: `key ${text}`, data: Buffer.from(text) };
  return explicitHashKey === undefined ? record : { ...record, explicitHashKey };
}

function inputs(from: number, count: number): RecordInput[] {
  return Array.from({ length: count }, (_, index) => input(String(from + index)));
}

async function textsOf(records: Records, stream: StreamInfo, shard: ShardInfo, from: Offset = 0n): Promise<string[]> {
  const slice = await records.read(stream, shard, from, LIMIT);
  return slice.records.map(({ data }) => Buffer.from(data).toString());
}

function first<T>(list: readonly T[]): T {
  assert.ok(list.length > 0);
  return list[0] as T;
}

test('a stream is made, described, listed and deleted', async () => {
  const { records, store, catalog, environment } = await setUp();
  const made = await records.create(spec('events', 3));
  assert.equal(made.arn, 'arn:aws:kinesis:us-east-1:000000000000:stream/events');
  assert.equal(made.createdAt, environment.clock.now());
  assert.deepEqual(
    made.shards.map(({ id, startingHashKey }) => [id, startingHashKey]),
    [
      ['shardId-000000000000', 0n],
      ['shardId-000000000001', 113427455640312821154458202477256070485n],
      ['shardId-000000000002', 226854911280625642308916404954512140970n],
    ],
  );
  assert.equal(made.shards[2]?.endingHashKey, 2n ** 128n - 1n);
  assert.equal(store.shards().length, 3);
  await assert.rejects(records.create(spec('events')), { name: 'StreamExists' });
  await records.create(spec('$dedupe', 1));
  await records.create(spec('alerts', 1));
  const names = (internal: boolean): string[] => records.list({ internal }).map(({ name }) => name);
  assert.deepEqual(names(false), ['alerts', 'events']);
  assert.deepEqual(names(true), ['$dedupe', 'alerts', 'events']);
  assert.equal(records.describe('events'), records.describe('events'), 'read once per change');
  await records.delete('events');
  assert.equal(records.describe('events'), undefined);
  assert.deepEqual(names(false), ['alerts']);
  assert.equal(store.shards().length, 2);
  await assert.rejects(records.delete('events'), { name: 'StreamNotFound', stream: 'events' });
  await assert.rejects(records.append('events', [input('x')]), { name: 'StreamNotFound' });
  const shard = first(made.shards);
  await assert.rejects(records.read(made, shard, 0n, LIMIT), { name: 'StreamNotFound' });
  assert.throws(() => records.bounds(shard), { name: 'StreamNotFound' });
  await records.close();
  await catalog.close();
});

test('a stream created again has other shards and later sequence numbers', async () => {
  const { records } = await setUp();
  const before = first((await records.create(spec('a', 1))).shards);
  const [old] = await records.append('a', [input('x')]);
  await records.delete('a');
  const after = first((await records.create(spec('a', 1))).shards);
  assert.ok(after.ref.generation > before.ref.generation);
  const [young] = await records.append('a', [input('y')]);
  assert.ok((young as RecordPosition).sequenceNumber > (old as RecordPosition).sequenceNumber);
  assert.ok((young as RecordPosition).sequenceNumber >= after.startingSequenceNumber);
});

test('streams made at the same time get generations of their own', async () => {
  const { records } = await setUp();
  const made = await Promise.all(['a', 'b', 'c', 'd'].map(async (name) => await records.create(spec(name, 1))));
  assert.equal(new Set(made.map(({ shards }) => shards[0]?.ref.generation)).size, 4);
  const same = await Promise.allSettled([records.create(spec('e')), records.create(spec('e'))]);
  assert.deepEqual(same.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
});

test('records go to the shard of their key and answers stand in the order of the input', async () => {
  const { records, store } = await setUp();
  const stream = await records.create(spec('events', 3));
  const batch = [...inputs(0, 50), input('explicit', 2n ** 127n), input('last', 2n ** 128n - 1n)];
  const answers = (await records.append('events', batch)) as RecordPosition[];
  assert.equal(store.appends.length, 3, 'one append for each shard');
  for (const [index, { shardId, offset, sequenceNumber }] of answers.entries()) {
    const record = batch[index] as RecordInput;
    const shard = records.route(stream, record);
    assert.equal(shardId, shard.id);
    assert.deepEqual(decodeSequenceNumber(sequenceNumber), {
      generation: shard.ref.generation,
      ordinal: shard.ref.ordinal,
      offset,
      subIndex: 0,
    });
    const [stored] = (await records.read(stream, shard, offset, LIMIT)).records;
    assert.deepEqual(Buffer.from(stored?.data ?? []), record.data);
    assert.equal(Buffer.from(stored?.key ?? []).toString(), record.partitionKey);
  }
  assert.equal(answers[50]?.shardId, 'shardId-000000000001');
  assert.equal(answers[51]?.shardId, 'shardId-000000000002');
  assert.equal(records.route({ ...stream }, input('explicit', 0n)).id, 'shardId-000000000000');
  assert.deepEqual(await records.append('events', []), []);
});

test('the order of calls is the order in the shard, also while the writer is still opening', async () => {
  const { records } = await setUp();
  const stream = await records.create(spec('a', 1));
  const calls = [];
  for (let index = 0; index < 30; index += 1) {
    calls.push(records.append('a', inputs(index * 2, 2)));
    if (index % 4 === 0) await Promise.resolve();
  }
  await Promise.all(calls);
  const wanted = Array.from({ length: 60 }, (_, index) => String(index));
  assert.deepEqual(await textsOf(records, stream, first(stream.shards)), wanted);
});

test('headers travel with the record', async () => {
  const { records } = await setUp();
  const stream = await records.create(spec('a', 1));
  await records.append('a', [{ ...input('x'), headers: [['id', Buffer.from('1')]] }]);
  const slice = await records.read(stream, first(stream.shards), 0n, LIMIT);
  assert.deepEqual(slice.records[0]?.headers, [['id', Uint8Array.from(Buffer.from('1'))]]);
});

test('what is known not to be stored is said record by record', async () => {
  const { records, store } = await setUp();
  const stream = await records.create(spec('a', 2));
  store.refusing = true;
  assert.deepEqual(await records.append('a', [input('x')]), [{ failed: 'unavailable' }], 'the writer cannot open');
  store.refusing = false;
  await records.append('a', inputs(0, 10));
  store.refusing = true;
  const failed = await records.append('a', inputs(10, 10));
  assert.deepEqual(
    failed,
    Array.from({ length: 10 }, () => ({ failed: 'unavailable' })),
  );
  store.refusing = false;
  const ref = (stream.shards[0] as ShardInfo).ref;
  const thief = await store.open(ref, 0n);
  const mixed = await records.append('a', [input('mine', 0n), input('other', 2n ** 127n)]);
  assert.deepEqual(
    mixed.map((answer) => 'failed' in answer),
    [true, false],
    'a fenced writer stored nothing',
  );
  const [again] = await records.append('a', [input('mine', 0n)]);
  assert.ok(again !== undefined && !('failed' in again), 'the shard is still ours: opened again');
  await assert.rejects(thief.append({ bytes: new Uint8Array(0), count: 0 }), { name: 'Fenced' });
});

test('an error with an unknown outcome is no answer', async () => {
  const { records, store } = await setUp();
  await records.create(spec('a', 2));
  const open = store.open.bind(store);
  store.open = async (shard, lease) => {
    const writer = await open(shard, lease);
    const append = async (): Promise<never> => await Promise.reject(new Error('the disk went away'));
    return shard.ordinal === 0 ? { ...writer, append } : writer;
  };
  await assert.rejects(records.append('a', inputs(0, 20)), /the disk went away/);
});

test('records older than the retention are hidden to the millisecond', async () => {
  const { records, store, environment } = await setUp();
  const stream = await records.create(spec('a', 1));
  const shard = first(stream.shards);
  const start = environment.clock.now();
  for (const text of ['0', '1', '2', '3']) {
    await records.append('a', [input(text)]);
    environment.advance(1000);
  }
  const table: readonly (readonly [age: number, from: Offset, texts: readonly string[], start: Offset])[] = [
    [24 * HOUR, 0n, ['0', '1', '2', '3'], 0n],
    [24 * HOUR + 1, 0n, ['1', '2', '3'], 1n],
    [24 * HOUR + 1, 3n, ['3'], 0n],
    [24 * HOUR + 2500, 1n, ['3'], 3n],
    [24 * HOUR + 3001, 0n, [], 4n],
    [24 * HOUR + 3001, 4n, [], 0n],
  ];
  for (const [age, from, texts, oldest] of table) {
    environment.advance(start + age - environment.clock.now());
    const slice = await records.read(stream, shard, from, LIMIT);
    assert.deepEqual(
      slice.records.map(({ data }) => Buffer.from(data).toString()),
      texts,
    );
    assert.deepEqual([slice.start, slice.next, slice.end], [oldest, 4n, 4n], `age ${age} from ${from}`);
  }
  environment.advance(start + 24 * HOUR + 1500 - environment.clock.now());
  assert.equal(await records.positionAt(shard, 0), 2n);
  assert.equal(await records.positionAt(shard, start + 2500), 3n);
  await store.trim(shard.ref, 3n);
  assert.deepEqual(await textsOf(records, stream, shard), ['3'], 'below the oldest kept record reading starts there');
  assert.deepEqual(records.bounds(shard), { start: 3n, end: 4n, records: 1, lastAt: 1_700_000_003_000 });
});

test('waiting ends when records arrive', async () => {
  const { records } = await setUp();
  const stream = await records.create(spec('a', 1));
  const shard = first(stream.shards);
  let woken = false;
  const waiting = records.waitForMore(shard, 0n, new AbortController().signal).then(() => (woken = true));
  await Promise.resolve();
  assert.equal(woken, false);
  await records.append('a', [input('x')]);
  await waiting;
  await records.trim(shard, 1n);
  assert.deepEqual(await textsOf(records, stream, shard), []);
});

test('opening brings store and catalog together', async () => {
  const { records, store, catalog, environment } = await setUp();
  const stream = await records.create(spec('kept', 2));
  await records.append('kept', inputs(0, 10));
  await records.close();
  const orphan = { stream: 'gone', generation: 9, ordinal: 0 };
  const own = { stream: '$catalog', generation: 0, ordinal: 0 };
  await store.createShards([orphan, own], { retentionMs: 1000 });
  const value = catalog.get('stream/kept')?.value as object;
  await catalog.propose([
    { key: 'stream/unmade', put: { ...value, generation: 77 } as never },
    ...catalog.list('shard/kept/').map(({ key, value: shard }) => ({
      key: key.replace('kept/0000000000000001', 'unmade/0000000000000077'),
      put: { ...(shard as object), generation: 77 },
    })),
    // What a crash left of a stream that was deleted, and of one that was made again since.
    { key: 'shard/gone/0000000000000009/0000000000000000', put: { generation: 9, ordinal: 0 } },
    { key: 'shard/kept/0000000000000000/0000000000000000', put: { generation: 0, ordinal: 0 } },
  ]);
  const again = await openRecords(store, catalog, environment, identity);
  const known = store.shards().map(({ stream: name, generation }) => `${name}/${generation}`);
  assert.deepEqual(known.sort(), ['$catalog/0', 'kept/1', 'kept/1', 'unmade/77', 'unmade/77']);
  assert.equal(catalog.list('shard/').length, 4);
  assert.equal((await again.append('unmade', [input('x')])).length, 1);
  const texts = await Promise.all(stream.shards.map(async (shard) => await textsOf(again, stream, shard)));
  assert.equal(texts.flat().length, 10);
  await again.close();
  assert.deepEqual(await again.append('kept', [input('late')]), [{ failed: 'unavailable' }]);
});

test('a stream whose shards cannot be made does not stay', async () => {
  const { records, store } = await setUp();
  store.refusing = true;
  await assert.rejects(records.create(spec('a')), { name: 'Unavailable' });
  assert.equal(records.describe('a'), undefined);
  store.refusing = false;
  await records.create(spec('a'));
});

test('two nodes over one log and one store see each other', async () => {
  const { records, store, log } = await setUp();
  const environment = quietEnvironment('two');
  const catalog = await openCatalog(log, environment);
  const other = await openRecords(store, catalog, environment, identity);
  const slow: StreamStore['createShards'] = store.createShards.bind(store);
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  store.createShards = async (shards, options) => {
    await held;
    await slow(shards, options);
  };
  const making = records.create(spec('a', 1));
  while (other.describe('a') === undefined) await environment.clock.sleep(1);
  const seen = other.describe('a') as StreamInfo;
  const nothing = { start: 0n, end: 0n, records: 0, lastAt: 0 };
  assert.deepEqual(other.bounds(first(seen.shards)), nothing, 'in the catalog, not yet in the store');
  const early = other.append('a', [input('early')]);
  const reading = other.read(seen, first(seen.shards), 0n, LIMIT);
  release();
  await making;
  assert.equal((await reading).start, 0n);
  assert.ok(!('failed' in ((await early)[0] as object)));
  await other.delete('a');
  await catalog.sync();
  while (records.describe('a') !== undefined) await environment.clock.sleep(1);
  await assert.rejects(records.append('a', [input('x')]), { name: 'StreamNotFound' });
});

test('a shard that is closed after the clock was set back stays in sight as long as its records', async () => {
  const { records, environment } = await setUp();
  const { name } = await records.create(spec('events', 1));
  const [stored] = await records.append(name, [input('a')]);
  assert.ok(stored !== undefined && 'at' in stored);
  environment.advance(-50 * HOUR);
  const parent = first(records.describe(name)?.shards ?? []);
  await records.reshard(name, { split: parent.id, at: 1n << 64n });
  await records.settled(name);
  const shards = records.describe(name)?.shards ?? [];
  assert.equal(first(shards).closedAt, stored.at);
  environment.advance(100 * HOUR);
  await records.reshard(name, { split: (shards[1] as ShardInfo).id, at: 1n << 32n });
  await records.settled(name);
  assert.equal(
    records.describe(name)?.shards[1]?.closedAt,
    environment.clock.now(),
    'an empty one is closed by the clock',
  );
});
