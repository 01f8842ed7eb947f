import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DedupeWindow } from './dedupe-window.ts';

/** Digests of one connection after the other; those that are stored. */
function stored(window: DedupeWindow, connections: readonly string[], isKey = false): string {
  return connections
    .map((digests, index) =>
      Array.from(digests)
        .filter((one) => window.take(one, index + 1, isKey))
        .join(''),
    )
    .join(' ');
}

const ROWS: readonly (readonly [restored: string, connections: readonly string[], stored: string])[] = [
  ['', ['abc'], 'abc'],
  ['', ['aaa'], 'aaa'],
  ['', ['abc', 'bcd'], 'abc d'],
  ['', ['aab', 'aaab'], 'aab a'],
  ['', ['ab', 'ab', 'abc'], 'ab  c'],
  ['', ['a', 'aa', 'aaa'], 'a a a'],
  ['abb', ['abbc', 'bbbc'], 'c b'],
  ['a', ['', 'a', 'aa'], '  a'],
];

test('a connection repeats what earlier ones brought as often as they did', () => {
  for (const [restored, connections, expected] of ROWS) {
    const window = new DedupeWindow(100);
    for (const one of restored) window.restore(one);
    assert.equal(stored(window, connections), expected, `${restored} ${connections.join()}`);
  }
});

test('a key is stored once', () => {
  const window = new DedupeWindow(100);
  window.restore('z');
  assert.equal(stored(window, ['aabz', 'bc'], true), 'ab c');
});

test('at least the newest are known, and no more than twice as many', () => {
  const window = new DedupeWindow(3);
  for (let index = 0; index < 100; index += 1) {
    window.take(`${index}`, 1, false);
    assert.ok(window.size < 6);
    for (let back = Math.max(0, index - 2); back <= index; back += 1) {
      assert.ok(!window.take(`${back}`, 1, true), `${back} of ${index}`);
    }
  }
  assert.ok(window.take('0', 1, true), 'the oldest are forgotten');
});
