import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import * as fc from 'fast-check';
import { fromHex, toHex } from './hex.ts';
import { md5Words } from './md5.ts';

function md5Hex(bytes: Uint8Array): string {
  const words = new Uint32Array(4);
  md5Words(bytes, words);
  return Array.from(words, (word) => word.toString(16).padStart(8, '0')).join('');
}

test('equals the platform digest for every length around the block borders', () => {
  for (let length = 0; length <= 300; length += 1) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 7 + length * 13) & 0xff);
    assert.equal(md5Hex(bytes), createHash('md5').update(bytes).digest('hex'), `${length} bytes`);
  }
});

test('equals the platform digest for any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
      assert.equal(md5Hex(bytes), createHash('md5').update(bytes).digest('hex'));
    }),
    { seed: 1 },
  );
});

test('a part of larger memory has the digest of its copy', () => {
  const bytes = Uint8Array.from({ length: 400 }, (_, index) => (index * 31) & 0xff);
  const words = new Uint32Array(4);
  for (let from = 0; from < 130; from += 1) {
    for (const to of [from, from + 1, from + 55, from + 56, from + 64, from + 200]) {
      md5Words(bytes, words, from, to);
      const hex = Array.from(words, (word) => word.toString(16).padStart(8, '0')).join('');
      assert.equal(hex, createHash('md5').update(bytes.subarray(from, to)).digest('hex'), `${from} to ${to}`);
    }
  }
});

test('hex text goes there and back, and nothing else is hex', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      assert.equal(toHex(bytes), Buffer.from(bytes).toString('hex'));
      assert.deepEqual(fromHex(toHex(bytes).toUpperCase()), new Uint8Array(bytes));
    }),
    { seed: 1 },
  );
  for (const text of ['a', 'zz', '0x', ' 0', '0\n']) assert.equal(fromHex(text), undefined, text);
});
