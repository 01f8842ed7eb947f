import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { nextTurn } from '../../kernel/flow/next-turn.ts';
import { hashKeyOf } from '../../kernel/stream/hash-key.ts';
import { encodeSequenceNumber } from '../../kernel/stream/sequence-number.ts';
import {
  InputBatch,
  type RecordBatch,
  type RecordInput,
  type ShardInfo,
  type StreamInfo,
  type StreamSpec,
} from '../../ports/records.ts';
import type { StoredRecord } from '../../ports/stream-store.ts';
import { MemoryCommandLog } from '../../testing/memory-command-log.ts';
import { MemoryStore } from '../../testing/memory-store.ts';
import { quietEnvironment, type QuietEnvironment } from '../../testing/quiet-environment.ts';
import { openCatalog } from '../catalog/index.ts';
import { openRecords, type OpenRecords } from './index.ts';

const identity = { region: 'us-east-1', account: '000000000000' };
const LIMIT = { records: 100_000, bytes: 1_000_000_000 };
const MIB = 1024 * 1024;
const MIDDLE = 1n << 127n;

interface Bench {
  readonly environment: QuietEnvironment;
  readonly store: MemoryStore;
  readonly records: OpenRecords;
  /** Bytes lent so far; lent memory is overwritten in the next turn of the loop. */
  lent: number;
}

async function setUp(): Promise<Bench> {
  const environment = quietEnvironment();
  const store = new MemoryStore(environment.clock);
  const catalog = await openCatalog(new MemoryCommandLog(environment.clock), environment);
  const records = await openRecords(store, catalog, environment, identity);
  const bench: Bench = { environment, store, records, lent: 0 };
  store.lend = (bytes) => {
    bench.lent += bytes;
    const memory = new Uint8Array(bytes);
    environment.clock.soon(() => memory.fill(0xdd));
    return memory;
  };
  return bench;
}

function spec(name: string, shardCount: number): StreamSpec {
  return { name, mode: 'PROVISIONED', shardCount, retentionMs: 86_400_000, maxRecordBytes: 10 * MIB };
}

async function stored(records: OpenRecords, name: string): Promise<Map<ShardInfo, readonly StoredRecord[]>> {
  const stream = records.describe(name) as StreamInfo;
  const all = new Map<ShardInfo, readonly StoredRecord[]>();
  for (const shard of stream.shards) all.set(shard, (await records.read(stream, shard, 0n, LIMIT)).records);
  return all;
}

/** What a record of a test says of itself, whatever its size. */
function label({ data }: { readonly data: Uint8Array }): string {
  return Buffer.from(data.subarray(0, 12)).toString().trim();
}

function labelled(text: string, bytes: number, explicitHashKey = 0n): RecordInput {
  const data = Buffer.alloc(Math.max(12, bytes), '.');
  data.write(text.padEnd(12));
  return { partitionKey: 'k', explicitHashKey, data };
}

async function turn({ environment }: Bench): Promise<void> {
  await nextTurn(environment.clock);
}

interface AnyInput {
  readonly partitionKey: string;
  readonly explicitHashKey: bigint | undefined;
  readonly data: Uint8Array;
  readonly header: Uint8Array | undefined;
}

const anyInput: fc.Arbitrary<AnyInput> = fc.record({
  partitionKey: fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
    fc.constantFrom('𝕏'.repeat(256), 'k'),
  ),
  explicitHashKey: fc.option(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), { nil: undefined }),
  data: fc.uint8Array({ maxLength: 300 }),
  header: fc.option(fc.uint8Array({ maxLength: 9 }), { nil: undefined }),
});

