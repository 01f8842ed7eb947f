import { execFile } from 'node:child_process';
import type { FunctionSpec } from '../../ports/function-runtime.ts';
import { importerOfBoto3, moduleFile } from './python-imports.ts';

const LOOK_MS = 20_000;
/** Runs on Python 2 as well; prints `3.11 yes`. */
const LOOK = [
  'import sys',
  'sys.path.insert(0, sys.argv[1])',
  'try:',
  '  from importlib.util import find_spec',
  '  has = "yes" if find_spec("boto3") else "no"',
  'except ImportError:',
  '  has = "no"',
  'print("%d.%d %s" % (sys.version_info[0], sys.version_info[1], has))',
].join('\n');
const OLDEST_MINOR = 9;
/** What people do whose Python is missing or too old. */
export const PYTHON_INSTALL =
  'install Python 3.9 or newer (`apt-get install python3`, `brew install python3`), or name one with `python: PATH`';

/** Whether the Python is new enough, the module of a handler where it should be, and boto3 where it is imported. */
export async function pythonProblem(
  spec: FunctionSpec,
  interpreter: string,
  path: string,
): Promise<string | undefined> {
  const { codeDirectory, handler } = spec;
  const module = handler.slice(0, handler.lastIndexOf('.')).replaceAll('.', '/');
  const file = moduleFile(codeDirectory, module);
  if (file === undefined) return `there is no ${module}.py in ${codeDirectory}`;
  const [, major = 0, minor = 0, has] =
    /^(\d+)\.(\d+) (yes|no)$/m.exec(await look(interpreter, codeDirectory, path)) ?? [];
  // What does not answer is told of with the first event.
  if (has === undefined) return undefined;
  if (Number(major) * 100 + Number(minor) < 300 + OLDEST_MINOR) {
    return `${interpreter} is Python ${major}.${minor}: ${PYTHON_INSTALL}`;
  }
  const importer = has === 'yes' ? undefined : await importerOfBoto3(codeDirectory, file);
  if (importer === undefined) return undefined;
  return `${importer} imports boto3, which ${interpreter} does not have: ${interpreter} -m pip install boto3`;
}

async function look(interpreter: string, codeDirectory: string, path: string): Promise<string> {
  return await new Promise((resolve) => {
    const options = { cwd: codeDirectory, timeout: LOOK_MS, env: { PATH: path } };
    execFile(interpreter, ['-c', LOOK, codeDirectory], options, (_error, stdout) => resolve(stdout));
  });
}
