import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Failure } from '../error-lines.ts';
import { PlacedFailures } from './placed-failures.ts';

function failure(message: string): Failure {
  return { code: 'No', message, attempts: 1, at: 0 };
}

function of(places: readonly number[], message: string): PlacedFailures {
  const found = new PlacedFailures();
  for (const place of places) found.add(place, failure(message));
  return found;
}

test('failures are found by their places, also of several attempts', () => {
  // Places of records that producers packed: far apart, and close together.
  const [far, close] = [
    [0, 2 ** 24, 3 * 2 ** 24, 2 ** 44],
    [2 ** 24 + 1, 3 * 2 ** 24 + 7, 2 ** 44 + 1],
  ];
  const merged = of(far, 'one');
  merged.merge(of(close, 'other'));
  merged.merge(new PlacedFailures());
  assert.equal(merged.size, 7);
  for (const place of far) assert.equal(merged.get(place)?.message, 'one', String(place));
  for (const place of close) assert.equal(merged.get(place)?.message, 'other', String(place));
  for (const place of [1, 2 ** 24 + 2, 2 ** 44 - 1, 2 ** 44 + 2]) assert.equal(merged.has(place), false, String(place));
  const empty = new PlacedFailures();
  empty.merge(of(close, 'other'));
  assert.deepEqual([empty.size, empty.has(close[2] as number)], [3, true]);
});
