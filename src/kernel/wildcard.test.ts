import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as property, constantFrom, property as holds, string } from 'fast-check';
import { compileWildcard } from './wildcard.ts';

test('patterns and what fits them', () => {
  const table: readonly (readonly [pattern: string, fits: readonly string[], not: readonly string[]])[] = [
    ['', [''], ['a']],
    ['a', ['a'], ['', 'A', 'aa', 'ba', 'a\n']],
    ['a?c', ['abc', 'a*c', 'a\nc'], ['ac', 'abbc']],
    ['*', ['', 'a', 'a\nb'], []],
    ['a*', ['a', 'abc'], ['ba', '']],
    ['*a*b', ['ab', 'xaxbxb'], ['ba', 'abx']],
    ['a**b', ['ab', 'axxb'], ['a']],
    ['a.b[c]', ['a.b[c]'], ['axb[c]', 'a.bc']],
  ];
  for (const [pattern, yes, no] of table) {
    const fits = compileWildcard(pattern);
    for (const text of yes) assert.ok(fits(text), `${pattern} ${JSON.stringify(text)}`);
    for (const text of no) assert.ok(!fits(text), `${pattern} ${JSON.stringify(text)}`);
  }
  assert.ok(compileWildcard('Kinesis:put*', { ignoreCase: true })('kinesis:PutRecord'));
});

test('the same as a regular expression says', () => {
  const text = string({ unit: constantFrom('a', 'b', '*', '?'), maxLength: 10 });
  property(
    holds(text, text, (pattern, given) => {
      const expression = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's');
      assert.equal(compileWildcard(pattern)(given), expression.test(given));
    }),
    { numRuns: 5000 },
  );
});

test('a pattern of many stars ends', () => {
  assert.ok(!compileWildcard(`${'*a'.repeat(60)}b`)('a'.repeat(10_000)));
});
