import { Worker } from 'node:worker_threads';
import { messageOf } from '../../kernel/errors.ts';
import type { Clock } from '../../ports/environment.ts';
import { PROGRESS, STEP, type Batch, type BatchDone, type WorkerStart } from './messages.ts';
import type { WasmModule } from './web-assembly.ts';

/** How long a thread may take to start; on a machine that does much else it takes long. */
const START_MS = 10_000;
/** The same for an engine, which has nothing of its script yet. */
const PREPARE_MS = 3000;
/**
 * How long an engine may read its script, where a call has less: the compiler cannot be interrupted, and there are
 * texts that it needs quadratic time for. The longest of scripts without such tricks takes 0.2 s.
 */
const READ_MS = 400;
/** How often a busy thread is looked at, for each limit of a call. */
const LOOKS_PER_LIMIT = 16;
/** A call has this many times its limit until its thread is ended. */
const HARD_LIMITS = 2;
/**
 * The first call of a thread waits for its start as well, and who waits for the call has no more time than others: it
 * has this share of a call's bound, the start included, and never less than that share of the call itself. Reading has
 * its whole bound: the longest scripts need it.
 */
const WITH_START = 9 / 8;
const LEAST = 5 / 8;
/** The platform's own bounds, well above what an engine and its texts need. */
const RESOURCES = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8, stackSizeMb: 8 };

/** How a batch ended: answered, or with its thread. */
export type BatchEnd =
  | { readonly done: BatchDone }
  | {
      readonly done?: undefined;
      /** Calls of the batch that were begun or read for; the last of them is what ended the thread. */
      readonly begun: number;
      readonly reason: 'time' | 'crash' | 'closed';
      readonly message: string;
    };

/** One worker thread; runs one batch at a time, and is ended when a call cannot be interrupted. */
export class Thread {
  readonly #worker: Worker;
  readonly #clock: Clock;
  readonly #progress = new SharedArrayBuffer(Object.keys(PROGRESS).length * Int32Array.BYTES_PER_ELEMENT);
  readonly #told = new Int32Array(this.#progress);
  readonly #bornAt: number;
  #isReady = false;
  #readyAt = 0;
  #reason: 'time' | 'crash' | 'closed' = 'crash';
  #message = 'the thread ended';
  #end: ((end: BatchEnd) => void) | undefined;
  #countBefore = 0;
  #hasEnded = false;

  /** `bornAt`: since when somebody waits for it, on the clock's monotonic time. */
  constructor(wasm: WasmModule, clock: Clock, bornAt: number) {
    [this.#clock, this.#bornAt] = [clock, bornAt];
    const workerData: WorkerStart = { wasm, progress: this.#progress };
    const options = { workerData, env: {}, execArgv: [], resourceLimits: RESOURCES, stdout: true, stderr: true };
    this.#worker = new Worker(new URL('./worker/main.js', import.meta.url), options);
    // The engine's own last words are in its error, too.
    this.#worker.stdout.resume();
    this.#worker.stderr.resume();
    this.#worker.on('message', (message: BatchDone | 'ready') => this.#heard(message));
    this.#worker.on('error', (error: unknown) => {
      this.#message = messageOf(error);
    });
    this.#worker.on('exit', () => {
      this.#hasEnded = true;
      const begun = this.#begun() + (Atomics.load(this.#told, PROGRESS.step) === STEP.reading ? 1 : 0);
      this.#finish({ begun, reason: this.#reason, message: this.#message });
    });
  }

  /** Whether it can run nothing any more. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Resolves when the thread has answered or ended; never rejects. */
  async run(batch: Batch): Promise<BatchEnd> {
    this.#countBefore = Atomics.load(this.#told, PROGRESS.begun);
    Atomics.store(this.#told, PROGRESS.step, STEP.preparing);
    this.#worker.ref();
    const cancel = this.#watch(batch.spec.limits.timeMs);
    try {
      return await new Promise<BatchEnd>((resolve) => {
        this.#end = resolve;
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
        this.#worker.postMessage(batch);
      });
    } finally {
      cancel();
      // Who waits for nothing else may end.
      this.#worker.unref();
    }
  }

  /** Ends the thread at once. */
  async close(): Promise<void> {
    await this.#terminate('closed', 'the engine is closed');
  }

  #heard(message: BatchDone | 'ready'): void {
    if (message === 'ready') this.#started();
    else this.#finish({ done: message });
  }

  #started(): void {
    this.#isReady = true;
    this.#readyAt = this.#clock.monotonic();
  }

  #finish(end: BatchEnd): void {
    const finish = this.#end;
    this.#end = undefined;
    finish?.(end);
  }

  /** Looks at what the thread tells again and again, as it cannot say that it hangs. */
  #watch(timeMs: number): () => void {
    const clock = this.#clock;
    const isStarting = !this.#isReady;
    let seen = '';
    let since = clock.monotonic();
    let cancel = (): void => undefined;
    const look = (): void => {
      const now = [PROGRESS.begun, PROGRESS.step].map((place) => Atomics.load(this.#told, place)).join();
      if (now !== seen) [seen, since] = [now, clock.monotonic()];
      since = Math.max(since, this.#readyAt);
      const [withinMs, what] = this.#bound(timeMs);
      const isHasty = isStarting && this.#isAtFirstCall();
      const endsAt = isHasty ? this.#hastyEnd(since, withinMs) : since + withinMs;
      const leftMs = endsAt - clock.monotonic();
      if (leftMs <= 0) void this.#terminate(this.#isReady ? 'time' : 'crash', what);
      else cancel = clock.timer(Math.min(leftMs, timeMs / LOOKS_PER_LIMIT), look);
    };
    look();
    return () => cancel();
  }

  /** How long the step may take that the thread is at, and what is said once it has. */
  #bound(timeMs: number): readonly [withinMs: number, what: string] {
    if (!this.#isReady) return [START_MS, `was not ready within ${START_MS} ms`];
    const step = Atomics.load(this.#told, PROGRESS.step);
    if (step === STEP.preparing) return [PREPARE_MS, `was not ready within ${PREPARE_MS} ms`];
    const hardMs = timeMs * HARD_LIMITS;
    if (step === STEP.calling) return [hardMs, `took longer than ${timeMs} ms`];
    const readMs = Math.max(READ_MS, hardMs);
    return [readMs, `could not be read within ${readMs} ms`];
  }

  #isAtFirstCall(): boolean {
    const isCalling = Atomics.load(this.#told, PROGRESS.step) === STEP.calling;
    return this.#isReady && isCalling && this.#begun() <= 1;
  }

  #hastyEnd(since: number, withinMs: number): number {
    const least = since + withinMs * LEAST;
    return Math.min(since + withinMs, Math.max(least, this.#bornAt + withinMs * WITH_START));
  }

  /** Calls of this batch so far; the count starts anew below zero after 2^31 calls. */
  #begun(): number {
    return (Atomics.load(this.#told, PROGRESS.begun) - this.#countBefore) | 0;
  }

  async #terminate(reason: 'time' | 'crash' | 'closed', message: string): Promise<void> {
    [this.#reason, this.#message] = [reason, message];
    await this.#worker.terminate();
  }
}
