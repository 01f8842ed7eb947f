import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../ports/environment.ts';
import { IdleWatch } from './idle-watch.ts';

/** No process has it. */
const PID = 2 ** 31 - 1;

test('the longer a process is idle, the more rarely it is looked at; one that became idle just now is seen soon', () => {
  let now = 0;
  const timers = new Map<() => void, number>();
  const clock = {
    monotonic: () => now,
    timer: (ms: number, run: () => void) => {
      timers.set(run, now + ms);
      return () => void timers.delete(run);
    },
  } as unknown as Clock;
  const goTo = (end: number): void => {
    for (;;) {
      const [due] = [...timers].filter(([, at]) => at <= end).toSorted(([, left], [, right]) => left - right);
      if (due === undefined) break;
      timers.delete(due[0]);
      now = due[1];
      due[0]();
    }
    now = end;
  };
  const watch = new IdleWatch(clock);
  const looked = (): { readonly at: number[]; readonly add: () => void } => {
    const at: number[] = [];
    const one = { pid: PID, residentBytes: () => 1, found: () => void at.push(now / 1000), spun: () => assert.fail() };
    return { at, add: () => watch.add(one) };
  };
  const [long, fresh] = [looked(), looked()];
  long.add();
  goTo(200_000);
  assert.deepEqual(long.at, [1, 3, 7, 15, 31, 63, 123, 183]);
  fresh.add();
  goTo(205_000);
  assert.deepEqual(fresh.at, [201, 203]);
  assert.equal(timers.size, 1);
});
