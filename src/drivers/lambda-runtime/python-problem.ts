import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FunctionSpec } from '../../ports/function-runtime.ts';

const LOOK_MS = 20_000;
const BOTO3 = /^\s*(?:import|from)\s+boto(?:3|core)\b/m;
const LOOK =
  'import importlib.util,sys;sys.path.insert(0,sys.argv[1]);sys.exit(0 if importlib.util.find_spec("boto3") else 9)';
const MISSING = 9;

/** Whether the module of a handler is where it should be, and boto3 where it is imported. */
export async function pythonProblem(
  spec: FunctionSpec,
  interpreter: string,
  path: string,
): Promise<string | undefined> {
  const { codeDirectory, handler } = spec;
  const module = handler.slice(0, handler.lastIndexOf('.')).replaceAll('.', '/');
  const file = [`${module}.py`, `${module}/__init__.py`]
    .map((name) => join(codeDirectory, name))
    .find((name) => existsSync(name));
  if (file === undefined) return `there is no ${module}.py in ${codeDirectory}`;
  const text = await readFile(file, 'utf8').catch(() => '');
  if (!BOTO3.test(text) || (await hasBoto3(interpreter, codeDirectory, path))) return undefined;
  return `${module}.py imports boto3, which ${interpreter} does not have: ${interpreter} -m pip install boto3`;
}

async function hasBoto3(interpreter: string, codeDirectory: string, path: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const options = { cwd: codeDirectory, timeout: LOOK_MS, env: { PATH: path } };
    execFile(interpreter, ['-c', LOOK, codeDirectory], options, (error) => resolve(error?.code !== MISSING));
  });
}
