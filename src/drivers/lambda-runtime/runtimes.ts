import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FunctionSpec, RuntimeName } from '../../ports/function-runtime.ts';
import { packageFolder } from './package-folder.ts';
import { nodeProblem } from './node-problem.ts';
import type { PythonLooks } from './python-looks.ts';
import { PYTHON_INSTALL, pythonProblem } from './python-problem.ts';
import { realmProblem } from './realm/realm-problem.ts';
import { nodeMistake, pythonMistake } from './syntax-mistake.ts';

/** How handlers of one language are run. */
export interface RuntimeKind {
  /** The program's name where the function names none; absent: the Node that runs millrace. */
  readonly interpreter?: string;
  /** What people do who do not have it. */
  readonly install: string;
  /** Words after the interpreter: its options and the bootstrap. */
  arguments(spec: FunctionSpec): readonly string[];
  /** Variables that only this language needs. */
  readonly variables: Readonly<Record<string, string>>;
  /** AWS_EXECUTION_ENV, without its prefix. */
  readonly name: string;
  /** What is missing beside the interpreter. Never rejects. */
  problem(spec: FunctionSpec, interpreter: string, pythons: PythonLooks): Promise<string | undefined>;
  /** The first syntax error of the handler's file and those of its folder that it imports. Never rejects. */
  mistake(spec: FunctionSpec, interpreter: string, path: string): Promise<string | undefined>;
}

const MIB = 1024 * 1024;
/** Of the memory of a function, as Lambda gives it to V8's heap. */
const HEAP_SHARE = 0.9;

/** By the word of the config file. A bootstrap is a program that speaks the runtime API. */
export const runtimes: Readonly<Record<RuntimeName, RuntimeKind>> = {
  node: {
    install: 'install Node.js 20.19 or newer',
    arguments: (spec) => [heap(spec), compiled('./bootstraps/node.js')],
    variables: {},
    name: 'nodejs',
    problem: nodeProblem,
    mistake: nodeMistake,
  },
  python: {
    interpreter: 'python3',
    install: PYTHON_INSTALL,
    arguments: () => ['-u', join(packageFolder(), 'runtimes', 'python.py')],
    variables: { PYTHONUNBUFFERED: '1', PYTHONIOENCODING: 'utf-8', PYTHONDONTWRITEBYTECODE: '1' },
    name: 'python',
    problem: pythonProblem,
    mistake: pythonMistake,
  },
  realm: {
    install: 'install Node.js 20.19 or newer',
    arguments: (spec) => [heap(spec), compiled('./realm/bootstrap.js')],
    variables: {},
    name: 'realm',
    problem: realmProblem,
    mistake: nodeMistake,
  },
};

function heap({ memoryBytesMax }: FunctionSpec): string {
  return `--max-old-space-size=${Math.max(16, Math.floor((memoryBytesMax * HEAP_SHARE) / MIB))}`;
}

function compiled(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