test('batches of any records stand where a plain model puts them, and are answered so', async () => {
  const batches = fc.array(fc.array(anyInput, { maxLength: 12 }), { minLength: 1, maxLength: 4 });
  const run = async (given: readonly (readonly AnyInput[])[], shardCount: number): Promise<void> => {
    const { records } = await setUp();
    const stream = await records.create(spec('a', shardCount));
    const model = new Map<string, object[]>(stream.shards.map(({ id }) => [id, []]));
    for (const batch of given) {
      const inputs = batch.map(({ explicitHashKey, header, ...rest }): RecordInput => {
        const headers = header === undefined ? {} : { headers: [['id', header] as const] };
        return { ...rest, ...headers, ...(explicitHashKey !== undefined && { explicitHashKey }) };
      });
      const wanted = inputs.map((input) => {
        const key = input.explicitHashKey ?? hashKeyOf(input.partitionKey);
        const shard = stream.shards.find((one) => one.startingHashKey <= key && key <= one.endingHashKey) as ShardInfo;
        const list = model.get(shard.id) as object[];
        const { partitionKey, data, headers = [] } = input;
        list.push({ key: partitionKey, data: Buffer.from(data).toString('hex'), headers: headers.length });
        return encodeSequenceNumber(shard.ref, BigInt(list.length - 1));
      });
      const answers = await records.append('a', inputs);
      assert.deepEqual(
        answers.map((answer) => ('failed' in answer ? answer.failed : answer.sequenceNumber)),
        wanted,
      );
    }
    for (const [{ id }, list] of await stored(records, 'a')) {
      const seen = list.map(({ key, data, headers }) => ({
        key: Buffer.from(key).toString(),
        data: Buffer.from(data).toString('hex'),
        headers: headers.length,
      }));
      assert.deepEqual(seen, model.get(id));
    }
  };
  await fc.assert(fc.asyncProperty(batches, fc.constantFrom(1, 2, 7, 100), run), { seed: 1, numRuns: 60 });
});

test('the outcome stands in columns', async () => {
  const { records } = await setUp();
  const { shards } = await records.create(spec('a', 2));
  await records.append('a', [labelled('before', 12)]);
  const batch = [MIDDLE, 0n, MIDDLE, 0n, 0n].map((hashKey, index) => labelled(String(index), 12, hashKey));
  const { partOf, parts } = await records.appendBatch('a', new InputBatch(batch));
  assert.deepEqual([...partOf], [0, 1, 0, 1, 1]);
  assert.deepEqual(
    parts.map((part) => ('failed' in part ? part.failed : [part.shard.id, part.first, part.at])),
    [
      [shards[1]?.id, 0n, 1_700_000_000_000],
      [shards[0]?.id, 1n, 1_700_000_000_000],
    ],
  );
  const none = await records.appendBatch('a', new InputBatch([]));
  assert.deepEqual([none.partOf.length, none.parts], [0, []]);
});

/** The batch with one record whose data turns out to be malformed from the byte `at` on. */
function malformedAt(batch: RecordBatch, wrong: number, at = 0): RecordBatch {
  return {
    count: batch.count,
    explicitHashKey: (index) => batch.explicitHashKey(index),
    route: (index, router) => batch.route(index, router),
    entryBytes: (index) => batch.entryBytes(index),
    dataBytes: (index) => batch.dataBytes(index),
    writeFront: (index, into, position) => batch.writeFront(index, into, position),
    writeData: (index, into, position, from, to) =>
      (index !== wrong || to <= at) && batch.writeData(index, into, position, from, to),
  };
}

test('a malformed record anywhere in a batch, small or large: nothing is stored, and the next call is not held up', async () => {
  const bench = await setUp();
  const { records, store } = bench;
  await records.create(spec('a', 2));
  const small = [0n, MIDDLE, 0n].map((hashKey, index) => labelled(String(index), 100, hashKey));
  const large = [0n, MIDDLE, 0n].map((hashKey, index) => labelled(String(index), MIB, hashKey));
  for (const [inputs, at] of [
    [small, 0],
    [large, 500_000],
  ] as const) {
    for (const index of [0, 1, 2]) {
      const batch = malformedAt(new InputBatch(inputs), index, at);
      await assert.rejects(records.appendBatch('a', batch), { name: 'MalformedRecord' }, `${index}`);
    }
  }
  assert.deepEqual(store.appends, []);
  await records.append('a', [labelled('next', 12)]);
  assert.deepEqual(store.appends.map(({ count }) => count), [1]); // prettier-ignore
});

test('a large batch is written in pieces of its own memory, with turns of the loop between them', async () => {
  const bench = await setUp();
  const { records } = bench;
  await records.create(spec('a', 2));
  let turns = 0;
  const count = (): void => {
    turns += 1;
    bench.environment.clock.soon(count);
  };
  bench.environment.clock.soon(count);
  const perTurn = new Map<number, number>();
  const watched = (batch: RecordBatch): RecordBatch => ({
    ...malformedAt(batch, -1),
    writeData: (index, into, at, from, to) => {
      assert.equal(from % 3, 0);
      perTurn.set(turns, (perTurn.get(turns) ?? 0) + to - from);
      return batch.writeData(index, into, at, from, to);
    },
  });
  const sizes = [5 * MIB + 1, 100, 0, MIB - 1, 2 * MIB, 12, 400_000, 400_000];
  const inputs = sizes.map((bytes, index) => labelled(String(index), bytes, index % 2 === 0 ? 0n : MIDDLE));
  const outcome = await records.appendBatch('a', watched(new InputBatch(inputs)));
  bench.environment.clock.soon = () => undefined;
  assert.equal(outcome.parts.filter((part) => 'failed' in part).length, 0);
  assert.equal(bench.lent, 0);
  assert.ok(perTurn.size > 15 && Math.max(...perTurn.values()) < MIB, JSON.stringify([...perTurn]));
  const seen = [...(await stored(records, 'a')).values()].flat();
  for (const { data } of seen)
    assert.ok(Buffer.from(data).equals(inputs[Number(label({ data }))]?.data ?? data.slice(1)));
  assert.equal(seen.length, inputs.length);
});

