import type { SectionProblem } from '../../ports/section-problem.ts';
import { functionsLimits } from './limits.ts';

/** What a function of `runtime: realm` is given beside its code. */
export interface RealmGiven {
  readonly values?: Readonly<Record<string, unknown>> | undefined;
  readonly services?: Readonly<Record<string, object>> | undefined;
}

/** What is wrong with the values and services of a function: too long for an environment, or of no one kind. */
export function realmProblems(name: string, { values = {}, services = {} }: RealmGiven): SectionProblem[] {
  const problems: SectionProblem[] = Object.entries(services)
    .filter(([, service]) => Object.keys(service).length !== 1)
    .map(([key]) => ({ path: [name, 'services', key], message: 'needs one of kinesis: {} and mongodb: URI' }));
  const max = functionsLimits.environmentBytesMax;
  const told = Math.max(JSON.stringify(values).length, JSON.stringify(services).length);
  if (told <= max) return problems;
  return [
    ...problems,
    { path: [name], message: `has ${told} characters of values or services, at most ${max} are taken` },
  ];
}
