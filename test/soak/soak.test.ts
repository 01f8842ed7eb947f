import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ledger } from './ledger.ts';
import { judgeMemory } from './memory.ts';

function samples(rssMiB: (seconds: number) => number): { seconds: number; rssMiB: number }[] {
  return Array.from({ length: 601 }, (_, seconds) => ({ seconds, rssMiB: rssMiB(seconds) }));
}

test('memory: flat is flat, a leak climbs, warming up does not count', () => {
  const cases: readonly (readonly [string, (seconds: number) => number, number, number])[] = [
    ['flat', () => 100, 100, 0],
    ['a saw', (seconds) => 100 + (seconds % 20), 119, 0],
    ['a leak of 3 MiB a minute', (seconds) => 100 + seconds / 20, 130, 20],
    ['warming up', (seconds) => Math.min(150, 50 + seconds), 150, 0],
    ['going down', (seconds) => 200 - seconds / 10, 200, -40],
  ];
  for (const [name, rssMiB, peak, climb] of cases) {
    const { peakMiB, climbMiB } = judgeMemory(samples(rssMiB));
    assert.equal(Math.round(peakMiB), peak, name);
    assert.ok(Math.abs(climbMiB - climb) < 1, `${name}: ${climbMiB}`);
  }
});

test('a ledger tells what is lost, doubled and unheard of', () => {
  const ledger = new Ledger('w');
  assert.equal(ledger.take(3), 0);
  assert.equal(ledger.take(100_000), 3);
  for (const number of [0, 1, 2]) ledger.stored(number);
  for (const number of [0, 1]) ledger.read(number);
  ledger.delivered(0);
  assert.deepEqual(ledger.count(), { stored: 3, unread: 1, undelivered: 2 });
  assert.deepEqual(ledger.problems, []);
  ledger.read(0);
  ledger.delivered(200_000);
  ledger.delivered(Number.NaN);
  assert.deepEqual(ledger.problems, [
    'w: read twice: 0',
    'w: delivered, never sent: 200000',
    'w: delivered, never sent: NaN',
  ]);
});
