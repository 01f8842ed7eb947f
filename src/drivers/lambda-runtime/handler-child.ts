import { spawn, type ChildProcess } from 'node:child_process';
import { kill } from 'node:process';
import { EnvironmentError, messageOf } from '../../kernel/errors.ts';
import { nextTurn } from '../../kernel/flow/next-turn.ts';
import type { FunctionOutcome, FunctionRun, FunctionSpec } from '../../ports/function-runtime.ts';
import type { Environment } from '../../ports/environment.ts';
import {
  abandoned,
  exited,
  outOfMemory,
  posted,
  timedOut,
  tooLarge,
  unrun,
  type Exit,
  type RunFailure,
} from './failures.ts';
import { runtimeLimits } from './limits.ts';
import type { IdleWatch, IdleWatched } from './idle-watch.ts';
import type { MemoryWatch } from './memory-watch.ts';
import { Output } from './output.ts';
import { ResidentMemory } from './resident-memory.ts';
import { RuntimeApi } from './runtime-api.ts';

/** How the program of a handler is started. */
export interface Launch {
  readonly command: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
}

/** What a process needs beside its function. */
export interface ProcessParts {
  readonly spec: FunctionSpec;
  readonly launch: Launch;
  readonly environment: Environment;
  readonly memory: MemoryWatch;
  readonly idle: IdleWatch;
  /** It is gone. */
  readonly ended: () => void;
}

/**
 * The leader of the group is the handler itself. Beside it one shell sleeps until the node's end of a pipe closes, by
 * whatever end of the node, and then ends the group: also of a handler that never looks up.
 */
const LAUNCHER = '(read -r _; kill -KILL 0) <&3 >/dev/null 2>&1 & exec "$@" 3<&-';

/** `untaken`: the process ended before it asked for the event; `unrun`: nobody waited for it any more before that. */
type Answer = RunFailure | { readonly payload: Uint8Array } | 'untaken' | 'unrun';

interface Running {
  readonly run: FunctionRun;
  readonly startedAt: number;
  readonly settle: (answer: Answer) => void;
  readonly release: () => void;
}

/** One process of a function: runs one event at a time, as long as it lives. */
export class HandlerChild {
  readonly #parts: ProcessParts;
  readonly #output = new Output();
  readonly #api: RuntimeApi;
  readonly #watched: IdleWatched;
  #child: ChildProcess | undefined;
  #bornAt = 0;
  /** Set once the code is loaded. */
  #initMs: number | undefined;
  #isInitTold = false;
  #initFailure: RunFailure | undefined;
  #running: Running | undefined;
  /** It has answered the event that it was given last. */
  #hasAnswered = false;
  #exit: Exit | undefined;
  #isEnding = false;
  #memoryPeak = 0;
  #resident: ResidentMemory | undefined;
  #loaded: () => void = () => undefined;
  readonly #isLoaded: Promise<void>;

