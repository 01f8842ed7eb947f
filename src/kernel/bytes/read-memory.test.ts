import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferPool } from './buffer-pool.ts';
import { ReadMemory } from './read-memory.ts';

test('a pool gives what it was given back, and keeps no more than it may', () => {
  const pool = new BufferPool(10, 2);
  const pieces = [pool.take(), pool.take(), pool.take()];
  assert.deepEqual(
    pieces.map(({ length }) => length),
    [10, 10, 10],
  );
  assert.equal(new Set(pieces).size, 3);
  for (const piece of pieces) pool.giveBack(piece);
  assert.deepEqual([pool.take(), pool.take()].toReversed(), pieces.slice(0, 2));
  assert.ok(!pieces.includes(pool.take()));
});

test('what is taken stays apart until the reset, and is used again after it', () => {
  const memory = new ReadMemory(new BufferPool(100, 10));
  const sizes = [30, 70, 1, 0, 99, 100, 101, 5000, 60, 60];
  const fill = (): Buffer[] => {
    const taken = sizes.map((size) => memory.take(size));
    for (const [index, bytes] of taken.entries()) bytes.fill(index);
    for (const [index, bytes] of taken.entries()) {
      assert.equal(bytes.length, sizes[index]);
      assert.ok(bytes.every((byte) => byte === index));
    }
    return taken;
  };
  const places = (taken: readonly Buffer[]): ReadonlySet<ArrayBufferLike> => new Set(taken.map(({ buffer }) => buffer));
  const before = places(fill());
  memory.reset();
  const after = places(fill());
  // What was larger than a piece was not the pool's.
  assert.deepEqual([before.size, after.size, [...after].filter((place) => before.has(place)).length], [7, 7, 5]);
});
