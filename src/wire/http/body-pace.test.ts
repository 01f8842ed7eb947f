import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BodyPace } from './body-pace.ts';

const MIB = 1024 * 1024;
const [ONE, OTHER] = [{}, {}];

interface Look {
  readonly bytes: number;
  readonly inFront?: object;
  /** It was not read for some of the time before. */
  readonly rested?: boolean;
  readonly isResting?: boolean;
}

/** Whether each look finds the body in the way. */
function looks(...all: readonly Look[]): readonly boolean[] {
  const pace = new BodyPace();
  return all.map(({ bytes, inFront, rested = false, isResting = false }) => {
    if (rested) pace.rest();
    return pace.look(bytes, isResting, inFront);
  });
}

test('a body is in the way that hardly comes while the same one waits in front of all', () => {
  const came = { bytes: MIB, inFront: ONE };
  assert.deepEqual(looks(came, came), [false, true]);
  assert.deepEqual(looks(came, { ...came, bytes: MIB + 60_000 }), [false, true]);
  assert.deepEqual(looks(came, { ...came, bytes: MIB + 80_000 }), [false, false], 'it comes');
  assert.deepEqual(looks({ bytes: MIB }, { bytes: MIB }, { bytes: MIB }), [false, false, false], 'nobody waits');
  assert.deepEqual(looks({ bytes: MIB }, came, came), [false, false, true], 'one that has only begun to wait');
  assert.deepEqual(looks(came, { ...came, inFront: OTHER }, came), [false, false, false], 'others go on');
  const small = { bytes: 8 * 1024, inFront: ONE };
  assert.deepEqual(looks(small, small, small), [false, false, false], 'it holds next to nothing');
});

test('while a body itself waits for room nothing new is thought of it', () => {
  const came = { bytes: MIB, inFront: ONE };
  const resting = { ...came, rested: true, isResting: true };
  assert.deepEqual(looks(resting, resting, resting, came), [false, false, false, false]);
  assert.deepEqual(looks(resting, came, came), [false, false, true], 'then it goes on, or not');
  assert.deepEqual(looks({ bytes: MIB }, { bytes: MIB }, resting, resting), [false, false, false, true], 'it was slow');
});
