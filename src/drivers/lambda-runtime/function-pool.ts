import { EnvironmentError, ThrottleError } from '../../kernel/errors.ts';
import { backoffMs } from '../../kernel/flow/backoff.ts';
import type { Environment } from '../../ports/environment.ts';
import type {
  FunctionOutcome,
  FunctionRun,
  FunctionSpec,
  FunctionStats,
  OpenFunction,
} from '../../ports/function-runtime.ts';
import { watchCode } from './code-watch.ts';
import { unrun } from './failures.ts';
import { HandlerChild, type Launch } from './handler-child.ts';
import { runtimeLimits } from './limits.ts';
import type { IdleWatch } from './idle-watch.ts';
import type { MemoryWatch } from './memory-watch.ts';

/** What the processes of one function are made with. */
export interface PoolParts {
  readonly spec: FunctionSpec;
  /** How to start one. Rejects with EnvironmentError when something is missing. */
  readonly launch: () => Promise<Launch>;
  readonly environment: Environment;
  readonly memory: MemoryWatch;
  readonly idle: IdleWatch;
}

interface Waiting {
  readonly run: FunctionRun;
  /** Whose process was chosen for it. */
  handler: HandlerChild | undefined;
  readonly resolve: (outcome: FunctionOutcome) => void;
  readonly reject: (error: unknown) => void;
}

interface Slot {
  readonly handler: HandlerChild;
  /** Of the code that it has loaded. */
  readonly generation: number;
  cancelIdle: (() => void) | undefined;
}

/** The processes of one function and the events that wait for one. */
export class FunctionPool implements OpenFunction {
  readonly #parts: PoolParts;
  readonly #idle: Slot[] = [];
  readonly #all = new Set<Slot>();
  readonly #queue: Waiting[] = [];
  /** Those that a process is being started for, or runs. */
  readonly #serving = new Set<Waiting>();
  readonly #unwatch: () => void;
  #queuedBytes = 0;
  #generation = 0;
  /** Processes in a row that could not load the code, and when the next one may be started. */
  #failedStarts = 0;
  #startsFrom = 0;
  #isClosed = false;
  /** The time for what runs is over too. */
  #isOver = false;
  #drained: (() => void) | undefined;

  constructor(parts: PoolParts) {
    this.#parts = parts;
    const { spec, environment } = parts;
    this.#unwatch = spec.isWatched ? watchCode(spec.codeDirectory, environment, () => this.#renew()) : () => undefined;
  }

