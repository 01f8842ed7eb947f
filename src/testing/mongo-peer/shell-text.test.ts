import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Binary, Decimal128, Double, Int32, Long, ObjectId, Timestamp, UUID } from 'bson';
import { shellText } from './shell-text.ts';

const table: readonly (readonly [value: unknown, text: string])[] = [
  [1, '1'],
  [1.5, '1.5'],
  [new Double(2), '2.0'],
  [new Int32(2), '2'],
  [Long.fromNumber(3), '3'],
  [Decimal128.fromString('1.50'), '1.50'],
  ['a "b"', '"a \\"b\\""'],
  [null, 'null'],
  [true, 'true'],
  [new ObjectId('65a000000000000000000001'), "ObjectId('65a000000000000000000001')"],
  [new Date(5), 'new Date(5)'],
  [new Timestamp({ t: 7, i: 2 }), 'Timestamp(7, 2)'],
  [new Binary(Buffer.from('ab')), 'BinData(0, 6162)'],
  [new UUID('6d0b1c2e-0000-4000-8000-000000000001'), 'UUID("6d0b1c2e-0000-4000-8000-000000000001")'],
  [{ a: 1, b: { c: 'x' } }, '{ a: 1, b: { c: "x" } }'],
  [{}, '{}'],
];

test('values as the server writes them', () => {
  for (const [value, text] of table) assert.equal(shellText(value), text);
});
