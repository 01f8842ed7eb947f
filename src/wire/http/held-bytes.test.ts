import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createByteBudget } from '../../kernel/flow/byte-budget.ts';
import type { Clock } from '../../ports/environment.ts';
import { HeldBytes } from './held-bytes.ts';
import { httpLimits } from './limits.ts';

test('what is given back is there for others, once, and nothing once the answer stands', async () => {
  const clock = { soon: () => undefined, timer: () => () => undefined } as unknown as Clock;
  const budget = createByteBudget(100);
  const held = new HeldBytes(budget, clock);
  assert.ok(held.takeNow(10));
  await held.hold(60);
  held.giveBack(50);
  assert.equal(budget.usedBytes, 20);
  held.giveBack(50);
  assert.equal(budget.usedBytes, 10, 'never more than hold took');
  await held.hold(5);
  held.answer(3);
  held.giveBack(5);
  assert.equal(budget.usedBytes, 13);
  held.release();
  held.giveBack(5);
  assert.equal(budget.usedBytes, 0);
});

test('who waited for room goes on in a turn of its own, however soon those in front of it are done', async () => {
  const due: (() => void)[] = [];
  const clock = { soon: (run: () => void) => due.push(run), timer: () => () => undefined } as unknown as Clock;
  const budget = createByteBudget(10);
  const first = new HeldBytes(budget, clock);
  assert.ok(first.takeNow(10));
  const done: string[] = [];
  for (const name of ['a', 'b', 'c']) {
    const held = new HeldBytes(budget, clock);
    void held.take(10).then(() => {
      done.push(name);
      held.release();
    });
  }
  first.release();
  const seen: string[] = [];
  for (let turns = 0; turns < 3; turns += 1) {
    await new Promise((resolve) => void setImmediate(resolve));
    seen.push(done.join(''));
    for (const run of due.splice(0)) run();
  }
  await new Promise((resolve) => void setImmediate(resolve));
  assert.deepEqual([seen, done, budget.usedBytes], [['', 'a', 'ab'], ['a', 'b', 'c'], 0]);
});

test('of those that hold much and wait for each other the one in front goes on', async () => {
  const mib = 1024 * 1024;
  const timers = new Set<{ readonly ms: number; readonly run: () => void }>();
  const clock = {
    soon: (run: () => void) => run(),
    timer(ms: number, run: () => void) {
      const timer = { ms, run };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
  } as unknown as Clock;
  const pass = async (ms: number): Promise<void> => {
    for (const timer of [...timers].filter((one) => one.ms === ms)) if (timers.delete(timer)) timer.run();
    await new Promise((resolve) => void setImmediate(resolve));
  };
  const budget = createByteBudget(10 * mib);
  const told: string[] = [];
  const hold = async (name: string, has: number, wants: number): Promise<void> => {
    const held = new HeldBytes(budget, clock);
    await held.hold(has);
    try {
      await held.hold(wants);
      told.push(name);
    } catch (error) {
      told.push(`not ${name}: ${(error as { code: string }).code}`);
    }
    held.release();
  };
  const all = [hold('a', 5 * mib, 3 * mib), hold('b', 4 * mib, 2 * mib), hold('small', 1, mib)];
  await pass(0);
  assert.deepEqual([told, budget.waiting], [[], 3]);
  await pass(httpLimits.bodyLookMs);
  await Promise.all(all);
  assert.deepEqual(told, ['not b: ServiceUnavailable', 'a', 'small']);
  assert.deepEqual([budget.usedBytes, timers.size], [0, 0]);
  const first = new HeldBytes(budget, clock);
  await first.hold(6 * mib);
  const alone = hold('alone', 3 * mib, 2 * mib);
  for (let looks = 0; looks < 3; looks += 1) await pass(httpLimits.bodyLookMs);
  assert.equal(told.length, 3, 'nobody waits for what it has');
  const behind = hold('behind', 3 * mib, 0);
  await pass(httpLimits.bodyLookMs);
  await Promise.all([alone, behind]);
  assert.deepEqual(told.splice(3), ['not alone: ServiceUnavailable', 'behind']);
  await first.hold(3 * mib);
  const moving = [hold('c', 1, 2 * mib), hold('d', mib - 1, 2 * mib)];
  await pass(httpLimits.bodyLookMs);
  assert.equal(told.length, 3, 'who holds little waits as long as it may');
  await pass(httpLimits.budgetWaitMs);
  await Promise.all(moving);
  assert.deepEqual(told.slice(3), ['not c: ServiceUnavailable', 'not d: ServiceUnavailable']);
});
