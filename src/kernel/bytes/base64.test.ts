import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { decodeBase64, decodeBase64Plainly, encodeBase64, encodeBase64Plainly, openArena } from './base64.ts';

const GOOD: readonly (readonly [text: string, bytes: readonly number[]])[] = [
  ['', []],
  ['AA==', [0]],
  ['/w==', [255]],
  ['AAE=', [0, 1]],
  ['AAEC', [0, 1, 2]],
  ['+/+/', [251, 255, 191]],
  ['aGVsbG8=', [104, 101, 108, 108, 111]],
];

const BAD = [
  'A', 'AA', 'AAA', 'AAAAA', '=', '==', '====', 'A===', '=AAA', 'AA=A', 'AA==AAAA', 'AB==', 'AAB=', '+/+=',
  'A A=', ' AAA', 'AAA\n', 'AA\r\n', 'AA-_', '-AAA', 'AA_A', 'ŁAAA', 'AAAŁ', 'AAA\u0000', 'AAA😀', '😀==', 'AA*A',
  'AAA\ud800', 'ééé=', 'AAAA\u{FF1D}AAA',
]; // prettier-ignore

test('strict base64 decodes and encodes, with and without buffers', () => {
  for (const [text, bytes] of GOOD) {
    assert.deepEqual([...(decodeBase64(text) ?? ['none'])], bytes, text);
    assert.deepEqual([...(decodeBase64Plainly(text) ?? ['none'])], bytes, text);
    assert.equal(encodeBase64(Uint8Array.from(bytes)), text);
    assert.equal(encodeBase64Plainly(Uint8Array.from(bytes)), text);
  }
});

test('anything but strict base64 is refused, with and without buffers', () => {
  for (const text of BAD) {
    assert.equal(decodeBase64(text), undefined, JSON.stringify(text));
    assert.equal(decodeBase64Plainly(text), undefined, JSON.stringify(text));
  }
});

test('an arena holds the bytes of many texts, and overflows into single ones', () => {
  const arena = openArena(16 * 1024);
  assert.ok(arena !== undefined);
  const block = new Uint8Array(5000).map((_, index) => index);
  const text = encodeBase64(block);
  const decoded = [decodeBase64(text, arena), decodeBase64(text, arena), decodeBase64(text, arena)];
  for (const bytes of decoded) assert.deepEqual(Uint8Array.from(bytes ?? []), block);
  assert.equal(decoded[0]?.buffer, decoded[1]?.buffer);
  assert.notEqual(decoded[0]?.buffer, decoded[2]?.buffer);
  assert.equal(openArena(100), undefined);
});

test('both decoders agree on every text, and decoding reverses encoding', () => {
  const texts = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.string({
      unit: fc.constantFrom('A', 'b', '9', '+', '/', '=', '-', '_', ' ', '\u0141', '\ud83d'),
      maxLength: 12,
    }),
    fc.base64String({ maxLength: 40 }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const [fast, plain] = [decodeBase64(text), decodeBase64Plainly(text)];
      assert.equal(fast === undefined, plain === undefined);
      assert.deepEqual([...(fast ?? [])], [...(plain ?? [])]);
      if (plain !== undefined) assert.equal(encodeBase64Plainly(plain), text);
    }),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.deepEqual([...(decodeBase64(encodeBase64(bytes)) ?? [])], [...bytes]);
    }),
  );
});