  async run(run: FunctionRun): Promise<FunctionOutcome> {
    if (this.#isClosed) throw stopping();
    const { waitingMax, waitingBytesMax } = runtimeLimits;
    const isFull = this.#queue.length >= waitingMax || this.#queuedBytes + run.event.length > waitingBytesMax;
    if (!this.#hasRoom() && isFull) throw new ThrottleError('TooManyRequestsException', 'Rate Exceeded.');
    const { requestId, signal } = run;
    if (signal?.aborted === true) return unrun(requestId);
    let leave = (): void => undefined;
    const outcome = new Promise<FunctionOutcome>((resolve, reject) => {
      const waiting: Waiting = { run, handler: undefined, resolve, reject };
      leave = () => this.#leave(waiting);
      // Before the process listens: it may end with the event.
      signal?.addEventListener('abort', leave, { once: true });
      this.#queue.push(waiting);
      this.#queuedBytes += run.event.length;
      this.#next();
    });
    try {
      return await outcome;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  stats(): FunctionStats {
    return { processes: this.#all.size, running: this.#serving.size, waiting: this.#queue.length };
  }

  async close(withinMs: number): Promise<void> {
    this.#isClosed = true;
    this.#unwatch();
    const { clock } = this.#parts.environment;
    if (this.#serving.size > 0 && withinMs > 0) {
      const end = new AbortController();
      const drained = new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
      await Promise.race([drained, clock.sleep(withinMs, end.signal)]);
      end.abort();
    }
    this.#isOver = true;
    for (const { run, reject } of this.#queue.splice(0)) {
      this.#queuedBytes -= run.event.length;
      reject(stopping());
    }
    for (const waiting of this.#serving) {
      // Its process may still load the code: what was not begun has not failed.
      if (waiting.handler?.hasTaken === true) continue;
      this.#serving.delete(waiting);
      waiting.reject(stopping());
    }
    for (const slot of this.#all) this.#end(slot);
  }

  #hasRoom(): boolean {
    return this.#serving.size < this.#parts.spec.concurrencyMax;
  }

  #next(): void {
    while (this.#queue.length > 0 && this.#hasRoom()) {
      const waiting = this.#queue.shift();
      if (waiting === undefined) return;
      this.#queuedBytes -= waiting.run.event.length;
      this.#serving.add(waiting);
      void this.#serve(waiting);
    }
    if (this.#serving.size === 0) this.#drained?.();
  }

  /** Nobody waits for it any more: it makes room at once, and only a process that is at work on it ends it itself. */
  #leave(waiting: Waiting): void {
    const { run, handler, resolve } = waiting;
    const at = this.#queue.indexOf(waiting);
    if (at >= 0) {
      this.#queue.splice(at, 1);
      this.#queuedBytes -= run.event.length;
    }
    if (handler?.hasTaken !== true) resolve(unrun(run.requestId));
  }

  async #serve(waiting: Waiting): Promise<void> {
    const { run, resolve, reject } = waiting;
    try {
      let outcome: FunctionOutcome | undefined;
      // A new process takes what it was started for: only idle ones can leave an event to the next.
      while (outcome === undefined && run.signal?.aborted !== true) {
        const slot = this.#takeIdle() ?? (await this.#start(run.signal));
        if (slot === undefined) break;
        waiting.handler = slot.handler;
        outcome = await slot.handler.run(run);
        this.#ran(slot);
      }
      resolve(outcome ?? unrun(run.requestId));
    } catch (error) {
      reject(error);
    } finally {
      this.#serving.delete(waiting);
      this.#next();
    }
  }

  #takeIdle(): Slot | undefined {
    for (let slot = this.#idle.pop(); slot !== undefined; slot = this.#idle.pop()) {
      slot.cancelIdle?.();
      if (slot.handler.isFit() && slot.generation === this.#generation) return slot;
      this.#end(slot);
    }
    return undefined;
  }

  /**
   * A function that cannot be loaded is tried again later and later, however many events come. Undefined: until then
   * nobody waited for it any more. Rejects when it is closed meanwhile.
   */
  async #start(signal: AbortSignal | undefined): Promise<Slot | undefined> {
    const { spec, environment, memory, idle, launch } = this.#parts;
    const { clock } = environment;
    const waitMs = this.#startsFrom - clock.monotonic();
    if (waitMs > 0) await clock.sleep(waitMs, signal);
    if (signal?.aborted === true) return undefined;
    if (this.#isOver) throw stopping();
    const generation = this.#generation;
    let slot: Slot | undefined;
    const ended = (): void => {
      if (slot === undefined) return;
      this.#all.delete(slot);
      this.#retire(slot);
    };
    const handler = new HandlerChild({ spec, launch: await launch(), environment, memory, idle, ended });
    slot = { handler, generation, cancelIdle: undefined };
    try {
      await handler.start();
    } catch (error) {
      this.#noteStart(false);
      throw error instanceof EnvironmentError ? error : new EnvironmentError('EOTHER', String(error), error);
    }
    this.#all.add(slot);
    if (!this.#isOver) return slot;
    this.#end(slot);
    throw stopping();
  }

  #noteStart(hasLoaded: boolean): void {
    const { clock, random } = this.#parts.environment;
    this.#failedStarts = hasLoaded ? 0 : this.#failedStarts + 1;
    const { restartBaseMs: baseMs, restartMaxMs: maxMs } = runtimeLimits;
    const waitMs = hasLoaded ? 0 : backoffMs(this.#failedStarts, { baseMs, maxMs }, random.fraction());
    this.#startsFrom = clock.monotonic() + waitMs;
  }

  #ran(slot: Slot): void {
    const { clock } = this.#parts.environment;
    this.#noteStart(slot.handler.hasLoaded);
    const isUsable = slot.handler.isAlive && slot.handler.hasLoaded && slot.generation === this.#generation;
    if (!isUsable || this.#isClosed) return this.#end(slot);
    slot.cancelIdle = clock.timer(this.#parts.spec.idleMs, () => this.#retire(slot));
    this.#idle.push(slot);
  }

  #retire(slot: Slot): void {
    const at = this.#idle.indexOf(slot);
    if (at < 0) return;
    this.#idle.splice(at, 1);
    this.#end(slot);
  }

  /** The code has changed: idle processes go, busy ones when their event is over. */
  #renew(): void {
    this.#generation += 1;
    this.#failedStarts = 0;
    this.#startsFrom = 0;
    this.#parts.environment.log.info('function.reloaded', { function: this.#parts.spec.name });
    for (const slot of this.#idle.splice(0)) this.#end(slot);
  }

  #end(slot: Slot): void {
    slot.cancelIdle?.();
    this.#all.delete(slot);
    slot.handler.end();
  }
}

function stopping(): ThrottleError {
  return new ThrottleError('TooManyRequestsException', 'The function is being stopped.');
}
