import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { FunctionSpec } from '../../ports/function-runtime.ts';
import { handlerFile } from './node-problem.ts';

/** A machine under load takes a second for it. */
const CHECK_MS = 10_000;
const OUTPUT_BYTES_MAX = 256 * 1024;
const MESSAGE_CHARACTERS_MAX = 300;
/** What modules look like to a Node that takes the file for a script; how it is loaded is seen when it is run. */
const OF_MODULE = /Cannot use import statement|Unexpected token 'export'|'import\.meta'|await is only valid/;
/** Compiles and writes nothing. Python's own errors differ between versions: only line and text are taken. */
const COMPILE = [
  'import sys',
  'try:',
  '  compile(open(sys.argv[1], "rb").read(), sys.argv[1], "exec", dont_inherit=True)',
  'except SyntaxError as e:',
  '  print(f"{e.lineno}: {type(e).__name__}: {e.msg}")',
  'except ValueError as e:',
  '  print(f"1: {e}")',
].join('\n');

/** The syntax error of a handler's file for Node: `file.js:3: SyntaxError: …`; nothing of it is run. */
export async function nodeMistake(spec: FunctionSpec, interpreter: string, path: string): Promise<string | undefined> {
  const name = firstThere(
    spec,
    ['', '.js', '.mjs', '.cjs'].map((ending) => handlerFile(spec) + ending),
  );
  if (name === undefined) return undefined;
  const said = await output(interpreter, ['--check', join(spec.codeDirectory, name)], path, 'stderr');
  const message = /^SyntaxError: .*$/m.exec(said)?.[0];
  if (message === undefined || OF_MODULE.test(message)) return undefined;
  const line = /^[^\n]*:(\d+)$/m.exec(said)?.[1];
  return mistake(name, line, message);
}

/** The syntax error of a handler's module for Python: `file.py:3: SyntaxError: …`; nothing of it is run. */
export async function pythonMistake(
  spec: FunctionSpec,
  interpreter: string,
  path: string,
): Promise<string | undefined> {
  const module = spec.handler.slice(0, spec.handler.lastIndexOf('.')).replaceAll('.', '/');
  const name = firstThere(spec, [`${module}.py`, `${module}/__init__.py`]);
  if (name === undefined) return undefined;
  const said = await output(interpreter, ['-c', COMPILE, join(spec.codeDirectory, name)], path, 'stdout');
  const [, line, message] = /^(\d+): (.+)$/m.exec(said) ?? [];
  return message === undefined ? undefined : mistake(name, line, message);
}

function firstThere({ codeDirectory }: FunctionSpec, names: readonly string[]): string | undefined {
  return names.find((name) => existsSync(join(codeDirectory, name)));
}

function mistake(name: string, line: string | undefined, message: string): string {
  return `${name}${line === undefined ? '' : `:${line}`}: ${message.slice(0, MESSAGE_CHARACTERS_MAX)}`;
}

/** What a program says; nothing where it takes too long or cannot be started. */
async function output(
  program: string,
  words: readonly string[],
  path: string,
  stream: 'stdout' | 'stderr',
): Promise<string> {
  const options = {
    timeout: CHECK_MS,
    killSignal: 'SIGKILL',
    maxBuffer: OUTPUT_BYTES_MAX,
    env: { PATH: path },
  } as const;
  return await new Promise((resolve) => {
    execFile(program, words, options, (error, stdout, stderr) => {
      resolve(error?.killed === true ? '' : { stdout, stderr }[stream]);
    });
  });
}
