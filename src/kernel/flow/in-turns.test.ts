import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InTurns } from './in-turns.ts';

/** Turns that come when the test says so. */
function byHand(perTurn: number) {
  const due: (() => void)[] = [];
  const made: number[] = [];
  const inTurns = new InTurns(perTurn, (run) => due.push(run));
  const calls = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => () => void made.push(from + index));
  const turn = (): void => {
    for (const run of due.splice(0)) run();
  };
  return { inTurns, made, calls, turn, due };
}

describe('InTurns', () => {
  it('makes a few calls at once, and needs no further turn', () => {
    const { inTurns, made, calls, due } = byHand(3);
    inTurns.run(calls(0, 3));
    assert.deepEqual(made, [0, 1, 2]);
    assert.equal(due.length, 0);
  });

  it('makes so many in a turn and no more, in their order', () => {
    const { inTurns, made, calls, turn } = byHand(2);
    inTurns.run(calls(0, 5));
    const seen = [made.length];
    for (let more = 0; more < 3; more += 1) {
      turn();
      seen.push(made.length);
    }
    assert.deepEqual(seen, [2, 4, 5, 5]);
    assert.deepEqual(made, [0, 1, 2, 3, 4]);
  });

  it('puts later calls behind those that wait', () => {
    const { inTurns, made, calls, turn } = byHand(2);
    inTurns.run(calls(0, 3));
    inTurns.run(calls(3, 5));
    assert.deepEqual(made, [0, 1]);
    turn();
    assert.deepEqual(made, [0, 1, 2, 3]);
    turn();
    assert.deepEqual(made, [0, 1, 2, 3, 4]);
  });

  it('takes calls from within a call, behind the others and within the bound', () => {
    const { inTurns, made, calls, turn } = byHand(2);
    inTurns.run([() => inTurns.run(calls(7, 9)), ...calls(0, 2)]);
    const first = made.length;
    turn();
    turn();
    assert.equal(first, 1);
    assert.deepEqual(made, [0, 1, 7, 8]);
  });

  it('says when nothing waits', async () => {
    const { inTurns, calls, turn } = byHand(1);
    await inTurns.idle();
    inTurns.run(calls(0, 2));
    let isIdle = false;
    const idle = inTurns.idle().then(() => (isIdle = true));
    await Promise.resolve();
    assert.equal(isIdle, false);
    turn();
    await idle;
    assert.equal(inTurns.waiting, 0);
  });
});
