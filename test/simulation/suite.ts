/** A whole node under seeds: power cuts, failing disks, restarts. `SIMULATION_SEEDS` says how many (500). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from '../../src/testing/simulate.ts';

const SEEDS = Number(process.env['SIMULATION_SEEDS'] ?? 500);

test(`whatever was promised is so, over ${SEEDS} seeds`, async (context) => {
  const sum = { crashes: 0, failures: 0, acknowledged: 0, objects: 0 };
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    try {
      const { crashes, failures, acknowledged, objects } = await simulate(seed);
      sum.crashes += crashes;
      sum.failures += failures;
      sum.acknowledged += acknowledged;
      sum.objects += objects;
    } catch (error) {
      throw new Error(`seed ${seed} failed; see it again with: npm run simulate -- --seed ${seed}`, { cause: error });
    }
  }
  context.diagnostic(JSON.stringify(sum));
  assert.ok(sum.crashes > SEEDS, `only ${sum.crashes} power cuts`);
  assert.ok(sum.failures > SEEDS / 20, `only ${sum.failures} failed disks`);
  assert.ok(sum.acknowledged > 10 * SEEDS, `only ${sum.acknowledged} records`);
  assert.ok(sum.objects > SEEDS, `only ${sum.objects} objects`);
});

test('the same seed does the same', async () => {
  for (const seed of [3, 11]) assert.deepEqual(await simulate(seed), await simulate(seed));
});
