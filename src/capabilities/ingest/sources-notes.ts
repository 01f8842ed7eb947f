import { unknownName } from '../../kernel/schema/unknown-name.ts';
import type { NoteDoors } from '../../ports/capability.ts';
import type { SectionProblem } from '../../ports/section-problem.ts';
import type { AnySource } from '../../ports/source.ts';
import type { SourcesOptions } from './config.ts';
import { kindOf } from './sources.ts';

/**
 * What works in the section, but perhaps not as it was meant: streams and functions that the file does not have, and
 * what each kind of source says of its own words.
 */
export async function sourcesNotes(
  options: SourcesOptions,
  kinds: readonly AnySource[],
  { configFolder, files, names }: Pick<NoteDoors, 'configFolder' | 'files' | 'names'>,
): Promise<readonly SectionProblem[]> {
  const found = await Promise.all(
    Object.entries(options).map(async ([name, source]): Promise<readonly SectionProblem[]> => {
      const kind = kindOf(source, kinds);
      // The section's declaration checked it against the kind's own.
      const said = (await kind.notes?.(source[kind.name] as never, { name, configFolder, files })) ?? [];
      const { to, function: handler } = source;
      const missing = [
        { word: 'to', message: to === undefined ? undefined : unknownName('stream', to, names('streams')) },
        {
          word: 'function',
          message: handler === undefined ? undefined : unknownName('function', handler, names('functions')),
        },
      ];
      return [
        ...said.map((message) => ({ path: [name, kind.name], message })),
        ...missing.flatMap(({ word, message }) => (message === undefined ? [] : [{ path: [name, word], message }])),
      ];
    }),
  );
  return found.flat();
}
