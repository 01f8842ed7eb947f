import type { FileDoors } from '../../ports/capability.ts';
import type { SectionProblem } from '../../ports/section-problem.ts';
import type { AnySource } from '../../ports/source.ts';
import type { SourcesOptions } from './config.ts';
import { kindOf } from './sources.ts';

/** What each kind of source would refuse in the files that its words name. */
export async function sourcesFileProblems(
  options: SourcesOptions,
  kinds: readonly AnySource[],
  { configFolder, files, urls }: Pick<FileDoors, 'configFolder' | 'files' | 'urls'>,
): Promise<readonly SectionProblem[]> {
  const found = await Promise.all(
    Object.entries(options).map(async ([name, source]): Promise<readonly SectionProblem[]> => {
      const kind = kindOf(source, kinds);
      // The section's declaration checked it against the kind's own.
      const message = await kind.fileProblem?.(source[kind.name] as never, { name, configFolder, files, urls });
      return message === undefined ? [] : [{ path: [name, kind.name], message }];
    }),
  );
  return found.flat();
}
