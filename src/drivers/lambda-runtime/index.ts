import { statSync } from 'node:fs';
import { EnvironmentError } from '../../kernel/errors.ts';
import type { Environment } from '../../ports/environment.ts';
import type { FunctionRuntime, FunctionSpec, OpenFunction } from '../../ports/function-runtime.ts';
import { findProgram } from './find-program.ts';
import { FunctionPool } from './function-pool.ts';
import type { Launch } from './handler-child.ts';
import type { Machine } from './machine.ts';
import { IdleWatch } from './idle-watch.ts';
import { MemoryWatch } from './memory-watch.ts';
import { packageFolder } from './package-folder.ts';
import { PythonLooks } from './python-looks.ts';
import { runtimes } from './runtimes.ts';

/** Runs handlers in child processes that speak Lambda's runtime API over loopback. */
export function createLambdaRuntime(machine: Machine, environment: Environment): FunctionRuntime {
  return new LambdaRuntime(machine, environment);
}

class LambdaRuntime implements FunctionRuntime {
  readonly #machine: Machine;
  readonly #environment: Environment;
  readonly #memory: MemoryWatch;
  readonly #idle: IdleWatch;
  readonly #pythons: PythonLooks;
  readonly #open = new Set<OpenFunction>();

  constructor(machine: Machine, environment: Environment) {
    this.#machine = machine;
    this.#environment = environment;
    this.#memory = new MemoryWatch(environment.clock);
    this.#idle = new IdleWatch(environment.clock);
    this.#pythons = new PythonLooks(this.#path(), environment.clock);
  }

  async problem(spec: FunctionSpec): Promise<string | undefined> {
    const { codeDirectory, runtime } = spec;
    if (!isFolder(codeDirectory)) return `there is no folder ${codeDirectory}`;
    const found = await this.#interpreter(spec);
    const kind = runtimes[runtime];
    if (found === undefined) {
      const name = spec.interpreter ?? kind.interpreter ?? this.#machine.nodePath;
      return `there is no ${name} to run it with: ${kind.install}`;
    }
    return await kind.problem(spec, found, this.#pythons);
  }

  async mistake(spec: FunctionSpec): Promise<string | undefined> {
    const found = await this.#interpreter(spec);
    return found === undefined ? undefined : await runtimes[spec.runtime].mistake(spec, found, this.#path());
  }

  open(spec: FunctionSpec): OpenFunction {
    const { runtime, codeDirectory } = spec;
    const launch = async (): Promise<Launch> => {
      const found = await this.#interpreter(spec);
      if (found === undefined || !isFolder(codeDirectory)) {
        const problem = await this.problem(spec);
        throw new EnvironmentError('ENOENT', `function ${spec.name}: ${problem ?? 'it cannot be started'}`);
      }
      const command = [found, ...runtimes[runtime].arguments(spec)];
      return { command, variables: { ...this.#variables(spec), ...spec.variables } };
    };
    const watches = { memory: this.#memory, idle: this.#idle };
    const pool = new FunctionPool({ spec, launch, environment: this.#environment, ...watches });
    this.#open.add(pool);
    return {
      run: async (event) => await pool.run(event),
      stats: () => pool.stats(),
      close: async (withinMs) => {
        await pool.close(withinMs);
        this.#open.delete(pool);
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#open, async (pool) => await pool.close(0)));
    this.#open.clear();
  }

  async #interpreter({ runtime, interpreter, codeDirectory }: FunctionSpec): Promise<string | undefined> {
    const name = interpreter ?? runtimes[runtime].interpreter ?? this.#machine.nodePath;
    return await findProgram(name, codeDirectory, this.#path());
  }

  #path(): string {
    return this.#machine.variables['PATH'] ?? '/usr/local/bin:/usr/bin:/bin';
  }

  /** As Lambda sets them; a function's own come after. */
  #variables(spec: FunctionSpec): Record<string, string> {
    const { name, handler, codeDirectory, memoryBytesMax, region, runtime } = spec;
    const kind = runtimes[runtime];
    return {
      ...this.#machine.variables,
      PATH: this.#path(),
      TZ: ':UTC',
      ...kind.variables,
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_EXECUTION_ENV: `AWS_Lambda_${kind.name}`,
      AWS_LAMBDA_FUNCTION_NAME: name,
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(Math.floor(memoryBytesMax / (1024 * 1024))),
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
      AWS_LAMBDA_LOG_STREAM_NAME: '$function-logs',
      LAMBDA_TASK_ROOT: codeDirectory,
      LAMBDA_RUNTIME_DIR: packageFolder(),
      _HANDLER: handler,
    };
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
