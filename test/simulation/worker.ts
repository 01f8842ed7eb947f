/** Runs every `step`th seed from `from` to `to`, in a thread of its own; tells what they came to, or which one failed. */
import { parentPort, workerData } from 'node:worker_threads';
import { addTo, newSum, runSeed } from './seeds.ts';

const { from, to, step } = workerData as { readonly from: number; readonly to: number; readonly step: number };
const sum = newSum();
for (let seed = from; seed <= to; seed += step) {
  const result = await runSeed(seed);
  addTo(sum, { counts: result, met: result.met });
}
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(sum);
