import { describe } from './check-config.ts';
import type { Optional, Schema } from './declare.ts';
import { memberSchema } from './shapes.ts';

/** One row of a reference page. */
export interface ReferenceRow {
  /** For example `streams.NAME.ShardCount`; `[]` after a name means each item of a list. */
  readonly key: string;
  /** What it takes. */
  readonly takes: string;
  readonly isRequired: boolean;
  readonly isBuilt: boolean;
  readonly doc: string;
}

/** Rows of a shape and all it contains, in declared order; keys start with `prefix`. */
export function referenceRows(schema: Schema | Optional, prefix = ''): readonly ReferenceRow[] {
  const shape = memberSchema(schema);
  const own: readonly ReferenceRow[] =
    prefix === ''
      ? []
      : [
          {
            key: prefix,
            takes: shape.kind === 'struct' ? 'a mapping' : describe(shape),
            isRequired: schema.kind !== 'optional',
            isBuilt: shape.kind !== 'not-built',
            doc: [shape.doc, ...choiceDocs(shape)].filter((text) => text !== undefined).join(' '),
          },
        ];
  return [...own, ...inner(shape, prefix)];
}

function inner(shape: Schema, prefix: string): readonly ReferenceRow[] {
  switch (shape.kind) {
    case 'struct':
      return Object.entries(shape.members).flatMap(([name, member]) => referenceRows(member, join(prefix, name)));
    case 'list':
      return inner(shape.item, `${prefix}[]`);
    case 'map':
      return inner(shape.value, join(prefix, 'NAME'));
    case 'either':
      return shape.of.flatMap((choice) => inner(choice, prefix));
    default:
      return [];
  }
}

/** What the choices of a shape say of themselves, and whether some are missing. */
function choiceDocs(shape: Schema): readonly string[] {
  if (shape.kind !== 'either') return [];
  const docs = shape.of.flatMap((choice) => {
    if (choice.doc === undefined || choice.kind === 'not-built') return [];
    return choice.kind === 'string' && choice.values !== undefined
      ? [`${choice.values.join(', ')}: ${choice.doc}`]
      : [choice.doc];
  });
  return shape.of.some(({ kind }) => kind === 'not-built') ? [...docs, 'Other values are not built yet.'] : docs;
}

function join(prefix: string, name: string): string {
  return prefix === '' ? name : `${prefix}.${name}`;
}

/** The rows as a Markdown table. */
export function referenceTable(schema: Schema | Optional, prefix = ''): string {
  const rows = referenceRows(schema, prefix).map(({ key, takes, isRequired, isBuilt, doc }) => {
    const said = [doc, isBuilt ? '' : 'Not built yet.'].filter((text) => text !== '').join(' ');
    return `| \`${key}\` | ${isBuilt ? cell(takes) : ''} | ${isRequired ? 'yes' : 'no'} | ${cell(said)} |`;
  });
  return ['| key | takes | required | what it does |', '|---|---|---|---|', ...rows, ''].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
