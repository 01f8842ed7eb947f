import assert from 'node:assert/strict';
import { test } from 'node:test';
import { millrace, type Parts } from './cli.fixture.ts';
import type { LintFinding, LintOptions } from './context.ts';

const WRONG: LintFinding = { level: 'error', file: 'm.yaml', line: 2, column: 3, path: 'a.b', message: 'is wrong' };
const ODD: LintFinding = { ...WRONG, level: 'warning', message: 'is odd' };
const BARE: LintFinding = { level: 'warning', file: 'm.js', path: '', message: 'is odd' };

test('errors and warnings have their exit codes', async () => {
  const finding = (...found: LintFinding[]): Parts => ({ lint: async () => found });
  const table: readonly (readonly [args: string, parts: Parts, code: number, out: string, err: string])[] = [
    ['lint', finding(), 0, '', ''],
    ['lint --strict', finding(), 0, '', ''],
    ['lint', finding(ODD, BARE), 0, 'warning: m.yaml:2:3 a.b: is odd\nwarning: m.js: is odd\n', ''],
    ['lint --strict', finding(ODD), 1, 'warning: m.yaml:2:3 a.b: is odd\n', 'millrace: 1 warning\n'],
    ['lint', finding(WRONG), 3, 'm.yaml:2:3 a.b: is wrong\n', 'millrace: 1 error\n'],
    ['lint --strict --json', finding(WRONG, WRONG), 3, `${JSON.stringify([WRONG, WRONG])}\n`, 'millrace: 2 errors\n'],
    ['lint --json', finding(), 0, '[]\n', ''],
    ['lint', { lint: async () => undefined }, 2, '', 'millrace: there is no config file here; name one\n'],
    ['lint none.yaml', { lint: async () => undefined }, 3, '', 'millrace: no file none.yaml\n'],
    ['lint --schema', { configSchema: () => '{"type":"object"}\n' }, 0, '{"type":"object"}\n', ''],
  ];
  for (const [args, parts, code, out, err] of table) {
    const ended = await millrace(args.split(' '), parts);
    assert.deepEqual([ended.code, ended.out, ended.err], [code, out, err], args);
  }
});

test('it looks at what it was given', async () => {
  const asked: LintOptions[] = [];
  const lint: Parts['lint'] = async (options) => {
    asked.push(options);
    return [];
  };
  await millrace(['lint'], { lint });
  await millrace(['lint', 'm.yaml', '--data', 'd'], { lint });
  assert.deepEqual(asked, [
    { file: undefined, data: '.millrace' },
    { file: 'm.yaml', data: 'd' },
  ]);
});
