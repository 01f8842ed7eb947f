import assert from 'node:assert/strict';
import { appendFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createNodeEnvironment } from '../../environments/node/index.ts';
import { watchCode } from './code-watch.ts';
import { runtimeLimits } from './limits.ts';

const FILES = {
  'index.js': '1',
  'lib/deep/a.py': '1',
  'old.log': '1',
  'template.txt': '1',
  '.millrace/epoch-1': '',
  'data/epoch-1': '',
  'data/records.json': '1',
  'node_modules/a/index.js': '1',
};
/** A machine that does much else may be late. */
const PATIENCE_MS = 10_000;

interface Bench {
  readonly path: (file: string) => string;
  /** Calls so far. */
  readonly changes: () => number;
}

async function withWatch(work: (bench: Bench) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-code-'));
  const path = (file: string): string => join(folder, file);
  for (const [file, text] of Object.entries(FILES)) {
    await mkdir(join(path(file), '..'), { recursive: true });
    await writeFile(path(file), text);
  }
  let changes = 0;
  const end = watchCode(folder, createNodeEnvironment({ log: 'silent' }), () => (changes += 1));
  try {
    // Until all is watched.
    await sleep(300);
    await work({ path, changes: () => changes });
  } finally {
    end();
    await rm(folder, { recursive: true, force: true });
  }
}

async function until(isSo: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!isSo() && performance.now() < end) await sleep(20);
}

const NO_CHANGES: readonly (readonly [what: string, file: string])[] = [
  ['a data directory', '.millrace/catalog/0.log'],
  ['a data directory of another name', 'data/records.json'],
  ['a log file', 'new.log'],
  ['a log file that was there', 'old.log'],
  ['what a handler writes', 'result.bin'],
  ['a package', 'node_modules/a/index.js'],
];

test('what the node and handlers write is no change of code', async () => {
  await withWatch(async ({ path, changes }) => {
    for (const [what, file] of NO_CHANGES) {
      await mkdir(join(path(file), '..'), { recursive: true });
      for (let times = 0; times < 3; times += 1) await appendFile(path(file), 'more');
      await sleep(3 * runtimeLimits.settleMs);
      assert.equal(changes(), 0, what);
    }
  });
});

test('changes of code are told', async () => {
  await withWatch(async ({ path, changes }) => {
    const steps: readonly (readonly [what: string, work: () => Promise<void>])[] = [
      ['a file', async () => await appendFile(path('index.js'), '2')],
      ['a file in folders', async () => await appendFile(path('lib/deep/a.py'), '2')],
      ['what is no code by its name, but was there', async () => await appendFile(path('template.txt'), '2')],
      ['a new file', async () => await writeFile(path('new.mjs'), '1')],
      ['a file that another one replaces', async () => {
        await writeFile(path('.index.js.swp'), '123');
        await rename(path('.index.js.swp'), path('index.js'));
      }],
      ['a new folder', async () => {
        await mkdir(path('more'));
        await writeFile(path('more/b.js'), '1');
      }],
      ['a file in the new folder', async () => await appendFile(path('more/b.js'), '2')],
      ['a folder that another one replaces', async () => {
        await rename(path('lib'), path('.lib'));
        await mkdir(path('lib/deep'), { recursive: true });
        await writeFile(path('lib/deep/a.py'), '1234');
      }],
      ['a file in the folder that was replaced', async () => await appendFile(path('lib/deep/a.py'), '2')],
      ['a file that is gone', async () => await rm(path('new.mjs'))],
      ['a folder that is gone', async () => await rm(path('lib'), { recursive: true })],
    ]; // prettier-ignore
    for (const [what, work] of steps) {
      const before = changes();
      await work();
      await until(() => changes() > before);
      assert.ok(changes() > before, what);
      // What is left of this one is not taken for the next.
      await sleep(3 * runtimeLimits.settleMs);
    }
  });
});

test('code that is written to without a pause is taken over all the same', async () => {
  await withWatch(async ({ path, changes }) => {
    const startedAt = performance.now();
    const { settleMs, settleMsMax } = runtimeLimits;
    while (changes() === 0 && performance.now() - startedAt < settleMsMax + PATIENCE_MS) {
      await appendFile(path('index.js'), 'x');
      await sleep(settleMs / 5);
    }
    assert.equal(changes(), 1);
  });
});
