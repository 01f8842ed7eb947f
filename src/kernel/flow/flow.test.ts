import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Defect } from '../errors.ts';
import { backoffMs } from './backoff.ts';
import { createByteBudget } from './byte-budget.ts';
import { TokenBucket } from './token-bucket.ts';

test('waits double up to their bound, and chance takes off up to a half', () => {
  const options = { baseMs: 100, maxMs: 1000 };
  const waits = [0, 1, 2, 3, 4, 5, 1e9].map((attempt) => backoffMs(attempt, options, 0));
  assert.deepEqual(waits, [100, 100, 200, 400, 800, 1000, 1000]);
  assert.equal(backoffMs(1, options, 0.5), 75);
  assert.equal(backoffMs(9, options, 0.999), 500);
});

test('where waits are spread, chance adds as much as it takes off, and at their bound only takes off', () => {
  const options = { baseMs: 1000, maxMs: 120_000, spread: 0.15 };
  const waits = [0, 0.5, 1].map((fraction) => [1, 2, 7, 8, 99].map((attempt) => backoffMs(attempt, options, fraction)));
  assert.deepEqual(waits, [
    [850, 1700, 54_400, 102_000, 102_000],
    [1000, 2000, 64_000, 111_000, 111_000],
    [1150, 2300, 73_600, 120_000, 120_000],
  ]);
});

const never = new AbortController().signal;
const turn = async (): Promise<void> => await new Promise((resolve) => void setImmediate(resolve));

test('a budget gives up to its bound, then makes wait, in order', async () => {
  const budget = createByteBudget(10);
  const seen: string[] = [];
  assert.ok(budget.tryTake(6));
  assert.ok(!budget.tryTake(5));
  const big = budget.take(8, never).then((taken) => seen.push(`big ${taken}`));
  const small = budget.take(1, never).then((taken) => seen.push(`small ${taken}`));
  await turn();
  assert.deepEqual([seen, budget.waiting], [[], 2]);
  assert.ok(!budget.tryTake(1), 'nobody overtakes who waits');
  budget.giveBack(6);
  await Promise.all([big, small]);
  assert.deepEqual([seen, budget.usedBytes], [['big true', 'small true'], 9]);
});

test('who stops waiting lets those behind pass', async () => {
  const budget = createByteBudget(10);
  budget.charge(9);
  const impatient = new AbortController();
  assert.equal(budget.inFront, undefined);
  const big = budget.take(8, impatient.signal);
  const small = budget.take(1, never);
  assert.equal(budget.inFront, impatient.signal);
  impatient.abort();
  assert.equal(budget.inFront, undefined);
  assert.deepEqual(await Promise.all([big, small]), [false, true]);
  assert.equal(await budget.take(1, AbortSignal.abort()), false);
  assert.deepEqual([budget.usedBytes, budget.waiting], [10, 0]);
});

test('more than the whole budget is given when nobody holds any', async () => {
  const budget = createByteBudget(10);
  assert.ok(budget.tryTake(50));
  const next = budget.take(1, never);
  budget.giveBack(50);
  assert.equal(await next, true);
  assert.throws(() => budget.giveBack(2), Defect);
});

test('tokens come back with time, up to the burst, and one that is missing says when', () => {
  const bucket = new TokenBucket({ perSecond: 2, burst: 3 });
  const table: readonly (readonly [atMs: number, waitMs: number])[] = [
    [0, 0], [0, 0], [0, 0], [0, 500], [250, 250], [500, 0], [500, 500], [99_000, 0], [99_000, 0], [99_000, 0], [99_000, 500],
  ]; // prettier-ignore
  for (const [atMs, waitMs] of table) assert.equal(bucket.take(atMs), waitMs, `${atMs} ms`);
  const slow = new TokenBucket({ perSecond: 0.001, burst: 1 });
  assert.deepEqual([slow.take(5), slow.take(5), slow.take(1_000_006)], [0, 1_000_000, 0]);
});
