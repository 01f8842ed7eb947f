/**
 * `npm run new capability|operation|destination|source NAME`: writes a sibling in the shape all siblings have.
 * For operations NAME is `CAPABILITY/VERB-NOUN`.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What can be made. */
export type Kind = 'capability' | 'operation' | 'destination' | 'source';

/** A file to write: path below the project's root, and its text. */
export interface Planned {
  readonly path: string;
  readonly text: string;
}

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

function camel(name: string): string {
  return name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function pascal(name: string): string {
  const text = camel(name);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The files of a new sibling; throws a plain Error with a sentence for a wrong name. */
export function plan(kind: Kind, name: string): Planned[] {
  const [first = '', second] = name.split('/');
  if (!NAME.test(first)) throw new Error(`a name is lower-case words joined by -, not: ${name}`);
  if (kind === 'operation') {
    if (second === undefined || !NAME.test(second)) throw new Error('an operation is named CAPABILITY/VERB-NOUN');
    return operationFiles(first, second);
  }
  if (second !== undefined) throw new Error(`a ${kind} has a plain name, not: ${name}`);
  if (kind === 'capability') return capabilityFiles(first);
  return kind === 'destination' ? destinationFiles(first) : sourceFiles(first);
}

function capabilityFiles(name: string): Planned[] {
  const home = `src/capabilities/${name}`;
  const title = pascal(name);
  return [
    {
      path: `${home}/index.ts`,
      text: `import type { Capability } from '../../ports/capability.ts';
import { ${camel(name)}Options } from './config.ts';
import { empty${title}, type ${title}State } from './model.ts';

/** What this capability does, in one sentence. */
export const ${camel(name)}: Capability<typeof ${camel(name)}Options, ${title}State> = {
  name: '${name}',
  section: '${name}',
  options: ${camel(name)}Options,
  operations: [],
  async start() {
    return {
      state: empty${title}(),
      reload: async () => {},
      health: () => ({ ok: true, problems: [] }),
      drain: async () => {},
      stop: async () => {},
    };
  },
};
`,
    },
    {
      path: `${home}/config.ts`,
      text: `import * as s from '../../kernel/schema/declare.ts';

/** The section \`${name}\` of the config file. */
export const ${camel(name)}Options = s.struct({}, { doc: 'What it configures, in one sentence.' });
`,
    },
    {
      path: `${home}/model.ts`,
      text: `/** The state of the capability: a pure fold, no clock, no chance, no await. */
export interface ${title}State {
  readonly revision: bigint;
}

/** Nothing happened yet. */
export function empty${title}(): ${title}State {
  return { revision: 0n };
}
`,
    },
    {
      path: `${home}/errors.ts`,
      text: `/** The closed list of codes this capability answers, beside the common ones. */
export const ${camel(name)}Errors = [] as const;
`,
    },
    {
      path: `${home}/limits.ts`,
      text: `/** Numbers of the contract, each with its source. */
export const ${camel(name)}Limits = {} as const;
`,
    },
    {
      path: `${home}/events.ts`,
      text: `/** Log lines and metrics this capability may emit; no other names are used. */
export const ${camel(name)}Events = {} as const;
`,
    },
  ];
}

function operationFiles(capability: string, name: string): Planned[] {
  const home = `src/capabilities/${capability}/operations`;
  const state = `${pascal(capability)}State`;
  return [
    {
      path: `${home}/${name}.ts`,
      text: `import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import type { ${state} } from '../model.ts';

const input = s.struct({});

/** What the action does, in one sentence. */
export const ${camel(name)} = operation<${state}>()({
  name: '${pascal(name)}',
  target: 'SERVICE_VERSION',
  input,
  errors: [],
  plane: 'control',
  doc: 'What the action does, in one sentence.',
  async handle() {
    return undefined;
  },
});
`,
    },
    {
      path: `${home}/${name}.test.ts`,
      text: `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ${camel(name)} } from './${name}.ts';

test('${pascal(name)} is declared under its own name', () => {
  assert.equal(${camel(name)}.name, '${pascal(name)}');
});
`,
    },
  ];
}

function destinationFiles(name: string): Planned[] {
  return [
    {
      path: `src/destinations/${name}/index.ts`,
      text: `import * as s from '../../kernel/schema/declare.ts';
import { DeliveryError } from '../../kernel/errors.ts';
import type { Destination } from '../../ports/destination.ts';

const options = s.struct({});

/** Where records go, in one sentence. */
export const ${camel(name)}: Destination<typeof options> = {
  name: '${pascal(name)}DestinationConfiguration',
  options,
  open: () => ({
    place: (batch) => batch.id,
    deliver: async () => {
      throw new DeliveryError('${pascal(name)}.Unreachable', 'nothing is delivered before this is written', false);
    },
    close: async () => {},
  }),
};
`,
    },
  ];
}

function sourceFiles(name: string): Planned[] {
  return [
    {
      path: `src/sources/${name}/index.ts`,
      text: `import * as s from '../../kernel/schema/declare.ts';
import type { Source } from '../../ports/source.ts';

const options = s.struct({});

/** Where events come from, in one sentence. */
export const ${camel(name)}: Source<typeof options> = {
  name: '${name}',
  options,
  problem: () => undefined,
  open: async (_options, _at, { name }) => ({
    async *arrivals() {
      // Nothing arrives before this is written.
    },
    acknowledge: () => {},
    status: () => ({ state: 'connecting', failures: 0, reconnects: 0, skipped: 0, tooLarge: 0, from: name }),
  }),
};
`,
    },
  ];
}

/** Writes the files; refuses to overwrite any. */
export function write(root: string, files: readonly Planned[]): void {
  for (const { path } of files) {
    if (existsSync(join(root, path))) throw new Error(`${path} exists already`);
  }
  for (const { path, text } of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

const KINDS: readonly string[] = ['capability', 'operation', 'destination', 'source'];

if (process.argv[1]?.endsWith('scaffold.js')) {
  const [kind = '', name = ''] = process.argv.slice(2);
  try {
    if (!KINDS.includes(kind)) throw new Error('usage: npm run new capability|operation|destination|source NAME');
    const files = plan(kind as Kind, name);
    write(process.cwd(), files);
    for (const { path } of files) process.stdout.write(`${path}\n`);
    process.stdout.write('Add the name to src/registry.ts or to the capability’s list; then npm run check.\n');
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  }
}
