import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { FunctionSpec } from '../../ports/function-runtime.ts';

const ENDINGS = ['', '.js', '.mjs', '.cjs'];

/** Whether the file of a handler is where it should be. */
export async function nodeProblem(spec: FunctionSpec): Promise<string | undefined> {
  const { codeDirectory, handler } = spec;
  const file = handler.slice(0, handler.indexOf('.', handler.lastIndexOf('/') + 1));
  if (ENDINGS.some((ending) => existsSync(join(codeDirectory, file + ending)))) return undefined;
  return `there is no ${file}.js, ${file}.mjs or ${file}.cjs in ${codeDirectory}`;
}
