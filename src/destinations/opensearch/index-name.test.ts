import assert from 'node:assert/strict';
import { test } from 'node:test';
import { indexNameProblem, rotatedIndex, type Rotation } from './index-name.ts';

test('five rotations, by UTC', () => {
  const table: readonly (readonly [rotation: Rotation, at: string, name: string])[] = [
    ['NoRotation', '2016-02-25T13:00:00Z', 'myindex'],
    ['OneHour', '2016-02-25T13:00:00Z', 'myindex-2016-02-25-13'],
    ['OneHour', '2016-02-25T13:59:59.999Z', 'myindex-2016-02-25-13'],
    ['OneHour', '2016-02-25T14:00:00Z', 'myindex-2016-02-25-14'],
    ['OneDay', '2016-02-25T23:30:00-05:00', 'myindex-2016-02-26'],
    ['OneMonth', '2016-02-29T23:59:59Z', 'myindex-2016-02'],
    // The written rule, not the example, which says w08.
    ['OneWeek', '2016-02-25T13:00:00Z', 'myindex-2016-w09'],
  ];
  for (const [rotation, at, name] of table) assert.equal(rotatedIndex('myindex', rotation, Date.parse(at)), name, at);
});

test('weeks begin on Sunday, and the first of a year has its first Saturday', () => {
  const table: readonly (readonly [at: string, week: string])[] = [
    ['2016-01-01', '2016-w01'],
    ['2016-01-02', '2016-w01'],
    ['2016-01-03', '2016-w02'],
    // The first of January 2022 is itself a Saturday.
    ['2021-12-25', '2021-w52'],
    ['2021-12-26', '2022-w01'],
    ['2022-01-01', '2022-w01'],
    ['2022-01-02', '2022-w02'],
    ['2022-12-31', '2022-w53'],
    ['2023-01-01', '2023-w01'],
    ['2023-01-07', '2023-w01'],
    ['2023-01-08', '2023-w02'],
    ['2026-11-28', '2026-w48'],
  ];
  for (const [at, week] of table) {
    assert.equal(rotatedIndex('i', 'OneWeek', Date.parse(`${at}T23:59:59.999Z`)), `i-${week}`, at);
    assert.equal(rotatedIndex('i', 'OneWeek', Date.parse(`${at}T00:00:00Z`)), `i-${week}`, at);
  }
});

test('names that no index can have', () => {
  for (const name of ['gitlogs', 'a', '0', 'a.b-c_d+e', '.hidden', 'ü', 'x'.repeat(80)]) {
    assert.equal(indexNameProblem(name), undefined, name);
  }
  const odd = ['Logs', 'a b', 'a/b', 'a\\b', 'a*', 'a?', 'a"', 'a<', 'a>', 'a|', 'a,b', 'a#', 'a:b', '-a', '_a', '+a'];
  for (const name of [...odd, '.', '..', 'a\n', '€'.repeat(81)]) {
    assert.match(indexNameProblem(name) ?? '', /^IndexName: /, name);
  }
});
