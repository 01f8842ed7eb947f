import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Shard, Stored } from '../support/kinesis.ts';
import { assertTiled, Model, type Durability } from './model.ts';

const always: Durability = { sync: 'always' };
const interval: Durability = { sync: 'interval', windowMs: 1000 };
const none: Durability = { sync: 'none' };

function text(count: number): string {
  return `w/${count}/0;\n`;
}

/** A model that was told of records 1 to `acknowledged` in shard `s`, and sent one more. */
function told(acknowledged: number): Model {
  const model = new Model();
  for (let count = 1; count <= acknowledged; count += 1) {
    model.send(text(count));
    model.acknowledge(text(count), { ShardId: 's', SequenceNumber: String(count) });
  }
  model.send(text(acknowledged + 1));
  return model;
}

function shards(...counts: readonly number[]): ReadonlyMap<string, readonly Stored[]> {
  return new Map([['s', counts.map((count) => ({ text: text(count), sequenceNumber: String(count) }))]]);
}

const now = (): number => performance.now();

test('everything acknowledged is there, with or without what got no answer', () => {
  told(3).judge(shards(1, 2, 3), always, now());
  told(3).judge(shards(1, 2, 3, 4), always, now());
});

const WRONG: readonly (readonly [string, ReadonlyMap<string, readonly Stored[]>, Durability, RegExp])[] = [
  ['missing', shards(1, 2), always, /1 missing/],
  ['doubled', new Map([...shards(1, 2, 3), ['t', [{ text: text(2), sequenceNumber: '9' }]]]), always, /doubled/],
  ['never sent', shards(1, 2, 3, 4, 5), always, /never sent/],
  ['out of order', shards(2, 1, 3), always, /grow/],
  ['moved', new Map([['t', shards(1, 2, 3).get('s') ?? []]]), always, /moved/],
  ['a gap', shards(1, 3), interval, /a gap in s/],
  ['a gap', shards(1, 3), none, /a gap in s/],
];

for (const [what, found, durability, expected] of WRONG) {
  test(`told, sync ${durability.sync}: ${what}`, () => {
    assert.throws(() => told(3).judge(found, durability, now()), expected);
  });
}

test('misordered: a writer stands in its order whatever the sequence numbers', () => {
  const model = told(2);
  const swapped = [2, 1].map((count, index) => ({ text: text(count), sequenceNumber: String(index + 1) }));
  model.acknowledged.clear();
  for (const count of [1, 2]) model.send(text(count));
  assert.throws(() => model.judge(new Map([['s', swapped]]), always, now()), /misordered/);
});

test('an interval may lose the end, as far as it is young, and it stays lost', () => {
  const model = told(3);
  model.judge(shards(1), interval, now());
  assert.equal(model.acknowledged.size, 1);
  assert.throws(() => model.judge(shards(1, 2), interval, now()), /lost by an earlier kill/);
  assert.throws(() => told(3).judge(shards(1), interval, now() + 1500), /lost 1\d\d\d/);
});

test('a webhook whose record is lost may get another answer', () => {
  const model = told(2);
  model.answered.set('one', text(1));
  model.answered.set('two', text(2));
  model.judge(shards(1), none, now());
  assert.deepEqual([...model.answered.keys()], ['one']);
});

test('a webhook whose record stands is not new when it is sent again', () => {
  const model = told(2);
  model.judge(shards(1, 2, 3), always, now());
  assert.throws(() => model.repeat(text(3), false), /its record stood/);
  model.repeat(text(3), true);
  model.repeat(text(4), false);
  assert.deepEqual(model.repeats, { all: 2, stored: 1 });
});

function shard(first: bigint, last: bigint, isClosed = false): Shard {
  return {
    ShardId: String(first),
    HashKeyRange: { StartingHashKey: String(first), EndingHashKey: String(last) },
    SequenceNumberRange: isClosed ? { EndingSequenceNumber: '1' } : {},
  };
}

test('hash keys have one owner', () => {
  const top = (1n << 128n) - 1n;
  assertTiled([shard(8n, top), shard(0n, 7n), shard(0n, top, true)]);
  assert.throws(() => assertTiled([shard(0n, 7n), shard(9n, top)]), /one owner/);
  assert.throws(() => assertTiled([shard(0n, 7n), shard(7n, top)]), /one owner/);
  assert.throws(() => assertTiled([shard(0n, 7n)]), /up to the last/);
});
