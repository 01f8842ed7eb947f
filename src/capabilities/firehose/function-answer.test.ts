import assert from 'node:assert/strict';
import { test } from 'node:test';
import { functionAnswer, type FunctionAnswer } from './function-answer.ts';

const turn = async (): Promise<void> => await new Promise((resolve) => void setImmediate(resolve));

async function read(answer: string, identifiers: readonly string[]): Promise<FunctionAnswer> {
  return await functionAnswer(Buffer.from(answer), identifiers, turn);
}

const ALL = { kind: 'all' };

function named(...itemIdentifiers: readonly unknown[]): object {
  return { batchItemFailures: itemIdentifiers.map((itemIdentifier) => ({ itemIdentifier })) };
}

test('answers count as on Lambda', async () => {
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
    const found = await read(JSON.stringify(answer), ['1', '2', '3']);
    if (expected === 'none') assert.equal(found.kind, 'none', JSON.stringify(answer));
    else assert.deepEqual(found, expected, JSON.stringify(answer));
  }
  assert.deepEqual(await read('', ['1']), ALL);
  assert.deepEqual(await read('{"batchItemFail', ['1']), ALL);
});

test('of a member that is named twice the last one counts, as anywhere', async () => {
  const twice =
    '{"batchItemFailures":[{"itemIdentifier":"1"}],"batch\\u0049temFailures" : [{"x":[],"itemIdentifier":"2"}] }';
  assert.deepEqual(await read(twice, ['1', '2']), { kind: 'some', taken: 1 });
});

test('a large answer is read in pieces, whatever it is', async () => {
  const fill = (unit: string): string => unit.repeat(1_000_000 / unit.length);
  const table: readonly (readonly [string, string, FunctionAnswer['kind']])[] = [
    ['depth', `{"a":${fill('[')}${fill(']')}}`, 'all'],
    ['lists', `{"a":[${fill('[],')}0],"batchItemFailures":[]}`, 'all'],
    ['items', `{"batchItemFailures":[${fill('{"itemIdentifier":"1"},')}{"itemIdentifier":"1"}]}`, 'some'],
    ['names', `{${fill('"a":0,')}"a":0}`, 'all'],
    ['text', `{"a":"${fill('\\"')}"}`, 'all'],
  ];
  for (const [name, answer, kind] of table) {
    const payload = Buffer.from(answer);
    let turns = 0;
    const counted = async (): Promise<void> => void (turns += 1);
    assert.equal((await functionAnswer(payload, ['1'], counted)).kind, kind, name);
    // Looked at twice: whether it is JSON, and what stands in it.
    assert.ok(turns >= 2 * Math.floor(payload.length / 65_536) - 2, `${name}: ${turns} turns`);
  }
});
