import * as s from '../../kernel/schema/declare.ts';
import type { AnySource } from '../../ports/source.ts';
import { ingestLimits } from './limits.ts';

/** Kinds of sources that are to come. */
export const comingSources = ['mongodb', 'mqtt', 'kinesis'] as const;

/** The declaration of the section `sources`, with the options of these kinds. */
export function sourcesOptions(sources: readonly AnySource[]): s.MapSchema {
  const built = sources.map(({ name, options }) => [name, s.optional(options)] as const);
  const coming = comingSources
    .filter((name) => !sources.some((source) => source.name === name))
    .map((name) => [name, s.optional(s.notBuilt())] as const);
  const source = s.struct({
    ...Object.fromEntries([...built, ...coming]),
    to: s.optional(s.string({ min: 1, max: 128, doc: 'The stream that takes the records.' })),
    function: s.optional(
      s.string({ min: 1, max: 64, doc: 'In place of `to`: the function that is called with each event, in order.' }),
    ),
    partitionKey: s.optional(
      s.string({
        min: 1,
        max: 256,
        doc:
          'Path to the partition key in the JSON of an event, such as `meta.id`; without it, or where nothing stands ' +
          'there, records go round all shards.',
      }),
    ),
  });
  return s.map(source, {
    key: s.string({ min: 1, max: ingestLimits.nameCharactersMax, pattern: '[a-zA-Z0-9_.-]+' }),
    doc: 'What millrace fetches itself, by name: one kind of source each.',
  });
}

/** One entry of a checked section. */
export interface SourceOptions {
  readonly to?: string;
  readonly function?: string;
  readonly partitionKey?: string;
  readonly [kind: string]: unknown;
}

/** A checked section. */
export type SourcesOptions = Readonly<Record<string, SourceOptions>>;
