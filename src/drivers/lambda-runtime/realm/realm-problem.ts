import type { FunctionSpec } from '../../../ports/function-runtime.ts';
import { nodeProblem } from '../node-problem.ts';
import { findPackages, MISSING_DRIVER } from './packages.ts';

/** Whether the function's file and the driver's package are where they should be. */
export async function realmProblem(spec: FunctionSpec): Promise<string | undefined> {
  const problem = await nodeProblem(spec);
  return problem ?? (findPackages(spec.codeDirectory) === undefined ? MISSING_DRIVER : undefined);
}
