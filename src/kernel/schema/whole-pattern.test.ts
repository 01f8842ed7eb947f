import assert from 'node:assert/strict';
import { test } from 'node:test';
import { array, assert as property, constantFrom, property as holds } from 'fast-check';
import { wholePattern } from './whole-pattern.ts';

/** All that AWS's shapes have of this kind. */
const GAPPED = [
  'arn:aws.*:kinesis:.*:\\d{11,13}:stream/\\S+',
  'arn:aws.*:kinesis:.*:\\d{11,13}:.*(stream|channel|queue)/\\S+',
  '^(arn):aws.*:kinesis:.*:\\d{11,13}:.*stream\\/[a-zA-Z0-9_.-]+\\/consumer\\/[a-zA-Z0-9_.-]+:[0-9]+',
  'arn:.*:iam::\\d{11,13}:role/.*',
  'arn:.*:kinesis:.*:\\d{11,13}:stream/[a-zA-Z0-9_.-]+',
];
const PARTS = [
  'arn', ':', ':aws', '-cn', ':kinesis:', 'us-east-1', ':00000000000:', ':000000000000', ':0000000000000:', 'stream/', ':stream/',
  'channel/', 'a', '/consumer/', ':1', ' ', '\n', '\u2028', '😀', 'role/', ':iam::', 'queue/x',
]; // prettier-ignore

test('a pattern with gaps says the same as the platform’s', () => {
  const known = constantFrom('arn:aws:kinesis:', 'arn:aws:kinesis:us-east-1:000000000000:stream/', 'arn:aws:iam::000000000000:', '');
  const rest = array(constantFrom(...PARTS), { maxLength: 10 });
  let fitting = 0;
  property(
    holds(known, rest, constantFrom(...GAPPED), (front, parts, pattern) => {
      const text = front + parts.join('');
      const wanted = new RegExp(`^(?:${pattern})$`).test(text);
      fitting += Number(wanted);
      assert.equal(wholePattern(pattern).test(text), wanted, JSON.stringify(text));
    }),
    { numRuns: 20_000 },
  );
  assert.ok(fitting > 500, `${fitting} of them fit`);
}); // prettier-ignore

test('patterns without gaps, and those whose gaps cannot be told apart', () => {
  const table: readonly (readonly [pattern: string, fits: readonly string[], not: readonly string[]])[] = [
    ['[a-z]+', ['abc'], ['', 'aB', 'a\n']],
    ['a|bc', ['a', 'bc'], ['ac', 'abc']],
    ['(a.*)+b', ['ab', 'axab'], ['a', 'b']],
    ['a[^b].*c', ['axc', 'a\nxc'], ['abc']],
    ['a.*|b', ['a', 'ax', 'b'], ['bx']],
    ['(a)\\1.*b', ['aab', 'aaxb'], ['ab']],
  ];
  for (const [pattern, yes, no] of table) {
    for (const text of yes) assert.ok(wholePattern(pattern).test(text), `${pattern} ${JSON.stringify(text)}`);
    for (const text of no) assert.ok(!wholePattern(pattern).test(text), `${pattern} ${JSON.stringify(text)}`);
  }
});

test('a gap at the end takes a text of any length, and no end of a line', () => {
  for (const [pattern, front] of [
    ['.*', ''],
    ['https?://.*', 'https://'],
  ] as const) {
    const fits = (text: string): boolean => wholePattern(pattern).test(front + text);
    for (const text of ['', 'x', 'x'.repeat(4096), 'x'.repeat(4097), '😀'.repeat(100_000)]) assert.ok(fits(text));
    for (const text of ['\n', 'x\n', `${'x'.repeat(5000)}\u2029`, '\r']) assert.ok(!fits(text));
  }
  assert.ok(!wholePattern('https?://.*').test('ftp://x'));
});

test('texts made to be tried in every way end at once', () => {
  const begun = performance.now();
  for (const pattern of GAPPED) {
    for (const part of [':kinesis:000000000000:stream/', ':kinesis:000000000000:stream/a/consumer/a:1', ':kinesis:', ':iam::']) {
      for (const characters of [2048, 4096, 16_000_000]) {
        const text = `arn:aws${part.repeat(characters / part.length)}`;
        wholePattern(pattern).test(`${text} `);
        wholePattern(pattern).test(text);
      }
    }
  }
  assert.ok(performance.now() - begun < 3000, `${performance.now() - begun} ms`);
}); // prettier-ignore
