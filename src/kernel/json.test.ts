import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from './json.ts';

const TEXTS: readonly (readonly [text: string, value: unknown])[] = [
  ['{"a":[1,"ä"]}', { a: [1, 'ä'] }],
  ['null', null],
  ['', undefined],
  ['{"a":', undefined],
  ['undefined', undefined],
];

test('a text that is no JSON has no value, as a text and as bytes', () => {
  for (const [text, value] of TEXTS) {
    assert.deepEqual(parseJson(text), value, text);
    assert.deepEqual(parseJson(new TextEncoder().encode(text)), value, text);
  }
});
