import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { encodeSequenceNumber } from '../../kernel/stream/sequence-number.ts';
import { packEntries, type Entry } from '../../kernel/stream/packed-entries.ts';
import type { StoredRun } from '../../ports/stream-store.ts';
import { openBase64Memory, openPlainBase64Memory } from '../../kernel/bytes/base64-memory.ts';
import { BufferPool } from '../../kernel/bytes/buffer-pool.ts';
import { AnswerPieces } from './answer-pieces.ts';
import { payloadBytes, RecordsWriter } from './outgoing.ts';

const ref = { stream: 'a', generation: 3, ordinal: 1 };
const AT = 1_700_000_000_123;
const MEMORIES = [openBase64Memory(16), openPlainBase64Memory(16)];

/** A run as the log gives it: a piece of larger memory. */
function run(entries: readonly Entry[], first = 0, at = AT): StoredRun {
  const { bytes, count } = packEntries(entries);
  const whole = new Uint8Array(bytes.length + 5).fill(0xff);
  whole.set(bytes, 3);
  return { bytes: whole, from: 3, to: 3 + bytes.length, first, count, at };
}

function entry(key: string, data: Uint8Array | string = ''): Entry {
  return { key: Buffer.from(key), data: Buffer.from(data) };
}

function written(slices: readonly (readonly StoredRun[])[], encryptedFrom = Infinity): string {
  const texts = MEMORIES.map((memory) => {
    const answer = new AnswerPieces(new BufferPool(1000, 3));
    const writer = new RecordsWriter(ref, memory, answer, (arrival) => arrival >= encryptedFrom);
    for (const runs of slices) {
      writer.write(runs);
      // The memory is everybody's between two slices.
      memory.bytes.fill(0xff, memory.start);
    }
    return `[${Buffer.concat(answer.end()).toString()}]`;
  });
  assert.equal(texts[0], texts[1]);
  return texts[0] ?? '';
}

test('the text of one record', () => {
  const number = encodeSequenceNumber(ref, 5n);
  assert.equal(
    written([[run([entry('key', 'hello')], 5)]]),
    `[{"SequenceNumber":"${number}","ApproximateArrivalTimestamp":1700000000.123,` +
      '"PartitionKey":"key","Data":"aGVsbG8="}]',
  );
  assert.equal(written([[]]), '[]');
  assert.equal(written([]), '[]');
});

test('records that are said to be encrypted are told by their arrival', () => {
  const slices = [[run([entry('a')], 0, AT - 1), run([entry('b'), entry('c')], 1, AT)]];
  const records = JSON.parse(written(slices, AT)) as readonly Readonly<Record<string, unknown>>[];
  assert.deepEqual(
    records.map(({ PartitionKey, EncryptionType }) => [PartitionKey, EncryptionType]),
    [
      ['a', undefined],
      ['b', 'KMS'],
      ['c', 'KMS'],
    ],
  );
});

test('times are plain decimals of seconds, whatever stood there before', () => {
  const table: readonly (readonly [at: number, text: string])[] = [
    [253_402_300_799_999, '253402300799.999'],
    [0, '0'],
    [1, '0.001'],
    [1000, '1'],
    [1_700_000_000_100, '1700000000.1'],
    [1_700_000_000_100, '1700000000.1'],
  ];
  const runs = table.map(([at], index) => run([entry('k')], index, at));
  const times = Array.from(written([runs]).matchAll(/"ApproximateArrivalTimestamp":([^,]+),"PartitionKey":"k"/g));
  assert.deepEqual(
    times.map(([, time]) => time),
    table.map(([, text]) => text),
  );
});

test('keys are escaped as JSON wants', () => {
  const table: readonly (readonly [key: string, text: string])[] = [
    ['plain key ~', '"plain key ~"'],
    ['"', String.raw`"\""`],
    ['\\', String.raw`"\\"`],
    ['\n\t\u0000', String.raw`"\n\t\u0000"`],
    ['\u007f', '"\u007f"'],
    ['ü𝕏', '"ü𝕏"'],
    ['plain, then ü', '"plain, then ü"'],
  ];
  for (const [key, text] of table) {
    assert.ok(written([[run([entry(key)])]]).includes(`"PartitionKey":${text},"Data"`), JSON.stringify(key));
  }
});

const anyKey = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('\u0001'.repeat(256), '𝕏'.repeat(256), '"'.repeat(256), ''),
);
const anyEntry = fc.record({
  key: anyKey,
  data: fc.uint8Array({ maxLength: 400 }),
  header: fc.option(fc.uint8Array({ maxLength: 20 }), { nil: undefined }),
});
const anyRun = fc.record({
  first: fc.nat({ max: Number.MAX_SAFE_INTEGER - 100 }),
  at: fc.nat(2_000_000_000_000),
  entries: fc.array(anyEntry, { minLength: 1, maxLength: 5 }),
});

test('any records come back from the JSON, in any slices, however much room their keys take', () => {
  fc.assert(
    fc.property(fc.array(fc.array(anyRun, { maxLength: 3 }), { maxLength: 4 }), (slices) => {
      const packed = slices.map((runs) =>
        runs.map(({ first, at, entries }) => {
          const all = entries.map(({ key, data, header }) => {
            const one = { key: Buffer.from(key), data };
            return header === undefined ? one : { ...one, headers: [['id', header] as const] };
          });
          return run(all, first, at);
        }),
      );
      const wanted = slices.flat().flatMap(({ first, at, entries }) =>
        entries.map(({ key, data }, index) => ({
          SequenceNumber: encodeSequenceNumber(ref, BigInt(first + index)),
          ApproximateArrivalTimestamp: at / 1000,
          PartitionKey: Buffer.from(key).toString(),
          Data: Buffer.from(data).toString('base64'),
        })),
      );
      assert.deepEqual(JSON.parse(written(packed)), wanted);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('the size is that of keys and data alone', () => {
  const header = { ...entry('ü', 'data'), headers: [['id', Buffer.alloc(50)] as const] };
  assert.equal(payloadBytes([run([header, entry('k')])]), 2 + 4 + 1);
});

test('records of all sizes, with the longest keys, go through the memory piece by piece', () => {
  const worst = '\u0001'.repeat(65_535);
  const sizes = [0, 1, 32_000, 98_303, 98_304, 98_305, 196_608, 300_001, 1_048_576];
  const entries = sizes.flatMap((size, index) => [
    entry(`key ${size}`, Buffer.alloc(size, index + 1)),
    entry(worst, Buffer.alloc(size % 70_000, index + 101)),
  ]);
  const many = Array.from({ length: 300 }, (_, index) => entry(`k${index}`, Buffer.alloc(1000 + index, index)));
  const seen = JSON.parse(written([[run([...entries, ...many], 7)], [run(many)]])) as Record<string, unknown>[];
  const wanted = [...entries, ...many, ...many];
  assert.equal(seen.length, wanted.length);
  for (const [index, { PartitionKey, Data, SequenceNumber }] of seen.entries()) {
    const { key, data } = wanted[index] as Entry;
    const first = entries.length + many.length;
    const offset = index < first ? index + 7 : index - first;
    assert.equal(PartitionKey, Buffer.from(key).toString());
    assert.equal(Data, Buffer.from(data).toString('base64'));
    assert.equal(SequenceNumber, encodeSequenceNumber(ref, BigInt(offset)));
  }
});
