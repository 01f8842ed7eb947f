import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fifo } from './fifo.ts';

test('what is pushed leaves in its order, however much stands between', () => {
  const fifo = new Fifo<number>();
  assert.deepEqual([fifo.shift(), fifo.at(0), fifo.length], [undefined, undefined, 0]);
  const model: number[] = [];
  for (let step = 0; step < 20_000; step += 1) {
    fifo.push(step);
    model.push(step);
    // Grows, shrinks to nothing, and grows again.
    const gone = step % 5000 === 4999 ? model.length : step % 3 === 0 ? 2 : 0;
    for (let count = 0; count < gone; count += 1) assert.equal(fifo.shift(), model.shift());
    assert.equal(fifo.length, model.length);
    assert.deepEqual([fifo.at(0), fifo.at(fifo.length - 1)], [model[0], model.at(-1)]);
  }
  assert.equal(fifo.at(fifo.length), undefined);
});
