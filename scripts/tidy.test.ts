import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { doorsTable } from './doors.ts';
import { checkFile, tidy } from './tidy.ts';

test('the sources keep the house rules', () => {
  assert.deepEqual(tidy(process.cwd()), []);
});

test('ARCHITECTURE.md prints the table of doors as it is enforced', () => {
  assert.ok(readFileSync('ARCHITECTURE.md', 'utf8').includes(doorsTable()));
});

const VIOLATIONS: readonly (readonly [what: string, path: string, text: string, rule: RegExp])[] = [
  ['a URL is asked by what forgets', 'src/sources/a/b.ts', 'if (URL.canParse(url)) return;', /parse-url/],
  ['kernel reads the clock', 'src/kernel/a.ts', 'const now = Date.now();', /Environment/],
  [
    'kernel imports a platform module',
    'src/kernel/a.ts',
    "import { join } from 'node:path';",
    /kernel imports no node/,
  ],
  ['an engine opens files itself', 'src/engines/a/b.ts', "import { open } from 'node:fs';", /only in environments/],
  [
    'a capability imports another',
    'src/capabilities/a/b.ts',
    "import { c } from '../c/index.ts';",
    /may not import capabilities\/c/,
  ],
  [
    'a capability imports an engine',
    'src/capabilities/a/b.ts',
    "import { c } from '../../engines/c/index.ts';",
    /may not import engines/,
  ],
  [
    'an engine imports an engine',
    'src/engines/a/b.ts',
    "import { c } from '../c/index.ts';",
    /may not import engines\/c/,
  ],
  [
    'a package outside its room',
    'src/engines/a/b.ts',
    "import { parse } from 'yaml';",
    /may not import the package yaml/,
  ],
  ['an import without its ending', 'src/kernel/a.ts', "import { b } from './b';", /\.ts ending/],
  ['unfinished words', 'src/kernel/a.ts', ['//', ['TO', 'DO'].join(''), 'later'].join(' '), /banned/],
  ['an export nobody explains', 'src/kernel/a.ts', 'export function a() {}', /no doc sentence/],
  ['a line too long', 'src/kernel/a.ts', `// ${'x'.repeat(130)}`, /120 columns/],
  ['a function too long', 'src/kernel/a.ts', `function a() {\n${'  b();\n'.repeat(75)}}\n`, /70 lines/],
  ['a file too long', 'src/kernel/a.ts', '//\n'.repeat(501), /500 lines/],
];

for (const [what, path, text, rule] of VIOLATIONS) {
  test(`tidy reports: ${what}`, () => {
    assert.ok(checkFile(path, text).some((violation) => rule.test(violation.rule)));
  });
}

test('tidy leaves allowed imports alone', () => {
  const text = "import { a } from '../../ports/records.ts';\nimport { createHash } from 'node:crypto';\n";
  assert.deepEqual(checkFile('src/capabilities/a/b.ts', text), []);
});
