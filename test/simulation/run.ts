/**
 * `npm run simulate -- --seed N` runs one seed, `--from N --count M` many, `--hours H` fresh ones for that long (parts of
 * an hour too); the first that fails ends it. `--flips` turns bits in each. `--shrink` then looks for the smallest run
 * that fails like it and prints it; `--replay FILE` runs what was printed.
 */
import { readFileSync } from 'node:fs';
import { growPlan, planOfSeed } from '../../src/testing/simulation/grammar.ts';
import { readPlan, writePlan, type Plan } from '../../src/testing/simulation/plan.ts';
import { shrink } from '../../src/testing/simulation/shrink.ts';
import { simulate } from '../../src/testing/simulation/simulate.ts';

const HOUR_MS = 3_600_000;
const { argv, stdout } = process;
const HAS_FLIPS = argv.includes('--flips');

function text(name: string): string | undefined {
  const at = argv.indexOf(`--${name}`);
  return at < 0 ? undefined : argv[at + 1];
}

function number(name: string): number | undefined {
  const given = text(name);
  return given === undefined ? undefined : Number(given);
}

async function failureOf(plan: Plan): Promise<Error | undefined> {
  try {
    await simulate(plan);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Runs a plan and says what it came to; whether it held. */
async function run(plan: Plan, name: string): Promise<boolean> {
  try {
    stdout.write(`${name} ${JSON.stringify(await simulate(plan))}\n`);
    return true;
  } catch (error) {
    stdout.write(`${name} failed: ${error instanceof Error ? error.stack : String(error)}\n`);
    if (argv.includes('--shrink')) await printShrunk(plan, error as Error);
    return false;
  }
}

async function printShrunk(plan: Plan, error: Error): Promise<void> {
  const shrunk = await shrink(plan, error, failureOf);
  stdout.write(`# ${plan.steps.length} steps came down to ${shrunk.plan.steps.length} in ${shrunk.trials} runs\n`);
  stdout.write(`# ${shrunk.error.message.replaceAll('\n', ' ')}\n`);
  stdout.write(
    `# to see it again, write this to a file: npm run simulate -- --replay FILE\n${writePlan(shrunk.plan)}\n`,
  );
}

async function runSeed(seed: number): Promise<boolean> {
  const holds = await run(HAS_FLIPS ? growPlan(seed, { flips: true }) : planOfSeed(seed), `seed ${seed}`);
  if (!holds) {
    const again = ['--seed', seed, ...(HAS_FLIPS ? ['--flips'] : [])].join(' ');
    stdout.write(`see it again with: npm run simulate -- ${again} (add --shrink for the smallest run that fails)\n`);
  }
  return holds;
}

async function main(): Promise<boolean> {
  const file = text('replay');
  if (file !== undefined) return await run(readPlan(readFileSync(file, 'utf8')), file);
  const seed = number('seed');
  if (seed !== undefined) return await runSeed(seed);
  const hours = number('hours');
  const startedAt = Date.now();
  // Other seeds each time, and none that the suite runs.
  const from = number('from') ?? (hours === undefined ? 1 : Math.floor(startedAt / 1000));
  const count = number('count') ?? (hours === undefined ? 1000 : Infinity);
  for (let next = from; next < from + count; next += 1) {
    if (hours !== undefined && Date.now() - startedAt > hours * HOUR_MS) break;
    if (!(await runSeed(next)) && !argv.includes('--all')) return false;
  }
  return true;
}

process.exitCode = (await main()) ? 0 : 1;
