import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import * as fc from 'fast-check';
import { HASH_KEY_END, hashKeyOf, hashKeyRouter, splitHashKeys } from './hash-key.ts';

const MAX = HASH_KEY_END - 1n;
const hashKey = fc.bigInt({ min: 0n, max: MAX });

test('a hash key is the md5 of the UTF-8 partition key', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 256 }), (key) => {
      assert.equal(hashKeyOf(key), BigInt(`0x${createHash('md5').update(key, 'utf8').digest('hex')}`));
      assert.equal(hashKeyOf(Buffer.from(key)), hashKeyOf(key));
    }),
    { seed: 1 },
  );
});

test('ranges are those AWS prints', () => {
  assert.deepEqual(splitHashKeys(1), [{ start: 0n, end: 340282366920938463463374607431768211455n }]);
  assert.deepEqual(splitHashKeys(3), [
    { start: 0n, end: 113427455640312821154458202477256070484n },
    { start: 113427455640312821154458202477256070485n, end: 226854911280625642308916404954512140969n },
    { start: 226854911280625642308916404954512140970n, end: 340282366920938463463374607431768211455n },
  ]);
  assert.deepEqual(
    splitHashKeys(4).map(({ start }) => start),
    [
      0n,
      85070591730234615865843651857942052864n,
      170141183460469231731687303715884105728n,
      255211775190703847597530955573826158592n,
    ],
  );
  assert.throws(() => splitHashKeys(0), { name: 'Defect' });
});

test('ranges cover every key once', () => {
  for (const count of [1, 2, 3, 5, 7, 16, 100, 1000]) {
    const ranges = splitHashKeys(count);
    assert.equal(ranges.length, count);
    assert.equal(ranges[0]?.start, 0n);
    assert.equal(ranges.at(-1)?.end, MAX);
    for (const [index, range] of ranges.entries()) {
      if (index > 0) assert.equal(range.start, (ranges[index - 1]?.end ?? 0n) + 1n);
    }
  }
});

test('the router agrees with a search over bigints', () => {
  const starts = fc.oneof(
    fc.integer({ min: 1, max: 50 }).map((count) => splitHashKeys(count).map(({ start }) => start)),
    fc
      .uniqueArray(hashKey, { maxLength: 20 })
      .map((keys) => [...new Set([0n, ...keys])].sort((a, b) => (a < b ? -1 : 1))),
  );
  fc.assert(
    fc.property(starts, hashKey, fc.string({ unit: 'binary' }), (list, hash, key) => {
      const router = hashKeyRouter(list);
      assert.equal(
        router.ofHash(hash),
        list.findLastIndex((start) => start <= hash),
      );
      const wanted = list.findLastIndex((start) => start <= hashKeyOf(key));
      assert.equal(router.ofKey(Buffer.from(key)), wanted);
      const within = Buffer.from(`..${key}.`);
      assert.equal(router.ofKey(within, 2, within.length - 1), wanted);
      for (const [index, start] of list.entries()) {
        assert.equal(router.ofHash(start), index);
        if (start > 0n) assert.equal(router.ofHash(start - 1n), index - 1);
      }
    }),
    { seed: 1 },
  );
});

test('a router refuses ranges with a hole at the start or out of order', () => {
  for (const starts of [[], [1n], [0n, 0n], [0n, 2n, 1n]])
    assert.throws(() => hashKeyRouter(starts), { name: 'Defect' });
  assert.throws(() => hashKeyRouter([0n]).ofHash(HASH_KEY_END), { name: 'Defect' });
});
