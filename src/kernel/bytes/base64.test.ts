import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  base64Size,
  decodeBase64,
  decodeBase64Piece,
  decodeBase64Plainly,
  encodeBase64,
  encodeBase64Plainly,
  openArena,
} from './base64.ts';

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

/** What the decoder in place makes of a text whose characters are bytes, cut after `cut` characters. */
function inPlace(text: string, cut: number): Uint8Array | undefined {
  const bytes = Buffer.from(`"${text}"`, 'latin1');
  const end = bytes.length - 1;
  const size = base64Size(bytes, 1, end);
  if (size < 0) return undefined;
  const into = Buffer.alloc(size + 4, 0x5a);
  const first = Math.min((cut / 4) * 3, size);
  const whole =
    decodeBase64Piece(bytes, 1, Math.min(1 + cut, end), into, 2, first) &&
    decodeBase64Piece(bytes, Math.min(1 + cut, end), end, into, 2 + first, size - first);
  const around = [into[0], into[1], into[size + 2], into[size + 3]];
  assert.deepEqual(around, [0x5a, 0x5a, 0x5a, 0x5a], 'nothing but the wanted bytes is written');
  return whole ? Uint8Array.from(into.subarray(2, size + 2)) : undefined;
}

test('decoding in place, whole or in two pieces, comes to the same as decoding plainly', () => {
  const texts = fc.oneof(
    fc.string({ unit: fc.constantFrom('A', 'b', '9', '+', '/', '=', '-', '_', ' ', 'é', '\u0000'), maxLength: 24 }),
    fc.base64String({ maxLength: 80 }),
    fc
      .tuple(fc.base64String({ minLength: 4, maxLength: 80 }), fc.nat(), fc.constantFrom('=', '-', '_', '"', '\\', 'ÿ'))
      .map(([text, at, wrong]) => text.slice(0, at % text.length) + wrong + text.slice((at % text.length) + 1)),
  );
  const same = (text: string, cut: number): void => {
    const plain = decodeBase64Plainly(text);
    assert.deepEqual(inPlace(text, cut), plain === undefined ? undefined : Uint8Array.from(plain), text);
  };
  for (const [text] of GOOD) same(text, 4);
  for (const text of BAD.filter((bad) => Buffer.from(bad, 'latin1').toString('latin1') === bad)) same(text, 4);
  fc.assert(
    fc.property(texts, fc.nat(10), (text, quads) => same(text, quads * 4)),
    { numRuns: 3000 },
  );
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
