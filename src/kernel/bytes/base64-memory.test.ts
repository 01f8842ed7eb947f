import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBase64Memory, openPlainBase64Memory, type Base64Memory } from './base64-memory.ts';

const MEMORIES: readonly (readonly [name: string, memory: Base64Memory])[] = [
  ['wide', openBase64Memory(2)],
  ['plain', openPlainBase64Memory(2)],
];
const INTO = 70_000;

/** Fills what may be written with bytes that follow from `seed`; all values come, and so do all pairs of digits. */
function fill({ bytes, start }: Base64Memory, seed: number): void {
  let state = seed;
  for (let at = start; at < bytes.length; at += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[at] = state >>> 16;
  }
}

for (const [name, memory] of MEMORIES) {
  const { bytes, start } = memory;
  test(`bytes of every length, wherever they stand, become the base64 that the platform makes (${name})`, () => {
    for (let length = 0; length < 200; length += 1) {
      fill(memory, length + 1);
      const from = start + (length % 17);
      const at = INTO + (length % 13);
      const wanted = bytes.toString('base64', from, from + length);
      const before = bytes.toString('latin1', 0, at);
      const end = memory.encode(from, from + length, at);
      assert.equal(bytes.toString('latin1', at, end), wanted);
      assert.equal(bytes.toString('latin1', 0, at), before, 'nothing in front of it is written');
    }
  });

  test(`large pieces and all values of a byte (${name})`, () => {
    for (let seed = 1; seed < 20; seed += 1) {
      fill(memory, seed);
      const wanted = bytes.toString('base64', start, start + 30_000);
      assert.equal(bytes.toString('latin1', INTO, memory.encode(start, start + 30_000, INTO)), wanted);
    }
    for (let value = 0; value < 256; value += 1) {
      bytes.fill(value, start, start + 48);
      const wanted = bytes.toString('base64', start, start + 48);
      assert.equal(bytes.toString('latin1', INTO, memory.encode(start, start + 48, INTO)), wanted);
    }
  });

  test(`copies of every length (${name})`, () => {
    for (let length = 0; length < 100; length += 1) {
      fill(memory, length + 1);
      const wanted = Buffer.from(bytes.subarray(start + length, start + 2 * length));
      const behind = Buffer.from(bytes.subarray(INTO + length + 16, INTO + length + 100));
      memory.copy(start + length, start + 2 * length, INTO);
      assert.deepEqual(bytes.subarray(INTO, INTO + length), wanted);
      assert.deepEqual(bytes.subarray(INTO + length + 16, INTO + length + 100), behind, 'at most 16 bytes more');
    }
  });
}

test('where the platform takes no code the memory is the plain one', () => {
  const { WebAssembly } = globalThis as { WebAssembly?: unknown };
  try {
    Object.assign(globalThis, { WebAssembly: undefined });
    const memory = openBase64Memory(1);
    memory.bytes.write('hello', memory.start);
    const end = memory.encode(memory.start, memory.start + 5, 100);
    assert.equal(memory.bytes.toString('latin1', 100, end), 'aGVsbG8=');
  } finally {
    Object.assign(globalThis, { WebAssembly });
  }
});
