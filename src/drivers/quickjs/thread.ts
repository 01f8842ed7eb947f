import { Worker } from 'node:worker_threads';
import type { Clock } from '../../ports/environment.ts';
import type { Batch, BatchDone, WorkerStart } from './messages.ts';
import type { WasmModule } from './web-assembly.ts';

/** How long a thread may take to start; on a machine that does much else it takes long. */
const START_MS = 10_000;
/** The same for an engine that reads its script. */
const READ_MS = 3000;
/** How often a busy thread is looked at, for each limit of a call. */
const LOOKS_PER_LIMIT = 8;
/** A call has this many times its limit until its thread is ended. */
const HARD_LIMITS = 2;
/** The platform's own bounds, well above what an engine and its texts need. */
const RESOURCES = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8, stackSizeMb: 8 };

/** How a batch ended: answered, or with its thread. */
export type BatchEnd =
  | { readonly done: BatchDone }
  | {
      readonly done?: undefined;
      /** Calls of the batch that were begun; the last of them is what ended the thread. */
      readonly begun: number;
      readonly reason: 'time' | 'crash' | 'closed';
      readonly message: string;
    };

/** One worker thread; runs one batch at a time, and is ended when a call cannot be interrupted. */
export class Thread {
  readonly #worker: Worker;
  readonly #clock: Clock;
  readonly #begun = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  readonly #count = new Int32Array(this.#begun);
  #isReady = false;
  #readyAt = 0;
  #reason: 'time' | 'crash' | 'closed' = 'crash';
  #message = 'the thread ended';
  #end: ((end: BatchEnd) => void) | undefined;
  #countBefore = 0;
  #hasEnded = false;

  constructor(wasm: WasmModule, clock: Clock) {
    this.#clock = clock;
    const workerData: WorkerStart = { wasm, begun: this.#begun };
    const options = { workerData, env: {}, execArgv: [], resourceLimits: RESOURCES, stdout: true, stderr: true };
    this.#worker = new Worker(new URL('./worker/main.js', import.meta.url), options);
    // The engine's own last words are in its error, too.
    this.#worker.stdout.resume();
    this.#worker.stderr.resume();
    this.#worker.on('message', (message: BatchDone | 'ready') => this.#heard(message));
    this.#worker.on('error', (error: unknown) => {
      this.#message = error instanceof Error ? error.message : String(error);
    });
    this.#worker.on('exit', () => {
      this.#hasEnded = true;
      // The count starts anew below zero after 2^31 calls.
      const begun = (Atomics.load(this.#count, 0) - this.#countBefore) | 0;
      this.#finish({ begun, reason: this.#reason, message: this.#message });
    });
  }

  /** Whether it can run nothing any more. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Resolves when the thread has answered or ended; never rejects. */
  async run(batch: Batch): Promise<BatchEnd> {
    this.#countBefore = Atomics.load(this.#count, 0);
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

  /** Looks at the count of begun calls again and again, as the thread cannot say that it hangs. */
  #watch(timeMs: number): () => void {
    const clock = this.#clock;
    let seen = this.#countBefore;
    let since = clock.monotonic();
    let cancel = (): void => undefined;
    const look = (): void => {
      const count = Atomics.load(this.#count, 0);
      if (count !== seen) [seen, since] = [count, clock.monotonic()];
      since = Math.max(since, this.#readyAt);
      const isCalling = this.#isReady && count !== this.#countBefore;
      const withinMs = isCalling ? timeMs * HARD_LIMITS : this.#isReady ? READ_MS : START_MS;
      if (clock.monotonic() - since >= withinMs) {
        const what = isCalling ? `took longer than ${timeMs} ms` : `was not ready within ${withinMs} ms`;
        void this.#terminate(this.#isReady ? 'time' : 'crash', what);
      } else cancel = clock.timer(timeMs / LOOKS_PER_LIMIT, look);
    };
    cancel = clock.timer(timeMs / LOOKS_PER_LIMIT, look);
    return () => cancel();
  }

  async #terminate(reason: 'time' | 'crash' | 'closed', message: string): Promise<void> {
    [this.#reason, this.#message] = [reason, message];
    await this.#worker.terminate();
  }
}
