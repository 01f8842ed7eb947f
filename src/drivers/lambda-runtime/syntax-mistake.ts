import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { FunctionSpec } from '../../ports/function-runtime.ts';
import { filesAtOnce } from './node-imports.ts';
import { handlerFile } from './node-problem.ts';
import { modulesAtOnce, moduleFile } from './python-imports.ts';
import { handlerModule } from './python-problem.ts';

/** A machine under load takes a second for it. */
const CHECK_MS = 10_000;
const OUTPUT_BYTES_MAX = 256 * 1024;
const MESSAGE_CHARACTERS_MAX = 300;
/** What modules look like to a Node that takes the file for a script; how it is loaded is seen when it is run. */
const OF_MODULE = /Cannot use import statement|Unexpected token 'export'|'import\.meta'|await is only valid/;
/** Compiles and writes nothing. Python's own errors differ between versions: only line and text are taken. */
const COMPILE = [
  'import sys',
  'for number, name in enumerate(sys.argv[1:]):',
  '  try:',
  '    compile(open(name, "rb").read(), name, "exec", dont_inherit=True)',
  '  except SyntaxError as e:',
  '    sys.exit(print(f"{number}:{e.lineno}: {type(e).__name__}: {e.msg}"))',
  '  except ValueError as e:',
  '    sys.exit(print(f"{number}:1: {e}"))',
].join('\n');

/**
 * The syntax error of a handler's file for Node, or of one that it loads: `file.js:3: SyntaxError: …`. Nothing of them
 * is run.
 */
export async function nodeMistake(spec: FunctionSpec, interpreter: string, path: string): Promise<string | undefined> {
  const { codeDirectory } = spec;
  const name = firstThere(
    spec,
    ['', '.js', '.mjs', '.cjs'].map((ending) => handlerFile(spec) + ending),
  );
  if (name === undefined) return undefined;
  for (const file of await filesAtOnce(codeDirectory, name)) {
    const said = await output(interpreter, ['--check', join(codeDirectory, file)], path, 'stderr');
    const message = /^SyntaxError: .*$/m.exec(said)?.[0];
    if (message === undefined || OF_MODULE.test(message)) continue;
    return mistake(file, /^[^\n]*:(\d+)$/m.exec(said)?.[1], message);
  }
  return undefined;
}

/** The same for Python, of a handler's module and those of its folder that it imports: all in one process. */
export async function pythonMistake(
  spec: FunctionSpec,
  interpreter: string,
  path: string,
): Promise<string | undefined> {
  const { codeDirectory } = spec;
  const name = moduleFile(codeDirectory, handlerModule(spec));
  if (name === undefined) return undefined;
  const files = await modulesAtOnce(codeDirectory, name);
  const paths = files.map((file) => join(codeDirectory, file));
  const said = await output(interpreter, ['-c', COMPILE, ...paths], path, 'stdout');
  const [, number, line, message] = /^(\d+):(\d+): (.+)$/m.exec(said) ?? [];
  return message === undefined ? undefined : mistake(files[Number(number)] ?? name, line, message);
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
