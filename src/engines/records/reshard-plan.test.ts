import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { HASH_KEY_END, splitHashKeys } from '../../kernel/stream/hash-key.ts';
import type { ShardInfo } from '../../ports/records.ts';
import { intentOf, nextFamilies, openAfter, type ReshardIntent } from './reshard-plan.ts';
import { readShard, type ShardEntry } from './shard-entry.ts';

const STEP_FAMILIES_MAX = 16;

function shard(ordinal: number, start: bigint, end: bigint): ShardInfo {
  const range = { startingHashKey: start.toString(), endingHashKey: end.toString() };
  return readShard('a', { generation: 1, ordinal, ...range }, 0);
}

function even(count: number): ShardInfo[] {
  return splitHashKeys(count).map(({ start, end }, ordinal) => shard(ordinal, start, end));
}

function starts(open: readonly ShardInfo[]): bigint[] {
  return open.map(({ startingHashKey }) => startingHashKey);
}

interface Carried {
  readonly open: readonly ShardInfo[];
  readonly steps: number;
}

/** Carries an intent out as the engine does, and checks of every step that all hash keys keep one owner. */
function carryOut(from: readonly ShardInfo[], intent: ReshardIntent): Carried {
  let open = from;
  let next = 1 + Math.max(...open.map(({ ref }) => ref.ordinal));
  for (let steps = 0; ; steps += 1) {
    const families = nextFamilies(open, intent, next);
    if (families.length === 0) return { open, steps };
    assert.ok(families.length <= STEP_FAMILIES_MAX, `${families.length} families`);
    const parents = new Set(families.flatMap((family) => family.parents));
    const children = families.flatMap((family): readonly ShardEntry[] => family.children);
    for (const { ordinal } of children) assert.equal(ordinal, next++);
    open = [...open.filter((one) => !parents.has(one)), ...children.map((child) => readShard('a', child, 0))];
    open = open.toSorted((one, two) => (one.startingHashKey < two.startingHashKey ? -1 : 1));
    let owned = 0n;
    for (const { startingHashKey, endingHashKey } of open) {
      assert.equal(startingHashKey, owned);
      owned = endingHashKey + 1n;
    }
    assert.equal(owned, HASH_KEY_END);
    if (!('to' in intent)) return { open, steps: steps + 1 };
  }
}

test('whatever the counts, shards come to share the hash keys evenly, in steps of bounded size', () => {
  for (const [from, to, steps] of [
    [1, 2, 1],
    [4, 4, 0],
    [4, 8, 1],
    [5, 3, 3],
    [250, 500, 48],
  ] as const) {
    const carried = carryOut(even(from), { to });
    assert.deepEqual(starts(carried.open), starts(even(to)), `${from} to ${to}`);
    assert.equal(carried.steps, steps, `${from} to ${to}`);
  }
  assert.deepEqual(starts(carryOut(even(500), { to: 251 }).open), starts(even(251)));
  const count = fc.integer({ min: 1, max: 70 });
  const bounds = fc.uniqueArray(fc.bigInt({ min: 1n, max: HASH_KEY_END - 1n }), { maxLength: 40 });
  const check = (cuts: readonly bigint[], to: number): void => {
    const from = [0n, ...cuts.toSorted((one, two) => (one < two ? -1 : 1))];
    const open = from.map((start, ordinal) => shard(ordinal, start, (from[ordinal + 1] ?? HASH_KEY_END) - 1n));
    assert.deepEqual(starts(carryOut(open, { to }).open), starts(even(to)));
  };
  fc.assert(fc.property(bounds, count, check), { seed: 1, numRuns: 200 });
});

test('one split and one merge are one step; a shard that is not open has no intent', () => {
  const open = even(3);
  const [low, middle, high] = open.map(({ id }) => id) as [string, string, string];
  const at = (open[1] as ShardInfo).startingHashKey + 7n;
  const split = intentOf(open, { split: middle, at });
  assert.deepEqual(split, { split: 1, at: at.toString() });
  assert.deepEqual(starts(carryOut(open, split as ReshardIntent).open), [...starts(open), at].toSorted((one, two) => (one < two ? -1 : 1))); // prettier-ignore
  const merge = intentOf(open, { merge: high, with: middle });
  assert.deepEqual(merge, { merge: 2, with: 1 });
  assert.deepEqual(starts(carryOut(open, merge as ReshardIntent).open), starts(open).slice(0, 2));
  assert.equal(intentOf(open, { split: 'shardId-000000000009', at: 1n }), undefined);
  assert.equal(intentOf(open, { merge: low, with: 'shardId-000000000009' }), undefined);
  assert.deepEqual(
    [undefined, split, merge, { to: 7 }].map((intent) => openAfter(3, intent)),
    [3, 4, 2, 7],
  );
});
