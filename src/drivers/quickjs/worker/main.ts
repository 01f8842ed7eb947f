/** A thread that runs scripts: one message in, one message out, until it is ended. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ScriptFailure, ScriptOutcome } from '../../../ports/script.ts';
import { PROGRESS, STEP, type Batch, type BatchDone, type EngineSpec, type WorkerStart } from '../messages.ts';
import { Engine, EngineSpent } from './engine.ts';

/** After so long the thread answers with what it has, so that other scripts get their turn. */
const SLICE_MS = 100;
const OUTCOME_CHARACTERS_MAX = 4 * 1024 * 1024;
/** Engines that stay ready; the one that was not used for longest goes first. */
const ENGINES_MAX = 8;
/** Memory never shrinks again: beyond so much of it the thread is ended. */
const GROWN_BYTES_MAX = 32 * 1024 * 1024;

const { wasm, progress } = workerData as WorkerStart;
const told = new Int32Array(progress);
const engines = new Map<number, Engine>();

async function engineOf(spec: EngineSpec): Promise<Engine> {
  const engine = engines.get(spec.id) ?? (await Engine.create(wasm, spec));
  engines.delete(spec.id);
  engines.set(spec.id, engine);
  const [oldest] = engines.keys();
  if (engines.size > ENGINES_MAX && oldest !== undefined) engines.delete(oldest);
  return engine;
}

function read(engine: Engine): ScriptFailure | undefined {
  Atomics.store(told, PROGRESS.step, STEP.reading);
  return engine.problem();
}

async function run({ spec, bytes, calls }: Batch): Promise<BatchDone> {
  const engine = await engineOf(spec);
  const outcomes: (string | ScriptOutcome)[] = [];
  const until = performance.now() + SLICE_MS;
  let characters = 0;
  try {
    if (calls.length === 0) return { outcomes, problem: read(engine), isSpent: false };
    for (const call of calls) {
      const problem = read(engine);
      Atomics.add(told, PROGRESS.begun, 1);
      Atomics.store(told, PROGRESS.step, STEP.calling);
      const outcome = problem === undefined ? engine.call(call, bytes) : { failure: problem, printed: [] };
      outcomes.push(outcome);
      characters += typeof outcome === 'string' ? outcome.length : (outcome.json?.length ?? 0);
      if (performance.now() > until || characters > OUTCOME_CHARACTERS_MAX || engine.isSpent) break;
    }
  } catch (error) {
    if (!(error instanceof EngineSpent)) throw error;
    if (calls.length === 0) return { outcomes, problem: error.failure, isSpent: true };
    outcomes.push({ failure: error.failure, printed: [] });
    return { outcomes, isSpent: true };
  }
  const grownBytes = [...engines.values()].reduce((sum, one) => sum + one.grownBytes, 0);
  return { outcomes, isSpent: engine.isSpent || grownBytes > GROWN_BYTES_MAX };
}

parentPort?.on('message', (batch: Batch) => {
  // What rejects here is a bug: it ends the thread, and the host sees that.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  void run(batch).then((done) => parentPort?.postMessage(done));
});
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage('ready');
