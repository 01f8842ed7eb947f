import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whatTook, type Profile } from './what-took.ts';

const frame = (functionName: string) => ({ functionName, url: 'file:///build/src/room/file.js', lineNumber: 9 });

/** (root) > serve > put | answer; a sample every 250 us from 1 s of the profiler's clock on. */
function profileOf(samples: readonly number[]): Profile {
  return {
    nodes: [
      { id: 1, callFrame: { functionName: '(root)', url: '', lineNumber: -1 }, children: [2] },
      { id: 2, callFrame: frame('serve'), children: [3, 4] },
      { id: 3, callFrame: frame('put') },
      { id: 4, callFrame: frame('answer') },
    ],
    samples,
    timeDeltas: samples.map(() => 250),
    startTime: 1_000_000,
  };
}

const turn = (from: number, to: number) => ({
  kind: 'TCP',
  from,
  to,
  wallMs: to - from,
  cpuMs: to - from,
  pauseMs: 0,
  what: '',
});

test('a turn is said to have been where most of its samples were', () => {
  const profile = profileOf([3, 3, 3, 4, 4, 4, 4, 2]);
  // The profile began at 10 ms of the turns' clock.
  const [first, second, none] = whatTook(profile, [turn(10, 10.8), turn(10.9, 11.8), turn(20, 30)], 990);
  assert.equal(first?.what, 'serve room/file.js:10 (3 of 3) > put room/file.js:10 (3 of 3)');
  assert.equal(second?.what, 'serve room/file.js:10 (4 of 4) > answer room/file.js:10 (4 of 4)');
  assert.equal(none?.what, '');
});

test('where the ways part, the widest of them are named', () => {
  const [turned] = whatTook(profileOf([3, 3, 3, 2, 2, 2, 2, 2]), [turn(10, 20)], 990);
  assert.equal(turned?.what, 'serve room/file.js:10 (8 of 8) > put room/file.js:10 (3)');
});
