import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, parseTold, type Stored } from './transcript.ts';

/** Four records: two of shard p, then two of its child c. */
const STORED = new Map<string, Stored>([
  ['0', { shard: 'p', sequenceNumber: '10' }],
  ['1', { shard: 'p', sequenceNumber: '20' }],
  ['2', { shard: 'c', sequenceNumber: '30' }],
  ['3', { shard: 'c', sequenceNumber: '40' }],
]);
const PARENTS = new Map([['c', ['p']]]);
const PARENT = [
  'a START 1 p TRIM_HORIZON',
  'a RECORD 2 p 10:0 0',
  'a RECORD 2 p 20:0 1',
  'a CHECKPOINT 3 p 20',
  'a END 4 p ',
];
const CHILD = ['a START 5 c TRIM_HORIZON', 'a RECORD 6 c 30:0 2', 'a CHECKPOINT 7 c 30', 'a RECORD 8 c 40:0 3'];
const TAKEN_OVER = ['b START 9 c 30', 'b RECORD 10 c 40:0 3'];

const CASES: readonly { name: string; told: readonly string[]; problem?: RegExp }[] = [
  { name: 'all of it', told: [...PARENT, ...CHILD] },
  { name: 'what stood behind the checkpoint again, by another worker', told: [...PARENT, ...CHILD, ...TAKEN_OVER] },
  { name: 'a record left out in the middle', told: [...PARENT.toSpliced(1, 1), ...CHILD], problem: /1 at 20 where 0/ },
  { name: 'a record left out at the end', told: [...PARENT, ...CHILD.slice(0, 3)], problem: /record 3 was not/ },
  {
    name: 'a record twice in one run',
    told: [...PARENT.toSpliced(2, 0, 'a RECORD 2 p 10:0 0'), ...CHILD],
    problem: /where 1/,
  },
  {
    name: 'other data than was put',
    told: [...PARENT, ...CHILD.with(1, 'a RECORD 6 c 30:0 9')],
    problem: /9 at 30 where 2/,
  },
  {
    name: 'a start before the checkpoint',
    told: [...PARENT, ...CHILD, 'b START 9 c 20'],
    problem: /before the checkpoint 30/,
  },
  {
    name: 'a start past a record',
    told: [...PARENT, ...CHILD.slice(0, 3), 'b START 9 c 40'],
    problem: /record 3 was not/,
  },
  { name: 'a child before its parent ended', told: [...PARENT.slice(0, 4), ...CHILD], problem: /c began before p had/ },
  {
    name: 'a parent read again beside its child',
    told: [...PARENT, ...CHILD, 'b START 9 p 10', 'b RECORD 9 p 20:0 1'],
    problem: /before the checkpoint|after c had begun/,
  },
  { name: 'a record without a start', told: PARENT.slice(1), problem: /before its start/ },
  {
    name: 'a problem that a worker told',
    told: [...PARENT, ...CHILD, 'a PROBLEM 9 c Throttled'],
    problem: /Throttled/,
  },
];

for (const { name, told, problem } of CASES) {
  test(`a KCL transcript: ${name}`, () => {
    const lines = told.map((line) => parseTold(line.slice(0, 1), line.slice(2)));
    const problems = judge(
      lines.filter((line) => line !== undefined),
      STORED,
      PARENTS,
    );
    if (problem === undefined) assert.deepEqual(problems, []);
    else assert.match(problems.join('\n'), problem);
  });
}

test('a line that is no transcript is none', () => {
  assert.equal(parseTold('a', 'SLF4J: some warning'), undefined);
});
