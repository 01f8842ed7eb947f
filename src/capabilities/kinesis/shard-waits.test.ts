import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ShardInfo } from '../../ports/records.ts';
import { openBench, type Bench } from './harness.fixture.ts';
import { ShardWaits } from './shard-waits.ts';

const UPPER = 2n ** 127n;

interface Waiting {
  readonly bench: Bench;
  readonly shards: readonly ShardInfo[];
  readonly waits: ShardWaits;
  /** Waits of the log so far. */
  readonly begun: () => number;
  /** Who was woken, in order. */
  readonly woken: string[];
  readonly watch: (name: string, shards: readonly ShardInfo[], signal?: AbortSignal) => void;
}

async function open(): Promise<Waiting> {
  const bench = await openBench();
  const { shards } = await bench.make('a', 2);
  const waitForMore = bench.records.waitForMore.bind(bench.records);
  let begun = 0;
  bench.records.waitForMore = async (...parts) => {
    begun += 1;
    await waitForMore(...parts);
  };
  const waits = new ShardWaits(bench.records, bench.environment.clock);
  const woken: string[] = [];
  const watch = (name: string, some: readonly ShardInfo[], signal = new AbortController().signal): void => {
    const ends = new Map(some.map((shard) => [shard, bench.records.bounds(shard).end]));
    waits.any(ends, signal).then(
      () => woken.push(name),
      () => woken.push(`${name} failed`),
    );
  };
  return { bench, shards, waits, begun: () => begun, woken, watch };
}

async function turn(): Promise<void> {
  await new Promise((resolve) => void setImmediate(resolve));
}

/** More turns than there are watchers: one of them is woken in each. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 110; turns += 1) await turn();
}

test('many watch a shard at the cost of one wait, and a record wakes those of its own shard', async () => {
  const { bench, shards, waits, begun, woken, watch } = await open();
  const [first = assert.fail(), second = assert.fail()] = shards;
  for (let index = 0; index < 100; index += 1) watch('all', shards);
  watch('first', [first]);
  watch('second', [second]);
  assert.deepEqual([begun(), waits.watching, waits.shards], [2, 102, 2]);
  await bench.fill('a', ['b'], UPPER);
  await settle();
  assert.deepEqual([woken.length, woken.includes('first'), woken.includes('second')], [101, false, true]);
  assert.deepEqual([waits.watching, waits.shards], [1, 1]);
  await bench.fill('a', ['a']);
  await settle();
  assert.deepEqual([woken.at(-1), waits.watching, waits.shards], ['first', 0, 0]);
});

test('one goes on in each turn of the loop, however many a record wakes', async () => {
  const { bench, shards, woken, watch } = await open();
  for (let index = 0; index < 20; index += 1) watch(`${index}`, shards);
  await bench.fill('a', ['a']);
  const seen: number[] = [];
  for (let turns = 0; turns < 25; turns += 1) {
    seen.push(woken.length);
    await turn();
  }
  assert.equal(woken.length, 20);
  assert.ok(seen.every((count, index) => index === 0 || count - (seen[index - 1] as number) <= 1));
});

test('who is to be woken has one turn, however many of its shards get records', async () => {
  const { bench, shards, woken, watch } = await open();
  const { clock } = bench.environment;
  const soon = clock.soon.bind(clock);
  for (let index = 0; index < 20; index += 1) watch(`${index}`, shards);
  let turns = 0;
  clock.soon = (run) => {
    turns += 1;
    soon(run);
  };
  await Promise.all([bench.fill('a', ['a']), bench.fill('a', ['b'], UPPER)]);
  await settle();
  assert.deepEqual([woken.length, turns], [20, 19]);
});

test('who comes right behind a record waits for the next one', async () => {
  const { bench, shards, woken, watch } = await open();
  watch('before', shards);
  const filling = bench.fill('a', ['a']);
  while (bench.records.bounds(shards[0] ?? assert.fail()).end === 0n) await Promise.resolve();
  watch('behind', shards);
  await filling;
  await settle();
  assert.deepEqual(woken, ['before']);
  await bench.fill('a', ['b']);
  await settle();
  assert.deepEqual(woken, ['before', 'behind']);
});

test('who goes away is forgotten, and with the last one the wait', async () => {
  const { shards, waits, woken, watch } = await open();
  const [one, other] = [new AbortController(), new AbortController()];
  watch('one', shards, one.signal);
  watch('other', shards, other.signal);
  one.abort();
  await settle();
  assert.deepEqual([woken, waits.watching, waits.shards], [['one'], 1, 2]);
  other.abort();
  await settle();
  assert.deepEqual([woken, waits.watching, waits.shards], [['one', 'other'], 0, 0]);
  watch('gone', shards, one.signal);
  await settle();
  assert.deepEqual([woken.at(-1), waits.shards], ['gone', 0]);
});

test('the end of a shard and of a stream wakes, and a wait that fails fails for all', async () => {
  const { bench, shards, waits, woken, watch } = await open();
  watch('closed', shards.slice(0, 1));
  watch('deleted', shards.slice(1));
  await bench.split('a');
  await settle();
  assert.deepEqual(woken, ['closed']);
  await bench.records.delete('a');
  await settle();
  assert.deepEqual([woken, waits.watching, waits.shards], [['closed', 'deleted'], 0, 0]);
  bench.records.waitForMore = async () => await Promise.reject(new Error('closed'));
  bench.records.bounds = () => ({ start: 0n, end: 0n, records: 0, lastAt: 0 });
  watch('one', shards);
  watch('two', shards);
  await settle();
  assert.deepEqual([woken.slice(2), waits.watching, waits.shards], [['one failed', 'two failed'], 0, 0]);
});

test('many shards are joined and left in turns of the loop, and a record between them is not missed', async () => {
  const { bench, woken, waits, watch } = await open();
  const { shards } = await bench.make('wide', 250);
  const last = shards.at(-1) ?? assert.fail();
  watch('all', shards);
  watch('late', shards);
  assert.equal(waits.shards, 100);
  const bounds = bench.records.bounds.bind(bench.records);
  await turn();
  assert.equal(waits.shards, 200);
  // One comes before the rest is joined.
  bench.records.bounds = (shard) => (shard === last ? { ...bounds(shard), end: 1n } : bounds(shard));
  await turn();
  // Of those that were joined, a hundred are left already.
  assert.equal(waits.shards, 249 - 100);
  assert.deepEqual([woken, waits.watching], [['all', 'late'], 0]);
  bench.records.bounds = bounds;
  await settle();
  assert.equal(waits.shards, 0);
});
