import type { FunctionSpec } from '../../ports/function-runtime.ts';
import { importerOfBoto3, moduleFile } from './python-imports.ts';
import type { PythonLooks } from './python-looks.ts';

const OLDEST_MINOR = 9;
/** What people do whose Python is missing or too old. */
export const PYTHON_INSTALL =
  'install Python 3.9 or newer (`apt-get install python3`, `brew install python3`), or name one with `python: PATH`';

/** Whether the Python is new enough, the module of a handler where it should be, and boto3 where it is imported. */
export async function pythonProblem(
  spec: FunctionSpec,
  interpreter: string,
  pythons: PythonLooks,
): Promise<string | undefined> {
  const { codeDirectory } = spec;
  const module = handlerModule(spec);
  const file = moduleFile(codeDirectory, module);
  if (file === undefined) return `there is no ${module}.py in ${codeDirectory}`;
  const facts = await pythons.at(interpreter);
  // What does not answer is told of with the first event.
  if (facts === undefined) return undefined;
  const { major, minor, hasBoto3 } = facts;
  if (major * 100 + minor < 300 + OLDEST_MINOR) {
    return `${interpreter} is Python ${major}.${minor}: ${PYTHON_INSTALL}`;
  }
  if (hasBoto3 || moduleFile(codeDirectory, 'boto3') !== undefined) return undefined;
  const importer = await importerOfBoto3(codeDirectory, file);
  if (importer === undefined) return undefined;
  return `${importer} imports boto3, which ${interpreter} does not have: ${interpreter} -m pip install boto3`;
}

/** The path of a handler's module in the folder of code, without its ending. */
export function handlerModule({ handler }: FunctionSpec): string {
  return handler.slice(0, handler.lastIndexOf('.')).replaceAll('.', '/');
}
