/** A whole node under seeds: power cuts, failing disks, restarts. `SIMULATION_SEEDS` says how many (2,000). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLIPS } from '../../src/testing/simulation/flips.ts';
import { growPlan } from '../../src/testing/simulation/grammar.ts';
import type { Plan } from '../../src/testing/simulation/plan.ts';
import { simulate, type SimulationResult } from '../../src/testing/simulation/simulate.ts';
import { PLANTED_FAULTS, type PlantedFault } from './planted-faults.ts';

const SEEDS = Number(process.env['SIMULATION_SEEDS'] ?? 2000);
/** A planted fault is found within so many seeds. */
const SEEDS_TO_FIND_MAX = 40;

async function runSeed(seed: number): Promise<SimulationResult> {
  try {
    return await simulate(planOf(seed));
  } catch (error) {
    const again = `npm run simulate -- --seed ${seed}`;
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`seed ${seed}: ${message}; see it again with: ${again}`, { cause: error });
  }
}

function planOf(seed: number): Plan {
  return growPlan(seed, { flips: FLIPS });
}

test(`whatever was promised is so, over ${SEEDS} seeds`, async (context) => {
  const sum = { lives: 0, crashes: 0, failures: 0, acknowledged: 0, objects: 0 };
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const result = await runSeed(seed);
    for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += result[name];
  }
  context.diagnostic(JSON.stringify(sum));
  assert.ok(sum.lives > 4 * SEEDS, `only ${sum.lives} lives`);
  assert.ok(sum.crashes > SEEDS, `only ${sum.crashes} power cuts`);
  assert.ok(sum.failures > SEEDS / 10, `only ${sum.failures} failed disks`);
  assert.ok(sum.acknowledged > 40 * SEEDS, `only ${sum.acknowledged} records`);
  assert.ok(sum.objects > 2 * SEEDS, `only ${sum.objects} objects`);
});

test('the same seed does the same', async () => {
  for (const seed of [3, 11, 326]) assert.deepEqual(await runSeed(seed), await runSeed(seed));
});

/** What the simulation says of a planted fault, and under which seed it says so first. */
async function firstToFail({ sabotage, plan = planOf }: PlantedFault): Promise<string | undefined> {
  for (let seed = 1; seed <= SEEDS_TO_FIND_MAX; seed += 1) {
    try {
      await simulate(plan(seed), sabotage);
    } catch (error) {
      return `seed ${seed}: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`;
    }
  }
  return undefined;
}

for (const planted of PLANTED_FAULTS) {
  test(`a planted fault is found: ${planted.fault}`, async (context) => {
    const found = await firstToFail(planted);
    assert.ok(found !== undefined, `not found within ${SEEDS_TO_FIND_MAX} seeds`);
    context.diagnostic(found);
    assert.match(found, /BrokenPromise|NodeFailed/);
    // The same runs hold without the fault.
    for (let seed = 1; seed <= 3; seed += 1) await simulate((planted.plan ?? planOf)(seed));
  });
}
