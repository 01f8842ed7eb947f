import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Digest } from './arrival-headers.ts';
import { DedupeWindow } from './dedupe-window.ts';

const SECRET = Buffer.from('a secret');

/** Many of them are alike in the words that say where to look. */
function digestOf(text: string): Digest {
  return Uint32Array.of(text.length, 7, text.charCodeAt(0), Number.parseInt(text, 36));
}

/** Digests of one connection after the other; those that are stored. */
function stored(window: DedupeWindow, connections: readonly string[], isKey = false): string {
  return connections
    .map((digests, index) =>
      Array.from(digests)
        .filter((one) => window.take(digestOf(one), index + 1, isKey))
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
    const window = new DedupeWindow(100, SECRET);
    for (const one of restored) window.restore(digestOf(one));
    assert.equal(stored(window, connections), expected, `${restored} ${connections.join()}`);
  }
});

test('a key is stored once', () => {
  const window = new DedupeWindow(100, SECRET);
  window.restore(digestOf('z'));
  assert.equal(stored(window, ['aabz', 'bc'], true), 'ab c');
});

test('at least the newest are known, and no more than twice as many', () => {
  const window = new DedupeWindow(3, SECRET);
  for (let index = 0; index < 100; index += 1) {
    window.take(digestOf(`${index}`), 1, false);
    assert.ok(window.size < 6);
    for (let back = Math.max(0, index - 2); back <= index; back += 1) {
      assert.ok(!window.take(digestOf(`${back}`), 1, true), `${back} of ${index}`);
    }
  }
  assert.ok(window.take(digestOf('0'), 1, true), 'the oldest are forgotten');
});

/** The window as it is meant, with an object for each. */
class PlainWindow {
  #young = new Map<string, { stored: number; seen: number; connection: number }>();
  #old = new Map(this.#young);

  take(name: string, connection: number, isKey: boolean): boolean {
    const known = this.#young.get(name) ?? this.#old.get(name);
    const one = known ?? { stored: 1, seen: 1, connection };
    this.#old.delete(name);
    this.#young.set(name, one);
    if (this.#young.size >= IDS_MAX) [this.#old, this.#young] = [this.#young, new Map()];
    if (known === undefined || isKey) return known === undefined;
    one.seen = one.connection === connection ? one.seen + 1 : 1;
    one.connection = connection;
    if (one.seen <= one.stored) return false;
    one.stored += 1;
    return true;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }
}

const IDS_MAX = 200;

test('any course of events is judged as by a plain window', () => {
  const turn = fc.record({ name: fc.nat(700), times: fc.integer({ min: 1, max: 60 }), isNext: fc.boolean() });
  fc.assert(
    fc.property(fc.array(turn, { maxLength: 60 }), fc.boolean(), (turns, isKey) => {
      const [window, plain] = [new DedupeWindow(IDS_MAX, SECRET), new PlainWindow()];
      let connection = 1;
      for (const { name, times, isNext } of turns) {
        if (isNext) connection += 1;
        for (let index = 0; index < times; index += 1) {
          const one = `${name + (index % 40)}`;
          assert.equal(window.take(digestOf(one), connection, isKey), plain.take(one, connection, isKey));
          assert.equal(window.size, plain.size);
        }
      }
    }),
    { numRuns: 300 },
  );
});
