import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeClock } from './clock.ts';
import { createLog, type LogStyle } from './log.ts';

const clock = { ...nodeClock, now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 678) };

function lines(style: LogStyle, debug = false): { log: ReturnType<typeof createLog>; out: string[] } {
  const out: string[] = [];
  return { log: createLog({ style, colors: false, debug, clock, write: (line) => out.push(line) }), out };
}

test('pretty lines are one line whatever the values hold', () => {
  const { log, out } = lines('pretty');
  log.warn('disk.slow', { path: 'a b\nc', ms: 12, gone: undefined });
  assert.deepEqual(out, ['03:04:05.678 warn disk.slow path="a b\\nc" ms=12']);
});

test('json lines parse', () => {
  const { log, out } = lines('json');
  log.error('log.failed', { code: 'EIO' });
  assert.deepEqual(JSON.parse(out[0]!), {
    time: '2026-01-02T03:04:05.678Z',
    level: 'error',
    event: 'log.failed',
    code: 'EIO',
  });
});

test('debug lines come only when wanted, silent logs nothing', () => {
  for (const [style, debug, count] of [
    ['json', false, 0],
    ['json', true, 1],
    ['silent', true, 0],
  ] as const) {
    const { log, out } = lines(style, debug);
    log.debug('a');
    assert.equal(out.length, count);
  }
});
