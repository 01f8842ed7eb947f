import { unknownName } from '../../kernel/schema/unknown-name.ts';
import type { NoteDoors } from '../../ports/capability.ts';
import type { SectionProblem } from '../../ports/section-problem.ts';
import type { FunctionsOptions } from './config.ts';
import { functionSpec } from './function-spec.ts';

/** What works in the section, but perhaps not as it was meant: functions that cannot be run as they are. */
export async function functionsNotes(options: FunctionsOptions, doors: NoteDoors): Promise<readonly SectionProblem[]> {
  const found: SectionProblem[] = [];
  // One after the other: some are answered by a program that is started for it.
  for (const [name, given] of Object.entries(options)) {
    const { onFailure } = given;
    const spec = functionSpec(name, given, doors);
    const wrong = (await doors.functionRuntime.problem(spec)) ?? (await doors.functionRuntime.mistake(spec));
    if (wrong !== undefined) found.push({ path: [name], message: wrong });
    const unknown = onFailure === undefined ? undefined : unknownName('stream', onFailure, doors.names('streams'));
    if (unknown !== undefined) found.push({ path: [name, 'onFailure'], message: unknown });
  }
  return found;
}
