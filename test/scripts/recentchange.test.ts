import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

interface Change {
  readonly meta: { readonly dt: string };
  readonly timestamp: number;
}

interface Changes {
  readonly recentchange: (seed: number, number: number, atMs: number) => Change;
}

const PATH = resolve('examples/sse-archive/recentchange.mjs');
const { recentchange } = (await import(pathToFileURL(PATH).href)) as Changes;
const START_MS = Date.UTC(2026, 0, 1);
const STEP_MS = 25;
const COUNT = 22_415;
const YEAR_S = 365 * 86_400;

test('the made-up feed has the odd times of the real one', () => {
  let [disordered, old] = [0, 0];
  let before = 0;
  for (let number = 0; number < COUNT; number += 1) {
    const atMs = START_MS + number * STEP_MS;
    const { meta, timestamp } = recentchange(1, number, atMs);
    const dtMs = Date.parse(meta.dt);
    assert.ok(dtMs <= atMs && dtMs > atMs - 1000);
    if (dtMs < before) disordered += 1;
    before = Math.max(before, dtMs);
    const backS = Math.floor(atMs / 1000) - timestamp;
    assert.ok(backS === 0 || backS >= YEAR_S);
    if (backS > 0) old += 1;
  }
  assert.ok(disordered > COUNT * 0.01 && disordered < COUNT * 0.016, `${disordered} of ${COUNT} are out of order`);
  assert.ok(old >= 5 && old <= 32, `${old} of ${COUNT} lie years back`);
});
