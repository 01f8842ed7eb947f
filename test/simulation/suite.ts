/** A whole node under seeds: power cuts, failing disks, restarts. `SIMULATION_SEEDS` says how many (2,000). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planOfSeed } from '../../src/testing/simulation/grammar.ts';
import { simulate } from '../../src/testing/simulation/simulate.ts';
import { missingOf, tableOf } from './must-happen.ts';
import { runSeed, runSeeds } from './seeds.ts';
import { PLANTED_FAULTS, type PlantedFault } from './planted-faults.ts';

const SEEDS = Number(process.env['SIMULATION_SEEDS'] ?? 2000);
const THREADS = 2;
/** A planted fault is found within so many seeds. */
const SEEDS_TO_FIND_MAX = 150;

test(`whatever was promised is so, over ${SEEDS} seeds`, async (context) => {
  const { counts: sum, met } = await runSeeds(SEEDS, THREADS);
  context.diagnostic(JSON.stringify(sum));
  for (const line of tableOf(met, SEEDS)) context.diagnostic(line);
  assert.ok(sum.lives > 4 * SEEDS, `only ${sum.lives} lives`);
  assert.ok(sum.crashes > SEEDS, `only ${sum.crashes} power cuts`);
  assert.ok(sum.failures > SEEDS / 10, `only ${sum.failures} failed disks`);
  assert.ok(sum.refused <= 1 + SEEDS / 100, `${sum.refused} refused starts`);
  assert.ok(sum.acknowledged > 40 * SEEDS, `only ${sum.acknowledged} records`);
  assert.ok(sum.doubted > SEEDS, `only ${sum.doubted} answered records in danger`);
  assert.ok(sum.objects > 2 * SEEDS, `only ${sum.objects} objects`);
  assert.ok(sum.followed > 5 * SEEDS, `only ${sum.followed} records sent to subscribers`);
  assert.ok(sum.ends > SEEDS / 4, `only ${sum.ends} shards followed to their end`);
  assert.ok(sum.handed > 10 * SEEDS, `a function got only ${sum.handed} records`);
  assert.ok(sum.arrived > 10 * SEEDS, `a destination that fails took only ${sum.arrived} records`);
  assert.ok(sum.processed > 10 * SEEDS, `a function processed only ${sum.processed} records`);
  assert.ok(sum.lines > SEEDS, `only ${sum.lines} records had a line about their failure`);
  assert.deepEqual(missingOf(met, SEEDS), []);
});

test('the same seed does the same', async () => {
  for (const seed of [3, 11, 326]) assert.deepEqual(await runSeed(seed), await runSeed(seed));
});

/** What the simulation says of a planted fault, and under which seed it says so first. */
async function firstToFail({ sabotage, during, plan = planOfSeed }: PlantedFault): Promise<string | undefined> {
  const undo = during?.();
  try {
    for (let seed = 1; seed <= SEEDS_TO_FIND_MAX; seed += 1) {
      try {
        await simulate(plan(seed), sabotage);
      } catch (error) {
        return `seed ${seed}: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`;
      }
    }
    return undefined;
  } finally {
    undo?.();
  }
}

for (const planted of PLANTED_FAULTS) {
  test(`a planted fault is found: ${planted.fault}`, async (context) => {
    const found = await firstToFail(planted);
    assert.ok(found !== undefined, `not found within ${SEEDS_TO_FIND_MAX} seeds`);
    context.diagnostic(found);
    assert.match(found, /BrokenPromise|NodeFailed/);
    // The same runs hold without the fault.
    for (let seed = 1; seed <= 3; seed += 1) await simulate((planted.plan ?? planOfSeed)(seed));
  });
}
