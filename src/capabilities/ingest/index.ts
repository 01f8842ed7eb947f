import { RequestError } from '../../kernel/errors.ts';
import { parseJsonPath } from '../../kernel/json-path.ts';
import { INTERNAL_PROBLEM, isInternal } from '../../kernel/names.ts';
import type { Schema } from '../../kernel/schema/declare.ts';
import type { Capability, Doors, Running } from '../../ports/capability.ts';
import type { Environment } from '../../ports/environment.ts';
import type { UrlRules } from '../../ports/http-client.ts';
import type { SectionProblem } from '../../ports/section-problem.ts';
import type { AnySource } from '../../ports/source.ts';
import { sourceRoutes } from './admin.ts';
import { comingSources, sourcesOptions, type SourceOptions, type SourcesOptions } from './config.ts';
import { sourcesFileProblems } from './sources-file-problems.ts';
import { sourcesNotes } from './sources-notes.ts';
import { Sources } from './sources.ts';

/** What millrace fetches itself, and the section `sources` of the config file, with these kinds of sources. */
export function createIngest(kinds: readonly AnySource[]): Capability<Schema, undefined> {
  return {
    name: 'ingest',
    section: 'sources',
    options: sourcesOptions(kinds),
    operations: [],
    problems: (options, _, urls) => sourcesProblems(options as SourcesOptions, kinds, urls),
    fileProblems: async (options, doors) => await sourcesFileProblems(options as SourcesOptions, kinds, doors),
    notes: async (options, doors) => await sourcesNotes(options as SourcesOptions, kinds, doors),
    start: async (options, doors, environment) =>
      await start((options ?? {}) as SourcesOptions, kinds, doors, environment),
  };
}

async function start(
  options: SourcesOptions,
  kinds: readonly AnySource[],
  doors: Doors,
  environment: Environment,
): Promise<Running<undefined>> {
  const sources = new Sources({ ...doors, kinds, environment });
  const apply = async (changed: SourcesOptions): Promise<void> => {
    const problems = sourcesProblems(changed, kinds, doors.http);
    if (problems.length > 0) {
      const lines = problems.map(({ path, message }) => `sources.${path.join('.')}: ${message}`);
      throw new RequestError('InvalidConfig', lines.join('\n'));
    }
    await sources.apply(changed);
  };
  await apply(options);
  return {
    state: undefined,
    admin: sourceRoutes(sources),
    // The config reader checked it against this capability's own declaration.
    reload: async (changed) => await apply((changed ?? {}) as SourcesOptions),
    health: () => ({ ok: sources.problems().length === 0, problems: sources.problems() }),
    drain: async (withinMs) => await sources.drain(withinMs),
    stop: async () => await sources.stop(),
  };
}

/** What the shape of the section alone cannot say. */
function sourcesProblems(
  options: SourcesOptions,
  kinds: readonly AnySource[],
  urls: UrlRules,
): readonly SectionProblem[] {
  return Object.entries(options).flatMap(([name, source]) =>
    problemsOf(source, kinds, urls).map(({ path, message }) => ({ path: [name, ...path], message })),
  );
}

function problemsOf(source: SourceOptions, kinds: readonly AnySource[], urls: UrlRules): SectionProblem[] {
  const given = kinds.filter(({ name }) => source[name] !== undefined);
  const [kind] = given;
  const found: SectionProblem[] = [];
  if (kind === undefined || given.length > 1) {
    const names = [...kinds.map((one) => one.name), ...comingSources].join(', ');
    found.push({ path: [], message: `names ${given.length} kinds of source; name one of ${names}` });
  } else {
    const message = kind.problem(source[kind.name] as never, urls);
    if (message !== undefined) found.push({ path: [kind.name], message });
  }
  if ((source.to === undefined) === (source.function === undefined)) {
    found.push({
      path: [],
      message: 'sends events to a stream (`to`) or to a function (`function`): name one of them',
    });
  }
  const { partitionKey, to } = source;
  if (to !== undefined && isInternal(to)) {
    found.push({ path: ['to'], message: INTERNAL_PROBLEM });
  }
  if (partitionKey !== undefined && source.function !== undefined) {
    found.push({ path: ['partitionKey'], message: 'is for records of a stream; a function has none' });
  }
  if (partitionKey !== undefined && parseJsonPath(partitionKey) === undefined) {
    found.push({ path: ['partitionKey'], message: 'is no path, expected one such as meta.id' });
  }
  return found;
}
