import { Defect, EnvironmentError, ThrottleError } from '../../kernel/errors.ts';
import type { Environment } from '../../ports/environment.ts';
import type {
  Script,
  ScriptArgument,
  ScriptFailure,
  ScriptOutcome,
  ScriptRuntime,
  ScriptSpec,
} from '../../ports/script.ts';
import { DEFAULT_LIMITS, PARAMETERS_MAX, POOL_LIMITS, TEXT_CHARACTERS_MAX, type PoolLimits } from './limits.ts';
import { loadEngine } from './load.ts';
import type { EngineSpec } from './messages.ts';
import { Task } from './task.ts';
import { Thread, type BatchEnd } from './thread.ts';
import type { WasmModule } from './web-assembly.ts';

/** What the runtime needs of its surroundings. */
export type QuickJsParts = Pick<Environment, 'clock' | 'log' | 'meter'>;

/** Runs scripts in QuickJS, in a bounded number of threads that are started when there is something to run. */
export function openQuickJs(parts: QuickJsParts, limits: Partial<PoolLimits> = {}): ScriptRuntime {
  return new Pool(parts, { ...POOL_LIMITS, ...limits });
}

const TOO_LONG: ScriptFailure = { kind: 'syntax', message: `longer than ${TEXT_CHARACTERS_MAX} characters` };

class Pool implements ScriptRuntime {
  readonly #parts: QuickJsParts;
  readonly #limits: PoolLimits;
  readonly #waiting: Task[] = [];
  /** Idle threads with what cancels their end; the one used last is the last. */
  readonly #idle = new Map<Thread, () => void>();
  readonly #threads = new Set<Thread>();
  #engine: Promise<WasmModule> | undefined;
  #starting = 0;
  #heldBytes = 0;
  #ids = 0;
  #isClosed = false;

  constructor(parts: QuickJsParts, limits: PoolLimits) {
    [this.#parts, this.#limits] = [parts, limits];
  }

  open({ name, text, parameters, limits }: ScriptSpec): Script {
    if (parameters.length === 0 || parameters.length > PARAMETERS_MAX)
      throw new Defect(`a script has 1 to ${PARAMETERS_MAX} parameters`);
    this.#ids += 1;
    const spec: EngineSpec = { id: this.#ids, text, parameters, limits: { ...DEFAULT_LIMITS, ...limits } };
    const run = async (calls: readonly (readonly ScriptArgument[])[]): Promise<readonly ScriptOutcome[]> => {
      if (text.length > TEXT_CHARACTERS_MAX)
        return (calls.length === 0 ? [[]] : calls).map(() => ({ failure: TOO_LONG, printed: [] }));
      return await this.#run(new Task(spec, name, calls));
    };
    return {
      problem: async () => (await run([]))[0]?.failure,
      call: async (calls) => {
        const outcomes = calls.length === 0 ? [] : await run(calls);
        for (const { failure } of outcomes)
          this.#parts.meter.count('script_calls_total', { outcome: failure?.kind ?? 'ok' });
        return outcomes;
      },
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const task of this.#waiting.splice(0)) task.fail(closed());
    for (const cancel of this.#idle.values()) cancel();
    await Promise.all([...this.#threads].map(async (thread) => await thread.close()));
  }

  async #run(task: Task): Promise<readonly ScriptOutcome[]> {
    if (this.#isClosed) throw closed();
    if (this.#heldBytes > 0 && this.#heldBytes + task.bytes > this.#limits.waitingBytesMax)
      throw new ThrottleError('ScriptsBusy', 'too much waits for the scripts already');
    this.#hold(task.bytes);
    this.#waiting.push(task);
    this.#serve();
    try {
      return await task.finished;
    } finally {
      this.#hold(-task.bytes);
    }
  }

  #hold(bytes: number): void {
    this.#heldBytes += bytes;
    this.#parts.meter.gauge('script_waiting_bytes', {}, this.#heldBytes);
  }

  /** Gives waiting tasks to idle threads, and starts threads while there may be more. */
  #serve(): void {
    for (const [thread, cancel] of [...this.#idle].toReversed()) {
      const task = this.#waiting.shift();
      if (task === undefined) return;
      this.#idle.delete(thread);
      cancel();
      if (thread.hasEnded) {
        this.#threads.delete(thread);
        this.#waiting.unshift(task);
      } else void this.#work(thread, task);
    }
    const free = this.#limits.workersMax - this.#threads.size - this.#starting;
    for (let more = Math.min(free, this.#waiting.length - this.#starting); more > 0; more -= 1) void this.#start();
  }

  async #start(): Promise<void> {
    this.#starting += 1;
    const startedAt = this.#parts.clock.monotonic();
    try {
      this.#engine ??= loadEngine();
      const wasm = await this.#engine;
      if (this.#isClosed) return;
      const thread = new Thread(wasm, this.#parts.clock, startedAt);
      this.#threads.add(thread);
      this.#count();
      this.#rest(thread);
    } catch (error) {
      this.#engine = undefined;
      for (const task of this.#waiting.splice(0)) task.fail(error as Error);
    } finally {
      this.#starting -= 1;
    }
    this.#serve();
  }

  /** A thread without work is ended after a while. */
  #rest(thread: Thread): void {
    const cancel = this.#parts.clock.timer(this.#limits.idleMs, () => {
      this.#idle.delete(thread);
      void this.#retire(thread);
    });
    this.#idle.set(thread, cancel);
  }

  async #work(thread: Thread, task: Task): Promise<void> {
    const end = await thread.run(task.batch());
    if (this.#isClosed) return task.fail(closed());
    if (end.done === undefined) {
      this.#lost(thread, task, end);
    } else {
      // Behind the others: a script that takes long does not hold them up.
      if (!task.advance(end.done)) this.#waiting.push(task);
      if (end.done.isSpent) void this.#retire(thread);
      else this.#rest(thread);
    }
    this.#serve();
  }

  /** A thread has ended with a call that it could not end, or without having begun one. */
  #lost(thread: Thread, task: Task, { begun, reason, message }: Exclude<BatchEnd, { readonly done: object }>): void {
    this.#threads.delete(thread);
    this.#count();
    this.#parts.meter.count('script_workers_ended_total', { reason });
    this.#parts.log.warn('script.worker-ended', { script: task.name, reason, message });
    if (begun === 0 && reason !== 'time')
      return task.fail(new EnvironmentError('EOTHER', `no engine for scripts: ${message}`));
    const text = reason === 'time' ? message : `the engine gave up: ${message}`;
    const failure: ScriptFailure = { kind: reason === 'time' ? 'time' : 'memory', message: text };
    // A script that cannot be read in time fails the call that wanted it.
    if (!task.failed(Math.max(0, begun - 1), failure)) this.#waiting.push(task);
  }

  async #retire(thread: Thread): Promise<void> {
    await thread.close();
    this.#threads.delete(thread);
    this.#count();
    this.#serve();
  }

  #count(): void {
    this.#parts.meter.gauge('script_workers', {}, this.#threads.size);
  }
}

function closed(): EnvironmentError {
  return new EnvironmentError('EOTHER', 'the engine for scripts is closed');
}
