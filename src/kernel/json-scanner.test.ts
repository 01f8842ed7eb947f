import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { JsonScanner } from './json-scanner.ts';

/** Where it is wrong, looked at in pieces of that size. */
function wrongAt(text: string, piece: number): number | undefined {
  const scanner = new JsonScanner(Buffer.from(text));
  while (scanner.scan(piece));
  return scanner.wrongAt;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test('what is JSON, and where what is none goes wrong', () => {
  const table: readonly (readonly [text: string, at?: number])[] = [
    ['{}'], ['[]'], ['""'], ['0'], ['-0.5e+10'], ['true'], [' null\n'], ['{"a":[1,{"b":"\\u00e9\\n"}],"":false}'],
    ['', 0], [' ', 1], ['[', 1], ['[1,]', 3], ['[1 2]', 3], ['{"a"}', 4], ['{a:1}', 1], ['{"a":1,}', 7], ['[}', 1],
    ['1 2', 2], ['01', 1], ['-', 1], ['1.', 2], ['1e', 2], ['.5', 0], ['+1', 0], ['tru', 3], ['nul1', 3], ['"a', 2],
    ['"\\x"', 1], ['"\\u12g4"', 1], ['"\n"', 1], ['\ufeff{}', 0], ['[1]]', 3], [']', 0], ['NaN', 0], ["'a'", 0],
  ]; // prettier-ignore
  for (const [text, at] of table) {
    for (const piece of [1, 2, 1000]) assert.equal(wrongAt(text, piece), at, `${text} in pieces of ${piece}`);
    assert.equal(isJson(text), at === undefined, text);
  }
});

test('it says of any text what JSON.parse says', () => {
  const parts = [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '"a"',
    '\\',
    '\\u00',
    '\\"',
    '1',
    '0',
    '-',
    '.',
    'e',
    'true',
    ' ',
    '\u0001',
    'é',
  ];
  const soup = fc.array(fc.constantFrom(...parts), { maxLength: 12 }).map((all) => all.join(''));
  const cut = fc.tuple(fc.json(), fc.nat(), fc.constantFrom('', ...parts)).map(([text, at, put]) => {
    const place = at % (text.length + 1);
    return text.slice(0, place) + put + text.slice(place + (at % 3));
  });
  const property = fc.property(fc.oneof(soup, cut, fc.json()), fc.integer({ min: 1, max: 9 }), (text, piece) => {
    assert.equal(wrongAt(text, piece) === undefined, isJson(text), JSON.stringify(text));
  });
  fc.assert(property, { numRuns: 5000 });
});

test('it goes as deep as there are brackets', () => {
  const deep = 500_000;
  assert.equal(wrongAt('['.repeat(deep) + ']'.repeat(deep), 65_536), undefined);
  assert.equal(wrongAt('['.repeat(deep), 65_536), deep);
});
