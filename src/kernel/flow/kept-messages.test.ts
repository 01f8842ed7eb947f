import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeptMessages } from './kept-messages.ts';

test('words are kept up to a bound; what comes then has those of the first of its code, or the code', () => {
  const kept = new KeptMessages(30);
  const table: readonly (readonly [code: string, message: string, expected: string])[] = [
    ['400', 'field a is no number', 'field a is no number'],
    ['400', 'field a is no number', 'field a is no number'],
    ['400', 'field b is no number', 'field a is no number'],
    ['429', 'too many requests', '429'],
    ['429', 'busy', 'busy'],
    ['429', 'too many requests', 'busy'],
    ['400', 'shut', 'shut'],
    ['400', 'gone...', 'field a is no number'],
  ];
  for (const [code, message, expected] of table) assert.equal(kept.of(code, message), expected, message);
});

test('words that are kept count once, however many failures have them, also those that are not the first', () => {
  const kept = new KeptMessages(30);
  assert.equal(kept.of('500', 'request 1 failed'), 'request 1 failed');
  for (let times = 0; times < 5000; times += 1) assert.equal(kept.of('500', 'no. 2 failed'), 'no. 2 failed');
  assert.equal(kept.of('503', 'no. 2 failed'), 'no. 2 failed');
  assert.equal(
    kept.of('503', 'something else'),
    'no. 2 failed',
    'the first of its code, though it was kept for another',
  );
});
