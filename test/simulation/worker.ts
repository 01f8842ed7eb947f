/** Runs every `step`th seed from `from` to `to`, in a thread of its own; tells what they came to, or which one failed. */
import { parentPort, workerData } from 'node:worker_threads';
import { addTo, NOTHING, runSeed } from './seeds.ts';

const { from, to, step } = workerData as { readonly from: number; readonly to: number; readonly step: number };
const sum = { ...NOTHING };
for (let seed = from; seed <= to; seed += step) addTo(sum, await runSeed(seed));
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(sum);
