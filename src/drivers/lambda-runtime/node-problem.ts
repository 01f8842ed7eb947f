import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { FunctionSpec } from '../../ports/function-runtime.ts';

const ENDINGS = ['', '.js', '.mjs', '.cjs'];

/** Whether the file of a handler is where it should be; what it exports is seen when it is run. */
export async function nodeProblem(spec: FunctionSpec): Promise<string | undefined> {
  const { codeDirectory } = spec;
  const file = handlerFile(spec);
  if (ENDINGS.some((ending) => existsSync(join(codeDirectory, file + ending)))) return undefined;
  return `there is no ${file}.js, ${file}.mjs or ${file}.cjs in ${codeDirectory}`;
}

/** The path of a handler's file in the folder of code, without its ending. */
export function handlerFile({ handler }: FunctionSpec): string {
  return handler.slice(0, handler.indexOf('.', handler.lastIndexOf('/') + 1));
}
