import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { FunctionSpec } from '../../../ports/function-runtime.ts';
import { handlerFile } from '../node-problem.ts';
import { findPackages, MISSING_DRIVER } from './packages.ts';

/** Whether the function's file, which ends with `.js`, and the driver's package are where they should be. */
export async function realmProblem(spec: FunctionSpec): Promise<string | undefined> {
  const { codeDirectory } = spec;
  const file = handlerFile(spec);
  if (!existsSync(join(codeDirectory, `${file}.js`))) return `there is no ${file}.js in ${codeDirectory}`;
  return findPackages(codeDirectory) === undefined ? MISSING_DRIVER : undefined;
}
