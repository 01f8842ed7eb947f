/**
 * Writes docs/reference/ from the declarations in src/. With `--check` it writes nothing, names every page that is not
 * as it would be written, and ends with exit code 1 when there is any.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configJsonSchema } from '../src/config/schema.ts';
import { capabilities } from '../src/registry.ts';
import { actionsPage } from './reference/actions.ts';
import { cliPage } from './reference/cli.ts';
import { configPage } from './reference/config.ts';
import { errorsPage } from './reference/errors.ts';
import { eventsPage } from './reference/events.ts';

const HOME = 'docs/reference';

/** All pages by file name. */
export async function pages(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['config.md', configPage()],
    ['config.schema.json', configJsonSchema(capabilities)],
    ['actions.md', actionsPage()],
    ['errors.md', errorsPage()],
    ['metrics-and-logs.md', eventsPage()],
    ['cli.md', await cliPage()],
  ]);
}

/** Names of the pages under `root` that are missing or are not as they would be written. */
export async function stalePages(root: string): Promise<readonly string[]> {
  const made = await pages();
  return [...made].filter(([name, text]) => stored(join(root, HOME, name)) !== text).map(([name]) => `${HOME}/${name}`);
}

/** Writes the pages under `root`. */
export async function writePages(root: string): Promise<void> {
  mkdirSync(join(root, HOME), { recursive: true });
  for (const [name, text] of await pages()) writeFileSync(join(root, HOME, name), text);
}

function stored(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

if (process.argv[1]?.endsWith('reference.js')) {
  if (process.argv.includes('--check')) {
    const stale = await stalePages(process.cwd());
    for (const page of stale) process.stdout.write(`${page} is not what the sources say: npm run reference\n`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else await writePages(process.cwd());
}
