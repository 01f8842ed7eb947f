import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogFields } from '../../ports/environment.ts';
import { nodeClock } from './clock.ts';
import { watchEventLoop } from './event-loop.ts';
import { createMeter } from './meter.ts';

test('a turn that blocks the loop is measured and told once, a quiet loop is not', async () => {
  const warned: { readonly event: string; readonly maxMs: unknown }[] = [];
  const silent = (): void => undefined;
  const log = { debug: silent, info: silent, warn: (event: string, fields?: LogFields) => void warned.push({ event, maxMs: fields?.['maxMs'] }), error: silent }; // prettier-ignore
  const meter = createMeter();
  const looks: (() => void)[] = [];
  const clock = { ...nodeClock, timer: (_ms: number, run: () => void) => (looks.push(run), silent) };
  const end = watchEventLoop({ clock, log, meter });
  const settle = async (): Promise<void> => await new Promise((resolve) => setTimeout(resolve, 50));
  try {
    await settle();
    looks.pop()?.();
    assert.equal(warned.length, 0);
    await settle();
    const until = performance.now() + 250;
    while (performance.now() < until);
    await settle();
    looks.pop()?.();
  } finally {
    end();
  }
  assert.deepEqual(
    warned.map(({ event }) => event),
    ['event-loop.blocked'],
  );
  const maxMs = warned[0]?.maxMs;
  assert.ok(typeof maxMs === 'number' && maxMs > 180 && maxMs < 5000, String(maxMs));
  assert.match(meter.exposition(), new RegExp(`event_loop_delay_ms\\{of="max"\\} ${maxMs}\n`));
  assert.match(meter.exposition(), /event_loop_delay_ms\{of="p99"\} \d+\n/);
});
