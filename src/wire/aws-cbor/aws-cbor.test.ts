import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import * as s from '../../kernel/schema/declare.ts';
import { cborCodec } from './codec.ts';
import { decodeCbor, MalformedCbor } from './decode.ts';
import { VALUES_MAX } from '../aws-json/values-bound.ts';
import { encodeAwsCbor } from './encode.ts';
import { asciiItem, LIST, TEXT, writeHead, writeWideHead } from './head.ts';
import { CborWriter } from './writer.ts';
import { plainCbor } from '../../testing/plain-cbor.ts';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

/** RFC 8949, appendix A, as far as JSON and byte strings can say it; what is not exact is the nearest number. */
const VECTORS: readonly (readonly [bytes: string, value: unknown])[] = [
  ['00', 0], ['01', 1], ['0a', 10], ['17', 23], ['1818', 24], ['1819', 25], ['1864', 100], ['1903e8', 1000],
  ['1a000f4240', 1_000_000], ['1b000000e8d4a51000', 1_000_000_000_000], ['1bffffffffffffffff', 2 ** 64],
  ['c249010000000000000000', 2 ** 64], ['3bffffffffffffffff', -(2 ** 64)], ['c349010000000000000000', -(2 ** 64)],
  ['20', -1], ['29', -10], ['3863', -100], ['3903e7', -1000], ['f90000', 0], ['f98000', -0], ['f93c00', 1],
  ['fb3ff199999999999a', 1.1], ['f93e00', 1.5], ['f97bff', 65_504], ['fa47c35000', 100_000], ['fa7f7fffff', 3.4028234663852886e38],
  ['fb7e37e43c8800759c', 1e300], ['f90001', 5.960464477539063e-8], ['f90400', 0.00006103515625], ['f9c400', -4],
  ['fbc010666666666666', -4.1], ['f97c00', Infinity], ['f97e00', NaN], ['f9fc00', -Infinity], ['fa7f800000', Infinity],
  ['fb7ff8000000000000', NaN], ['f4', false], ['f5', true], ['f6', null], ['f7', null],
  ['c074323031332d30332d32315432303a30343a30305a', '2013-03-21T20:04:00Z'], ['c11a514b67b0', 1_363_896_240],
  ['c1fb41d452d9ec200000', 1_363_896_240.5], ['d74401020304', hex('01020304')], ['d818456449455446', hex('6449455446')],
  ['d9d9f783010203', [1, 2, 3]], ['40', hex('')], ['4401020304', hex('01020304')], ['60', ''], ['6161', 'a'],
  ['6449455446', 'IETF'], ['62225c', '"\\'], ['62c3bc', '\u00fc'], ['63e6b0b4', '\u6c34'], ['64f0908591', '\u{10151}'],
  ['80', []], ['83010203', [1, 2, 3]], ['8301820203820405', [1, [2, 3], [4, 5]]],
  ['98190102030405060708090a0b0c0d0e0f101112131415161718181819', Array.from({ length: 25 }, (_, index) => index + 1)],
  ['a0', {}], ['a26161016162820203', { a: 1, b: [2, 3] }], ['826161a161626163', ['a', { b: 'c' }]],
  ['5f42010243030405ff', hex('0102030405')], ['7f657374726561646d696e67ff', 'streaming'], ['9fff', []],
  ['9f018202039f0405ffff', [1, [2, 3], [4, 5]]], ['9f01820203820405ff', [1, [2, 3], [4, 5]]],
  ['83018202039f0405ff', [1, [2, 3], [4, 5]]], ['83019f0203ff820405', [1, [2, 3], [4, 5]]],
  ['bf61610161629f0203ffff', { a: 1, b: [2, 3] }], ['826161bf61626163ff', ['a', { b: 'c' }]],
  ['bf6346756ef563416d7421ff', { Fun: true, Amt: -2 }],
  ['1b001fffffffffffff', Number.MAX_SAFE_INTEGER], ['3b001ffffffffffffe', Number.MIN_SAFE_INTEGER],
  ['c240', 0], ['c340', -1], ['a1695f5f70726f746f5f5f01', Object.defineProperty({}, '__proto__', { value: 1, enumerable: true })],
  ['63efbfbd', '\ufffd'],
]; // prettier-ignore

test('items of RFC 8949', () => {
  for (const [bytes, value] of VECTORS) assert.deepEqual(plainCbor(decodeCbor(hex(bytes))), value, bytes);
});