  constructor(parts: ProcessParts) {
    this.#parts = parts;
    this.#isLoaded = new Promise((resolve) => {
      this.#loaded = resolve;
    });
    this.#api = new RuntimeApi({
      asked: () => this.#asked(),
      answered: (payload) => this.#answered(payload === undefined ? LARGE : { payload }),
      failed: (payload, type) => this.#answered(posted(payload, type)),
      initFailed: (payload, type) => this.#initFailed(posted(payload, type)),
    });
    const pid = (): number => this.#child?.pid ?? 0;
    this.#watched = {
      get pid() {
        return pid();
      },
      residentBytes: () => this.#resident?.bytes(),
      found: (bytes) => this.#foundMemory(bytes),
      spun: () => this.end(),
    };
  }

  /** Whether its code was loaded: what fails before is no fault of an event. */
  get hasLoaded(): boolean {
    return this.#initMs !== undefined;
  }

  get isAlive(): boolean {
    return this.#child !== undefined && this.#exit === undefined && !this.#isEnding && this.#initFailure === undefined;
  }

  /** Whether it has taken the event that it was given last: the time before is not the event's. */
  get hasTaken(): boolean {
    return this.#api.isAtWork || this.#hasAnswered;
  }

  /** Alive and within its memory; beyond it the process ends, and no event pays for what was done between two. */
  isFit(): boolean {
    if (!this.isAlive) return false;
    const bytes = this.#watched.residentBytes();
    // One that has died holds nothing: that is known before its end is heard of, and an event would go to nobody.
    if (bytes === 0) this.end();
    else this.#foundMemory(bytes ?? 0);
    return this.isAlive;
  }

  /** Rejects with EnvironmentError when there can be no process. */
  async start(): Promise<void> {
    const { spec, environment } = this.#parts;
    const address = await this.#api.listen();
    this.#bornAt = environment.clock.monotonic();
    try {
      await this.#spawn(address);
    } catch (error) {
      this.#api.close();
      this.#exit ??= { code: null, signal: null };
      const message = messageOf(error);
      throw new EnvironmentError('EOTHER', `the function ${spec.name} cannot be started: ${message}`, error);
    }
  }

  async #spawn(address: string): Promise<void> {
    const { spec, launch } = this.#parts;
    const child = spawn('/bin/sh', ['-c', LAUNCHER, 'sh', ...launch.command], {
      cwd: spec.codeDirectory,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: { ...launch.variables, AWS_LAMBDA_RUNTIME_API: address },
    });
    // First of all: an error that nobody listens to ends the node.
    const spawned = new Promise<void>((resolve, reject) => void child.once('spawn', resolve).on('error', reject));
    // Without a process there may be no pipes either.
    if (child.pid !== undefined) this.#listen(child, child.pid);
    await spawned;
  }

  #listen(child: ChildProcess, pid: number): void {
    this.#child = child;
    this.#resident = new ResidentMemory(pid);
    child.stdio[3]?.on('error', () => undefined);
    child.stdout?.on('data', (bytes: Buffer) => this.#output.add(0, bytes)).on('error', () => undefined);
    child.stderr?.on('data', (bytes: Buffer) => this.#output.add(1, bytes)).on('error', () => undefined);
    child.on('exit', (code, signal) => void this.#ended({ code, signal }));
  }

  /**
   * Runs one event; nobody calls it while another one runs. Undefined when the process ended without having asked for
   * it, as one does that dies of the event before. When nobody waits for the event any more the process ends only if it
   * is at work on it, and the run is not to go on; one that loads its code goes on to. Never rejects.
   */
  async run(run: FunctionRun): Promise<FunctionOutcome | undefined> {
    const { clock } = this.#parts.environment;
    this.#output.begin(run.line);
    this.#hasAnswered = false;
    const answer = await new Promise<Answer>((resolve) => this.#begin(run, resolve));
    const startedAt = this.#running?.startedAt ?? clock.monotonic();
    const durationMs = clock.monotonic() - startedAt;
    this.#running?.release();
    await this.#settled();
    this.#running = undefined;
    clock.soon(() => this.#api.confirm());
    if (this.isFit()) this.#parts.idle.add(this.#watched);
    this.#output.end();
    if (answer === 'untaken') return undefined;
    if (answer === 'unrun') return unrun(run.requestId);
    const initMs = this.#isInitTold ? undefined : this.#initMs;
    this.#isInitTold ||= initMs !== undefined;
    return {
      payload: answer.payload,
      ...('failure' in answer && { failure: answer.failure }),
      durationMs,
      ...(initMs !== undefined && { initMs }),
      memoryBytesPeak: this.#memoryPeak,
    };
  }

  /** Ends the process with all it has started, once: later its number may be another's. */
  end(): void {
    this.#parts.idle.remove(this.#watched);
    if (this.#isEnding) return;
    const pid = this.#child?.pid;
    this.#isEnding = true;
    this.#api.close();
    this.#resident?.close();
    if (pid !== undefined) killGroup(pid);
  }

  #begin(run: FunctionRun, resolve: (answer: Answer) => void): void {
    const { spec, environment, memory, idle } = this.#parts;
    const { clock } = environment;
    const { requestId } = run;
    const kill = (why: () => RunFailure) => (): void => {
      const failure = why();
      this.end();
      settle(failure);
    };
    // The time to load the code is not the handler's; past its bound it is.
    const graceMs = this.hasLoaded ? 0 : runtimeLimits.initMs;
    const expire = kill(() => timedOut(requestId, spec.timeoutMs, clock.now()));
    let cancel = clock.timer(spec.timeoutMs + graceMs, expire);
    const end = kill(() => abandoned(requestId));
    const abort = (): void => {
      if (this.#api.isAtWork) return run.goesOn === true ? undefined : end();
      // What it prints from here on is the next one's.
      this.#output.end();
      this.#api.withdraw();
      if (this.hasLoaded) settle('unrun');
    };
    run.signal?.addEventListener('abort', abort, { once: true });
    idle.remove(this.#watched);
    memory.add(this.#watched);
    const release = (): void => {
      cancel();
      run.signal?.removeEventListener('abort', abort);
      memory.remove(this.#watched);
    };
    let isSettled = false;
    const settle = (answer: Answer): void => {
      if (isSettled) return;
      isSettled = true;
      resolve(answer);
    };
    let startedAt = clock.monotonic();
    this.#running = {
      run,
      settle,
      release,
      get startedAt() {
        return startedAt;
      },
    };
    if (this.#initFailure !== undefined && !this.hasLoaded) return settle(this.#initFailure);
    if (this.#exit !== undefined) return settle(this.hasLoaded ? 'untaken' : exited(requestId, this.#exit));
    const hand = (): void => {
      if (isSettled) return;
      if (run.signal?.aborted === true) return settle('unrun');
      cancel();
      cancel = clock.timer(spec.timeoutMs, expire);
      startedAt = clock.monotonic();
      const deadlineMs = Math.floor(clock.now() + spec.timeoutMs);
      this.#api.hand({ requestId, event: run.event, deadlineMs, arn: spec.arn, traceId: this.#traceId() });
    };
    if (this.hasLoaded) hand();
    else void this.#isLoaded.then(hand);
  }

  #asked(): void {
    if (this.hasLoaded) return;
    this.#initMs = this.#parts.environment.clock.monotonic() - this.#bornAt;
    this.#loaded();
  }

  #answered(answer: Answer): void {
    this.#hasAnswered = this.#running !== undefined;
    this.#running?.settle(answer);
  }

  /** The process has said why it cannot run anything, and ends: an event that it has not taken is left to another. */
  #initFailed(failure: RunFailure): void {
    this.#initFailure = failure;
    if (this.hasLoaded) this.end();
    if (!this.hasLoaded || !this.#api.holdsEvent) this.#running?.settle(failure);
  }

  #foundMemory(bytes: number): void {
    this.#noteMemory(bytes);
    const running = this.#running;
    if (bytes <= this.#parts.spec.memoryBytesMax) return;
    this.end();
    running?.settle(outOfMemory(running.run.requestId));
  }

  #noteMemory(bytes: number): void {
    this.#memoryPeak = Math.max(this.#memoryPeak, bytes);
  }

  async #ended(exit: Exit): Promise<void> {
    // What it said last may still stand in its sockets.
    await this.#settled();
    this.#exit ??= exit;
    this.end();
    const running = this.#running;
    const isUntaken = this.hasLoaded && this.#api.holdsEvent;
    running?.settle(isUntaken ? 'untaken' : exited(running.run.requestId, exit));
    this.#parts.ended();
  }

  /** After two turns of the loop all was read that stood in the pipes before. */
  async #settled(): Promise<void> {
    const { clock } = this.#parts.environment;
    const turn = async (): Promise<void> => await nextTurn(clock);
    await turn();
    await turn();
  }

  /** In the form of X-Ray; nothing is traced. */
  #traceId(): string {
    const { random, clock } = this.#parts.environment;
    const hex = Buffer.from(random.bytes(20)).toString('hex');
    const seconds = Math.floor(clock.now() / 1000)
      .toString(16)
      .padStart(8, '0');
    return `Root=1-${seconds}-${hex.slice(0, 24)};Parent=${hex.slice(24)};Sampled=0`;
  }
}

const LARGE = tooLarge(runtimeLimits.responseBytesMax);

function killGroup(pid: number): void {
  try {
    kill(-pid, 'SIGKILL');
  } catch {
    // All of it has ended already.
  }
}