test('the order of calls is the order in the shard, whatever their sizes; other streams are not held up', async () => {
  let seed = 7;
  const below = (bound: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 0x1_0000_0000) * bound);
  };
  for (let round = 0; round < 12; round += 1) {
    const bench = await setUp();
    const { records } = bench;
    await records.create(spec('a', 2));
    await records.create(spec('b', 1));
    const calls: Promise<unknown>[] = [];
    for (let call = 0; call < 25; call += 1) {
      const bytes = below(4) === 0 ? 600_000 : 20;
      const inputs = [0, 1, 2].map((index) => labelled(`${call}:${index}`, bytes, below(2) === 0 ? 0n : MIDDLE));
      calls.push(records.append('a', inputs));
      if (below(3) === 0) await turn(bench);
      if (below(3) === 0) await Promise.resolve();
    }
    const [other] = await records.append('b', [labelled('b', 12)]);
    assert.ok(other !== undefined && !('failed' in other));
    await Promise.all(calls);
    for (const list of (await stored(records, 'a')).values()) {
      const order = list.map(label).map((text) => Number(text.replace(':', '.')));
      assert.deepEqual(order, order.toSorted((one, two) => one - two), `round ${round}`); // prettier-ignore
    }
  }
  const bench = await setUp();
  await bench.records.create(spec('a', 1));
  await bench.records.create(spec('b', 1));
  const ends: string[] = [];
  const slow = bench.records.append('a', [labelled('large', 8 * MIB)]).then(() => ends.push('a'));
  await bench.records.append('b', [labelled('small', 12)]).then(() => ends.push('b'));
  await slow;
  assert.deepEqual(ends, ['b', 'a']);
});

test('a large batch whose shards are split meanwhile goes to the children, in its place', async () => {
  const bench = await setUp();
  const { records } = bench;
  const { shards } = await records.create(spec('a', 1));
  await records.append('a', [labelled('0', 12)]);
  const large = records.append('a', [labelled('1', 6 * MIB), labelled('2', 12, MIDDLE)]);
  const small = records.append('a', [labelled('3', 12), labelled('4', 12, MIDDLE)]);
  await turn(bench);
  await records.reshard('a', { split: shards[0]?.id ?? '', at: MIDDLE });
  const answers = [...(await large), ...(await small)];
  assert.deepEqual(
    answers.map((answer) => ('failed' in answer ? answer.failed : answer.shardId.at(-1))),
    ['1', '2', '1', '2'],
  );
  const labels = Array.from(await stored(records, 'a'), ([{ id }, list]) => [id.at(-1), list.map(label).join(' ')]);
  assert.deepEqual(labels, [['0', '0'], ['1', '1 3'], ['2', '2 4']]); // prettier-ignore
});

test('a stream deleted, or a node closed, while a large batch is written takes none of it', async () => {
  const deleted = await setUp();
  await deleted.records.create(spec('a', 1));
  const gone = deleted.records.append('a', [labelled('x', 6 * MIB)]);
  const behind = deleted.records.append('a', [labelled('y', 12)]);
  const rejected = [gone, behind].map(async (call) => await assert.rejects(call, { name: 'StreamNotFound' }));
  await turn(deleted);
  await deleted.records.delete('a');
  await Promise.all(rejected);
  const closed = await setUp();
  await closed.records.create(spec('a', 1));
  const late = closed.records.append('a', [labelled('x', 6 * MIB), labelled('y', 12)]);
  await turn(closed);
  await closed.records.close();
  assert.deepEqual(await late, [{ failed: 'unavailable' }, { failed: 'unavailable' }]);
  assert.deepEqual([deleted.store.appends, closed.store.appends], [[], []]);
});
