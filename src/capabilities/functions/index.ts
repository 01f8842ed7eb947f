import { RequestError } from '../../kernel/errors.ts';
import { INTERNAL_PROBLEM, isInternal } from '../../kernel/names.ts';
import type { Capability, Doors, Running } from '../../ports/capability.ts';
import type { Environment } from '../../ports/environment.ts';
import type { SectionProblem } from '../../ports/section-problem.ts';
import { functionRoutes } from './admin.ts';
import { functionsOptions, type FunctionsOptions } from './config.ts';
import { FunctionLogs } from './function-logs.ts';
import { HostedFunctions } from './hosted-functions.ts';
import { functionsNotes } from './functions-notes.ts';
import { functionsLimits } from './limits.ts';
import { realmProblems } from './realm-problems.ts';
import { INVOCATIONS_STREAM, type FunctionsState } from './model.ts';
import { invokeFunction } from './operations/invoke-function.ts';
import { PendingEvents } from './pending-events.ts';
import { EventWorker } from './workers/event-worker.ts';

/** Lambda-compatible handlers of the users: the section `functions`, and the action that invokes them. */
export const functions: Capability<typeof functionsOptions, FunctionsState> = {
  name: 'lambda',
  section: 'functions',
  options: functionsOptions,
  operations: [],
  rest: [invokeFunction],
  problems: (options) => functionsProblems(options),
  notes: functionsNotes,
  async start(options, doors, environment) {
    const running = new RunningFunctions(doors, environment);
    await running.reload(options);
    return running;
  },
};

class RunningFunctions implements Running<FunctionsState> {
  readonly state: FunctionsState;
  readonly functions: HostedFunctions;
  readonly admin;
  readonly #worker: EventWorker;

  constructor(doors: Doors, environment: Environment) {
    const { records, identity, mode, configFolder, surroundings, functionRuntime: runtime } = doors;
    const logs = new FunctionLogs(records, environment);
    const parts = { identity, mode, configFolder, surroundings, runtime, environment };
    this.functions = new HostedFunctions(parts, logs);
    const events = new PendingEvents(records);
    this.state = { records, identity, environment, functions: this.functions, events, logs };
    const worker = new EventWorker(this.state, doors.catalog);
    this.admin = functionRoutes(this.state, () => worker.describe());
    this.#worker = worker;
  }

  async reload(changed: unknown): Promise<void> {
    // The config reader checked it against this capability's own declaration.
    const options = (changed ?? {}) as FunctionsOptions;
    const problems = functionsProblems(options);
    if (problems.length > 0) {
      const lines = problems.map(({ path, message }) => `functions.${path.join('.')}: ${message}`);
      throw new RequestError('InvalidConfig', lines.join('\n'));
    }
    const hasEvents = this.state.records.describe(INVOCATIONS_STREAM) !== undefined;
    if (hasEvents || Object.keys(options).length > 0) {
      await this.state.events.open();
      await this.state.logs.open();
    }
    this.functions.apply(options);
    this.#worker.start();
  }

  health(): { ok: boolean; problems: readonly string[] } {
    const problems = [...this.functions.problems(), ...this.#worker.problems()];
    return { ok: problems.length === 0, problems };
  }

  async drain(withinMs: number): Promise<void> {
    await Promise.all([this.#worker.drain(withinMs), this.functions.close(withinMs)]);
  }

  async stop(): Promise<void> {
    await this.#worker.stop();
    await this.functions.close(0);
  }
}

/** What the shape of the section alone cannot say. */
function functionsProblems(options: FunctionsOptions): readonly SectionProblem[] {
  return Object.entries(options).flatMap(([name, { runtime, python, values, services, onFailure, env = {} }]) => {
    const problems: SectionProblem[] = [];
    const only = (word: string, given: unknown, wanted: string): void => {
      if (given === undefined || runtime === wanted) return;
      problems.push({ path: [name, word], message: `is for runtime: ${wanted}, and this one is ${runtime}` });
    };
    only('python', python, 'python');
    only('values', values, 'realm');
    only('services', services, 'realm');
    problems.push(...realmProblems(name, { values, services }));
    if (onFailure !== undefined && isInternal(onFailure)) {
      problems.push({ path: [name, 'onFailure'], message: INTERNAL_PROBLEM });
    }
    const bytes = Object.entries(env).reduce((sum, [key, text]) => sum + key.length + text.length, 0);
    if (bytes > functionsLimits.environmentBytesMax) {
      const message = `is ${bytes} characters long, at most ${functionsLimits.environmentBytesMax} are taken`;
      problems.push({ path: [name, 'env'], message });
    }
    return problems;
  });
}