test('what is no item, or more than one', () => {
  const table: readonly string[] = [
    '', '18', '19', '1900', '1a000000', '1b00000000000000', '1c', '1d', '1e', '1f', '3f', '61', '41', '5a7fffffff', '5bffffffffffffffff',
    '7bffffffffffffffff', '81', '9a7fffffff', '9bffffffffffffffff', '8201', 'a1', 'a161', 'a16161', 'ba7fffffff', 'a10102', 'a1f601',
    'bf6161ff', '9f', 'bf', '5f', '7f', '5f6161ff', '7f4161ff', '5f5f4101ffff', 'ff', '81ff', 'a1ff', 'c1', 'df', 'c1ff', 'c261ff', 'c201',
    'f8', 'f800', 'f818', 'f8ff', 'e0', 'f0', 'f3', 'fc', 'fd', 'fe', 'f9', 'f900', 'fa', 'fb00', '0000', 'f6f6', '61ff', '62c328', '63eda080',
    '7f61c361bcff', '81'.repeat(66) + '00', 'c1'.repeat(1000) + '00', '9f'.repeat(100_000), 'd9d9f7',
  ]; // prettier-ignore
  for (const bytes of table) assert.throws(() => decodeCbor(hex(bytes)), MalformedCbor, bytes.slice(0, 40));
  assert.throws(() => cborCodec.parse(hex('ff')), { code: 'SerializationException', message: '' });
});

test('more values than any request holds are refused, whatever they are', () => {
  const whole = (item: string): Buffer => hex(`9f${item.repeat(VALUES_MAX - 1)}ff`);
  for (const item of ['00', '80', 'a0', '60', 'f6']) {
    assert.equal((decodeCbor(whole(item)) as unknown[]).length, VALUES_MAX - 1);
    assert.throws(() => decodeCbor(hex(`9f${item.repeat(VALUES_MAX)}ff`)), MalformedCbor, item);
  }
  assert.throws(() => decodeCbor(hex(`5f${'40'.repeat(VALUES_MAX)}ff`)), MalformedCbor, 'pieces of a string');
});

test('any bytes give a value or MalformedCbor, in time and memory that they pay for', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        decodeCbor(bytes);
      } catch (error) {
        assert.ok(error instanceof MalformedCbor, String(error));
      }
    }),
    { numRuns: 20_000 },
  );
});

test('what is written is read as it was', () => {
  const value = fc.jsonValue({ maxDepth: 5 });
  fc.assert(
    fc.property(value, fc.integer({ min: 0, max: 5 }), (given, extra) => {
      const writer = new CborWriter();
      writer.list(2);
      writer.plain(given);
      writer.bytes(Buffer.alloc(extra * 400, 1));
      assert.deepEqual(plainCbor(decodeCbor(writer.done())), [
        JSON.parse(JSON.stringify(given)),
        Buffer.alloc(extra * 400, 1),
      ]);
    }),
    { numRuns: 2000 },
  );
});

const SHAPE = s.struct({
  Name: s.string(),
  At: s.optional(s.timestamp()),
  Data: s.optional(s.blob()),
  Count: s.optional(s.long()),
  List: s.optional(s.list(s.struct({ At: s.optional(s.timestamp()) }))),
  Map: s.optional(s.map(s.blob())),
});

test('values as AWS writes them', () => {
  const table: readonly (readonly [value: object, bytes: string])[] = [
    [{ Name: 'a' }, 'a1644e616d656161'],
    [{ Name: 'a', At: 1_700_000_000_123 }, 'a2644e616d656161624174c11b0000018bcfe5687b'],
    [{ Name: 'a', At: 0, Other: 1 }, 'a2644e616d656161624174c100'],
    [{ Name: '', Data: hex('00ff') }, 'a2644e616d656064446174614200ff'],
    [{ Name: '', Count: -5 }, 'a2644e616d656065436f756e7424'],
    [{ Name: '', List: [{ At: 1 }, {}] }, 'a2644e616d6560644c69737482a1624174c101a0'],
    [{ Name: '', Map: { x: hex('02') } }, 'a2644e616d6560634d6170a161784102'],
  ];
  for (const [value, bytes] of table) assert.equal(Buffer.from(encodeAwsCbor(SHAPE, value)).toString('hex'), bytes);
});

test('heads are as short as can be, or of two bytes', () => {
  const table: readonly (readonly [value: number, head: string])[] = [
    [0, '60'], [23, '77'], [24, '7818'], [255, '78ff'], [256, '790100'], [65_535, '79ffff'], [65_536, '7a00010000'],
    [2 ** 32 - 1, '7affffffff'], [2 ** 32, '7b0000000100000000'], [2 ** 53 - 1, '7b001fffffffffffff'],
  ]; // prettier-ignore
  const into = Buffer.alloc(10, 0xee);
  for (const [value, head] of table) {
    assert.equal(into.toString('hex', 1, writeHead(into, 1, TEXT, value)), head);
    if (value < 65_536) assert.equal(asciiItem('x'.repeat(value)), hex(head).toString('latin1') + 'x'.repeat(value));
  }
  for (const count of [0, 23, 24, 65_535]) {
    assert.equal(writeWideHead(into, 1, LIST, count), 4);
    assert.equal(into.readUInt16BE(2), count);
    assert.equal(into[1], 0x99);
  }
});
