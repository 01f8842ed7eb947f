import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataOf, judge, parsePut, type Found } from './transcript.ts';

const RANGES = new Map([
  ['s0', { first: 0n, last: 9n }],
  ['s1', { first: 10n, last: 19n }],
]);
/** One alone, and two in one record; the last needed a second attempt. */
const PUTS = ['PUT\t0\ta\t-\ts0\t10\t1', 'PUT\t1\tb\t12\ts1\t20\t1', 'PUT\t2\tc\t-\ts1\t20\t2'];

function found(number: number, key: string, shard: string, sequenceNumber: string, sub?: number): Found {
  return { shard, sequenceNumber, subSequenceNumber: sub, key, data: dataOf(number) };
}

const ALONE = found(0, 'a', 's0', '10');
const PACKED = [found(1, 'b', 's1', '20', 0), found(2, 'c', 's1', '20', 1)];
const ALL = [ALONE, ...PACKED];

const CASES: readonly { name: string; puts?: readonly string[]; found: readonly Found[]; problem?: RegExp }[] = [
  { name: 'all of it', found: ALL },
  { name: 'one again that was tried again', found: [...ALL, found(2, 'c', 's0', '11')] },
  { name: 'one again that was not', found: [...ALL, found(0, 'a', 's0', '11')], problem: /record 0 is there 2 times/ },
  { name: 'one left out', found: PACKED, problem: /record 0 is not at 10/ },
  { name: 'one left out of a packed record', found: [ALONE, ...PACKED.slice(1)], problem: /record 1 is not|where 0/ },
  { name: 'another order', found: [ALONE, ...PACKED.toReversed()], problem: /1 in 20 where 0 was due/ },
  { name: 'another key', found: [found(0, 'b', 's0', '10'), ...PACKED], problem: /record 0 is not at 10/ },
  { name: 'another shard', found: [found(0, 'a', 's1', '10'), ...PACKED], problem: /record 0 is not at 10/ },
  { name: 'what was never put', found: [...ALL, found(9, 'a', 's0', '30')], problem: /record 9 was never put/ },
  {
    name: 'a shard without its hash key',
    puts: PUTS.with(1, 'PUT\t1\tb\t9\ts1\t20\t1'),
    found: ALL,
    problem: /record 1 is in s1, which has not its hash key/,
  },
];

for (const { name, puts = PUTS, found, problem } of CASES) {
  test(`a producer's transcript: ${name}`, () => {
    const parsed = puts.map(parsePut).filter((put) => put !== undefined);
    const problems = judge(parsed, found, RANGES);
    if (problem === undefined) assert.deepEqual(problems, []);
    else assert.match(problems.join('\n'), problem);
  });
}

test('a line that is no transcript is none', () => {
  assert.equal(parsePut('[main] WARN some warning'), undefined);
});
