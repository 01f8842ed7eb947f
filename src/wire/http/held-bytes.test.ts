import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createByteBudget } from '../../kernel/flow/byte-budget.ts';
import type { Clock } from '../../ports/environment.ts';
import { HeldBytes } from './held-bytes.ts';

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
