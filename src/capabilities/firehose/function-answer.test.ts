import assert from 'node:assert/strict';
import { test } from 'node:test';
import { functionAnswer } from './function-answer.ts';

const ALL = { kind: 'all' };

function named(...itemIdentifiers: readonly unknown[]): object {
  return { batchItemFailures: itemIdentifiers.map((itemIdentifier) => ({ itemIdentifier })) };
}

test('answers count as on Lambda', () => {
  const table: readonly (readonly [answer: unknown, expected: object | 'none'])[] = [
    [null, ALL],
    ['', ALL],
    ['done', ALL],
    [7, ALL],
    [[], ALL],
    [{}, ALL],
    [{ statusCode: 200 }, ALL],
    [{ batchItemFailures: null }, ALL],
    [named(), ALL],
    [named('1'), { kind: 'some', taken: 0 }],
    [named('3', '2'), { kind: 'some', taken: 1 }],
    [named('2', '2'), { kind: 'some', taken: 1 }],
    [named(''), 'none'],
    [named(null), 'none'],
    [named(2), 'none'],
    [named('2', 'foreign'), 'none'],
    [{ batchItemFailures: [{ wrongName: '2' }] }, 'none'],
    [{ batchItemFailures: ['2'] }, 'none'],
    [{ batchItemFailures: [null] }, 'none'],
    [{ batchItemFailures: {} }, 'none'],
    [{ batchItemFailures: 'x' }, 'none'],
  ];
  for (const [answer, expected] of table) {
    const found = functionAnswer(Buffer.from(JSON.stringify(answer)), ['1', '2', '3']);
    if (expected === 'none') assert.equal(found.kind, 'none', JSON.stringify(answer));
    else assert.deepEqual(found, expected, JSON.stringify(answer));
  }
  assert.deepEqual(functionAnswer(Buffer.from(''), ['1']), ALL);
  assert.deepEqual(functionAnswer(Buffer.from('{"batchItemFail'), ['1']), ALL);
});
