import { ThrottleError } from '../../kernel/errors.ts';
import { functionArn } from '../../kernel/names.ts';
import type { Environment } from '../../ports/environment.ts';
import type {
  FunctionOutcome,
  FunctionRun,
  FunctionRuntime,
  FunctionStats,
  FunctionSurroundings,
  OpenFunction,
} from '../../ports/function-runtime.ts';
import type { Doors } from '../../ports/capability.ts';
import type { FunctionOptions } from './config.ts';
import { functionSpec } from './function-spec.ts';
import { functionsLimits as limits } from './limits.ts';

/** What functions are made with. */
export interface FunctionParts extends Pick<Doors, 'identity' | 'mode' | 'configFolder'> {
  readonly runtime: FunctionRuntime;
  readonly surroundings: FunctionSurroundings;
  readonly environment: Environment;
}

/** One failed run, for people. */
export interface ShownFailure {
  readonly at: string;
  readonly requestId: string;
  readonly type: string;
  readonly message: string;
}

const NO_STATS: FunctionStats = { processes: 0, running: 0, waiting: 0 };

/** One function of the file: opened with its first event, and what is known of its runs since the start. */
export class HostedFunction {
  readonly name: string;
  readonly options: FunctionOptions;
  readonly arn: string;
  readonly #parts: FunctionParts;
  #open: Promise<OpenFunction> | undefined;
  #opened: OpenFunction | undefined;
  #isClosed = false;
  #invocations = 0;
  #failed = 0;
  #totalMs = 0;
  #longestMs = 0;
  readonly #failures: ShownFailure[] = [];
  /** Why it cannot be run; undefined while nothing is known to be missing. */
  problem: string | undefined;

  constructor(name: string, options: FunctionOptions, parts: FunctionParts) {
    this.name = name;
    this.options = options;
    this.#parts = parts;
    this.arn = functionArn(parts.identity.region, parts.identity.account, name);
  }

  get memoryMb(): number {
    return this.options.memoryMb ?? limits.memoryMb;
  }

  get stats(): FunctionStats {
    return this.#opened?.stats() ?? NO_STATS;
  }

  /** As OpenFunction's. */
  async run(run: FunctionRun): Promise<FunctionOutcome> {
    this.#open ??= this.#start();
    const open = await this.#open;
    return await open.run(run);
  }

  /** Counts a run that is over. */
  note({ failure, durationMs }: FunctionOutcome, requestId: string): void {
    this.#invocations += 1;
    this.#totalMs += durationMs;
    this.#longestMs = Math.max(this.#longestMs, durationMs);
    if (failure === undefined) return;
    this.#failed += 1;
    const at = new Date(this.#parts.environment.clock.now()).toISOString();
    const message = failure.message.slice(0, limits.messageCharactersMax);
    this.#failures.push({ at, requestId, type: failure.type.slice(0, limits.messageCharactersMax), message });
    if (this.#failures.length > limits.failuresShown) this.#failures.shift();
  }

  /** Asks the runtime what is missing. */
  async examine(): Promise<string | undefined> {
    this.problem = await this.#parts.runtime.problem(functionSpec(this.name, this.options, this.#parts));
    return this.problem;
  }

  async close(withinMs: number): Promise<void> {
    if (this.#open !== undefined && this.#opened === undefined) {
      // What is about to start waits for listeners that may never open.
      const ended = new AbortController();
      const started = this.#open.catch(() => undefined);
      await Promise.race([started, this.#parts.environment.clock.sleep(withinMs, ended.signal)]);
      ended.abort();
    }
    this.#isClosed = true;
    await this.#opened?.close(withinMs);
  }

  /** For `/admin/functions`. */
  describe(): object {
    const { runtime, handler } = this.options;
    const { processes, running, waiting } = this.stats;
    return {
      name: this.name,
      state: this.problem === undefined ? 'active' : 'broken',
      runtime,
      handler,
      arn: this.arn,
      ...(this.problem !== undefined && { problem: this.problem }),
      processes,
      running,
      waiting,
      invocations: this.#invocations,
      failures: this.#failed,
      averageMs: this.#invocations === 0 ? 0 : Math.round((this.#totalMs / this.#invocations) * 100) / 100,
      longestMs: Math.round(this.#longestMs * 100) / 100,
    };
  }

  /** The last failures, oldest first. */
  get failures(): readonly ShownFailure[] {
    return this.#failures;
  }

  async #start(): Promise<OpenFunction> {
    const { surroundings, runtime } = this.#parts;
    const { variables, api, gateway } = await surroundings.of(this.name, this.options.allow ?? []);
    const own = Object.entries(this.options.env ?? {}).map(([key, text]) => {
      return [key, text.replaceAll('${api}', api).replaceAll('${gateway}', gateway)] as const;
    });
    if (this.#isClosed) throw new ThrottleError('TooManyRequestsException', 'The function is being stopped.');
    const spec = functionSpec(this.name, this.options, this.#parts);
    const all = { ...variables, ...this.#realm(), ...Object.fromEntries(own) };
    this.#opened = runtime.open({ ...spec, variables: all });
    return this.#opened;
  }

  /** What `context.values` and `context.services` know, as JSON. */
  #realm(): Record<string, string> {
    const { runtime, values = {}, services = {} } = this.options;
    if (runtime !== 'realm') return {};
    return { MILLRACE_VALUES: JSON.stringify(values), MILLRACE_SERVICES: JSON.stringify(services) };
  }
}
