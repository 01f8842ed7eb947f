import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quietEnvironment } from '../../testing/quiet-environment.ts';
import { runtimeLimits } from './limits.ts';
import { MemoryWatch, type Watched } from './memory-watch.ts';

const turn = async (): Promise<void> => await new Promise((resolve) => void setImmediate(resolve));

test('a look at groups that takes its time leaves one timer, and what it could not see is not told', async () => {
  const timers = new Set<() => void>();
  const timer = (_ms: number, run: () => void): (() => void) => {
    timers.add(run);
    return () => void timers.delete(run);
  };
  let told: (groups: ReadonlyMap<number, number>) => void = () => assert.fail('no look at groups');
  const groups = async (): Promise<ReadonlyMap<number, number>> => await new Promise((resolve) => (told = resolve));
  const watch = new MemoryWatch({ ...quietEnvironment().clock, timer }, groups);
  const found: number[] = [];
  const one: Watched = { pid: 1, residentBytes: () => undefined, found: (bytes) => void found.push(bytes) };
  const other: Watched = { ...one, pid: 2 };
  watch.add(one);
  for (let looks = 0; looks < runtimeLimits.memoryLooksDeep; looks += 1) {
    const [due = assert.fail('no timer')] = timers;
    timers.delete(due);
    due();
    await turn();
  }
  assert.equal(timers.size, 0, 'while it looks none is armed');
  watch.remove(one);
  watch.add(one);
  watch.add(other);
  told(new Map([[2, 7]]));
  await turn();
  assert.equal(timers.size, 1);
  assert.deepEqual(found, [7]);
  watch.remove(one);
  watch.remove(other);
  assert.equal(timers.size, 0);
});
