import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import {
  decodeSequenceNumber,
  encodeSequenceNumber,
  SEQUENCE_NUMBER_BYTES,
  sequenceNumberEncoder,
  sequenceNumberWriter,
} from './sequence-number.ts';

const OFFSET_MAX = (1n << 64n) - 1n;
const word = fc.oneof(fc.integer({ min: 0, max: 0xffffffff }), fc.constantFrom(0, 1, 0xffffffff));
const offset = fc.oneof(fc.bigInt({ min: 0n, max: OFFSET_MAX }), fc.bigInt({ min: 0n, max: 1n << 32n }));
const parts = fc.record(
  { generation: word, ordinal: word, offset, subIndex: fc.integer({ min: 0, max: 0xffffff }) },
  { noNullPrototype: true },
);
const options = { seed: 1, numRuns: 500 };

test('numbers have 56 digits and give their parts back', () => {
  fc.assert(
    fc.property(parts, (value) => {
      const text = encodeSequenceNumber(value, value.offset, value.subIndex);
      assert.match(text, /^[4-7]\d{55}$/);
      assert.deepEqual(decodeSequenceNumber(text), value);
    }),
    options,
  );
});

test('the layout never changes', () => {
  const table: readonly (readonly [number, number, bigint, number, string])[] = [
    [1, 0, 0n, 0, '49039857313417434238290944393043037753597632455406256142'],
    [7, 3, 5n, 9, '49039857347671378867221665525796648639096942406991350083'],
    [0xffffffff, 0xffffffff, OFFSET_MAX, 0xffffff, '73559785961562665199871449589839528592466093656567185296'],
  ];
  for (const [generation, ordinal, at, subIndex, text] of table) {
    assert.equal(encodeSequenceNumber({ generation, ordinal }, at, subIndex), text);
  }
});

test('numbers sort by generation, shard, offset and sub-index', () => {
  const ranked = (value: { generation: number; ordinal: number; offset: bigint; subIndex: number }): bigint =>
    (BigInt(value.generation) << 152n) +
    (BigInt(value.ordinal) << 120n) +
    (value.offset << 40n) +
    BigInt(value.subIndex);
  fc.assert(
    fc.property(parts, parts, (one, two) => {
      const textOne = encodeSequenceNumber(one, one.offset, one.subIndex);
      const textTwo = encodeSequenceNumber(two, two.offset, two.subIndex);
      assert.equal(textOne < textTwo, ranked(one) < ranked(two));
    }),
    options,
  );
});

test('encoder and writer of one shard give the same numbers, in runs, jumps and over carries', () => {
  const runs = fc.array(fc.record({ first: offset, count: fc.integer({ min: 1, max: 300 }) }), { maxLength: 5 });
  fc.assert(
    fc.property(word, word, runs, (generation, ordinal, list) => {
      const encode = sequenceNumberEncoder({ generation, ordinal });
      const written = writtenBy({ generation, ordinal });
      for (const { first, count } of list) {
        for (let at = first; at < first + BigInt(count) && at <= OFFSET_MAX; at += 1n) {
          const wanted = encodeSequenceNumber({ generation, ordinal }, at);
          assert.equal(encode(at), wanted);
          if (at <= Number.MAX_SAFE_INTEGER) assert.equal(written(Number(at)), wanted);
        }
      }
    }),
    { seed: 1, numRuns: 60 },
  );
});

test('numbers as texts and as bytes agree for a long run, by number and by bigint', () => {
  const shard = { generation: 12, ordinal: 7 };
  const [encode, written] = [sequenceNumberEncoder(shard), writtenBy(shard)];
  for (let at = 5_000_000_000; at < 5_000_001_000; at += 1) {
    const wanted = encodeSequenceNumber(shard, BigInt(at));
    assert.deepEqual([encode(at), written(at)], [wanted, wanted]);
  }
});

/** What a writer keeps in its place, offset by offset. */
function writtenBy(shard: { generation: number; ordinal: number }): (offset: number) => string {
  const bytes = new Uint8Array(SEQUENCE_NUMBER_BYTES + 4);
  const write = sequenceNumberWriter(shard, bytes, 2);
  return (offset) => {
    write(offset);
    assert.deepEqual([bytes[0], bytes[1], bytes[58], bytes[59]], [0, 0, 0, 0]);
    return Buffer.from(bytes.subarray(2, 58)).toString('latin1');
  };
}

test('other text is no sequence number', () => {
  const good = encodeSequenceNumber({ generation: 1, ordinal: 2 }, 3n);
  const bits = BigInt(good);
  const table: readonly string[] = [
    '',
    '0',
    '-1',
    'LATEST',
    good.slice(1),
    `0${good}`,
    ` ${good.slice(1)}`,
    `${good.slice(0, 55)}x`,
    '٤'.repeat(56),
    '9'.repeat(56),
    '0'.repeat(56),
    (bits ^ 1n).toString(),
    (bits ^ (1n << 33n)).toString(),
    (bits ^ (1n << 104n)).toString(),
    (bits ^ (1n << 184n)).toString(),
    (bits + (1n << 40n)).toString(),
  ];
  for (const text of table) assert.equal(decodeSequenceNumber(text), undefined, text);
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.equal(decodeSequenceNumber(text), undefined);
    }),
    options,
  );
});

test('parts that do not fit are a defect', () => {
  const shard = { generation: 1, ordinal: 1 };
  assert.throws(() => encodeSequenceNumber(shard, -1n), { name: 'Defect' });
  assert.throws(() => encodeSequenceNumber(shard, OFFSET_MAX + 1n), { name: 'Defect' });
  assert.throws(() => encodeSequenceNumber(shard, 0n, 0x1000000), { name: 'Defect' });
  assert.throws(() => encodeSequenceNumber({ generation: 2 ** 32, ordinal: 0 }, 0n), { name: 'Defect' });
  assert.throws(() => encodeSequenceNumber({ generation: 0, ordinal: 0.5 }, 0n), { name: 'Defect' });
});
