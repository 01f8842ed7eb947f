import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../ports/environment.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { loadEngine } from './load.ts';
import { Thread, type BatchEnd } from './thread.ts';

/** The compiler is at it for many seconds. */
const UNREADABLE = `${'('.repeat(300)}1${'+1'.repeat(120_000)}${')'.repeat(300)};`;

test('a script has its whole time to be read, also in a thread that was long in starting', async () => {
  let now = 0;
  const timers = new Set<() => void>();
  const timer = (_ms: number, run: () => void): (() => void) => {
    timers.add(run);
    return () => void timers.delete(run);
  };
  const clock = { monotonic: () => now, timer } as unknown as Clock;
  const thread = new Thread(await loadEngine(), clock, -10_000);
  const spec = { id: 1, text: UNREADABLE, parameters: ['payload'], limits: DEFAULT_LIMITS };
  const seen: { end?: BatchEnd } = {};
  const running = thread.run({ spec, bytes: new Uint8Array(), calls: [['1']] }).then((end) => void (seen.end = end));
  const look = async (): Promise<void> => {
    const due = [...timers];
    timers.clear();
    for (const run of due) run();
    await sleep(10);
  };
  // Time stands still until it reads.
  for (let looks = 0; looks < 100; looks += 1) await look();
  while (seen.end === undefined) {
    now += 10;
    await look();
  }
  await running;
  assert.ok(now >= 400, `ended after ${now} ms`);
  assert.equal(seen.end.done, undefined);
  assert.equal(seen.end.message, 'could not be read within 400 ms');
});
