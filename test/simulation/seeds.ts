import { Worker } from 'node:worker_threads';
import { planOfSeed } from '../../src/testing/simulation/grammar.ts';
import { simulate, type SimulationResult } from '../../src/testing/simulation/simulate.ts';

/** What runs are counted by. */
const NOTHING = {
  lives: 0,
  crashes: 0,
  failures: 0,
  refused: 0,
  acknowledged: 0,
  doubted: 0,
  objects: 0,
  followed: 0,
  ends: 0,
  handed: 0,
  arrived: 0,
  lines: 0,
  processed: 0,
};

/** What many runs came to together, and how often each thing happened in them. */
export interface Sum {
  readonly counts: typeof NOTHING;
  readonly met: Record<string, number>;
}

/** The sum of no runs. */
export function newSum(): Sum {
  return { counts: { ...NOTHING }, met: {} };
}

/** Adds a run, or a sum of runs, to a sum. */
export function addTo({ counts, met }: Sum, more: Pick<Sum, 'counts'> & Pick<SimulationResult, 'met'>): void {
  for (const name of Object.keys(counts) as (keyof typeof NOTHING)[]) counts[name] += more.counts[name];
  for (const [name, count] of Object.entries(more.met)) met[name] = (met[name] ?? 0) + count;
}

/** Runs one seed; an error says how to see it again. */
export async function runSeed(seed: number): Promise<SimulationResult> {
  try {
    return await simulate(planOfSeed(seed));
  } catch (error) {
    const again = `npm run simulate -- --seed ${seed}`;
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`seed ${seed}: ${message}; see it again with: ${again}`, { cause: error });
  }
}

/** Runs the seeds 1 to `seeds` in `threads` threads. Rejects with the first that fails. */
export async function runSeeds(seeds: number, threads: number): Promise<Sum> {
  const sum = newSum();
  const workers = Array.from({ length: threads }, (_, index) => inThread(index + 1, seeds, threads));
  for (const one of await Promise.all(workers)) addTo(sum, one);
  return sum;
}

async function inThread(from: number, to: number, step: number): Promise<Sum> {
  const worker = new Worker(new URL('worker.js', import.meta.url), { workerData: { from, to, step } });
  return await new Promise<Sum>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}
