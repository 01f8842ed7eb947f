import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { plan, write, type Kind } from './scaffold.ts';
import { checkFile } from './tidy.ts';

const KINDS: readonly (readonly [Kind, string])[] = [
  ['capability', 'weather'],
  ['operation', 'weather/get-forecast'],
  ['destination', 'paper-tape'],
  ['source', 'wind-vane'],
];

for (const [kind, name] of KINDS) {
  test(`a new ${kind} keeps the house rules from its first line`, () => {
    const files = plan(kind, name);
    assert.ok(files.length > 0);
    for (const { path, text } of files) assert.deepEqual(checkFile(path, text), []);
  });
}

test('wrong names are refused', () => {
  for (const name of ['', 'Weather', '../x', 'a b', 'weather/']) assert.throws(() => plan('capability', name));
  assert.throws(() => plan('operation', 'get-forecast'));
});

test('nothing is overwritten', () => {
  const root = mkdtempSync(join(tmpdir(), 'millrace-scaffold-'));
  try {
    const files = plan('source', 'wind-vane');
    write(root, files);
    assert.equal(readFileSync(join(root, files[0]!.path), 'utf8'), files[0]!.text);
    assert.throws(() => write(root, files), /exists already/);
  } finally {
    rmSync(root, { recursive: true });
  }
});
