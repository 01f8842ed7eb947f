import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Figures, Measurement } from './figures.ts';
import { markdown } from './table.ts';

function measured(contender: string, round: number, figures: Figures, verdict = 'ok'): Measurement {
  return { scenario: 'puts', contender, isMillrace: contender.startsWith('millrace'), round, figures, verdict };
}

test('medians with their range, a ratio above one means better, what is not ok does not count', () => {
  const measurements = [
    measured('millrace 1', 0, { putRecordsPerSecond: 3000, putP99Ms: 4, bareP50Ms: 0.25 }),
    measured('peer 2', 0, { putRecordsPerSecond: 1000, putP99Ms: 2 }),
    measured('millrace 1', 1, { putRecordsPerSecond: 1000, putP99Ms: 4, bareP50Ms: 0.25 }),
    measured('peer 2', 1, {}, 'hangs'),
    measured('millrace 1', 2, { putRecordsPerSecond: 2000, putP99Ms: 4, bareP50Ms: 0.25 }),
    measured('peer 2', 2, { putRecordsPerSecond: 9000, putP99Ms: 1 }, '3 missing'),
  ];
  assert.equal(
    markdown([{ machine: 'two cores', measurements }]),
    [
      'two cores',
      '',
      '| scenario | figure | millrace 1 | peer 2 | better than peer |',
      '| --- | --- | --- | --- | --- |',
      '| puts | put, records/s | 2,000 [1,000..3,000] | 1,000 | 2.00 x |',
      '|  | put, p99 ms | 4.0 [4.0..4.0] | 2.0 | 0.50 x |',
      '|  | bare write + fdatasync beside it, p50 ms | 0.25 [0.25..0.25] |  |  |',
      '|  | verdict | ok, 3 rounds | ok; hangs; 3 missing |  |',
      '',
    ].join('\n'),
  );
});

test('two ways of syncing stand side by side, their ratios too', () => {
  const measurements = [
    measured('millrace, sync: always', 0, { putRecordsPerSecond: 1000 }),
    measured('millrace, sync: none', 0, { putRecordsPerSecond: 4000 }),
    measured('peer', 0, { putRecordsPerSecond: 2000 }),
  ];
  const [, , head, , row] = markdown([{ machine: 'm', measurements }]).split('\n');
  assert.equal(head, '| scenario | figure | millrace, sync: always | millrace, sync: none | peer | better than peer |');
  assert.equal(row, '| puts | put, records/s | 1,000 | 4,000 | 2,000 | 0.50 x / 2.00 x |');
});
