import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { compileFunction, constants } from 'node:vm';
import { LoadError } from '../bootstraps/load-handler.ts';

/** What a file exports. */
export type RealmFunction = (...values: unknown[]) => unknown;

const CODE_BYTES_MAX = 16 * 1024 * 1024;
const GLOBALS = ['context', 'BSON', 'EJSON', 'utils'] as const;
const NAME = /^[\w$-]+(\/[\w$-]+)*$/;

/** What code finds beside the platform's own globals. */
export type RealmGlobals = Readonly<Record<(typeof GLOBALS)[number], unknown>>;

/**
 * The functions of a folder, each a script that assigns to `exports`. They run in this process with all its rights: the
 * process is what contains them.
 */
export class RealmCode {
  readonly #folder: string;
  readonly #compiled = new Map<string, (...values: unknown[]) => unknown>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Reads and compiles a file, once. LoadError when it is not there, or not JavaScript. */
  compile(name: string): void {
    this.#script(name);
  }

  /** Runs the script anew and gives what it exports: state of one call is not seen by the next. */
  load(name: string, globals: RealmGlobals): RealmFunction {
    const path = this.#path(name);
    const module: { exports: unknown } = { exports: undefined };
    const values = [undefined, module, createRequire(path), path, ...GLOBALS.map((word) => globals[word])];
    const exported = this.#script(name)(...values) ?? module.exports;
    if (typeof exported === 'function') return exported as RealmFunction;
    throw new LoadError('Runtime.HandlerNotFound', `${name}.js exports no function: it should say exports = function…`);
  }

  #script(name: string): (...values: unknown[]) => unknown {
    const known = this.#compiled.get(name);
    if (known !== undefined) return known;
    const path = this.#path(name);
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? Infinity) > CODE_BYTES_MAX) {
      throw new LoadError('Runtime.ImportModuleError', `Error: Cannot find module '${name}' in ${this.#folder}`);
    }
    const script = compiled(readFileSync(path, 'utf8'), path);
    this.#compiled.set(name, script);
    return script;
  }

  #path(name: string): string {
    if (NAME.test(name)) return join(this.#folder, `${name}.js`);
    throw new LoadError('Runtime.MalformedHandlerName', `Bad function '${name}': expected the name of a file`);
  }
}

/** As a function's body, so that `exports` can be assigned to and nothing is strict that does not say so. */
function compiled(text: string, path: string): (...values: unknown[]) => unknown {
  const parameters = ['exports', 'module', 'require', '__filename', ...GLOBALS];
  const importModuleDynamically = constants.USE_MAIN_CONTEXT_DEFAULT_LOADER;
  try {
    const options = { filename: path, importModuleDynamically };
    return compileFunction(`${text}\n;return exports`, parameters, options) as (...values: unknown[]) => unknown;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new LoadError('Runtime.UserCodeSyntaxError', `SyntaxError: ${error.message}`, error);
  }
}
