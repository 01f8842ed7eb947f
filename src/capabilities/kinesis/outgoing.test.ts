import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { encodeSequenceNumber } from '../../kernel/stream/sequence-number.ts';
import { packEntries, type Entry } from '../../kernel/stream/packed-entries.ts';
import type { StoredRun } from '../../ports/stream-store.ts';
import { measureRecords, RecordsWriter } from './outgoing.ts';

const ref = { stream: 'a', generation: 3, ordinal: 1 };
const AT = 1_700_000_000_123;

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

function written(slices: readonly (readonly StoredRun[])[]): string {
  const writer = new RecordsWriter(ref);
  const pieces = slices.map((runs) => writer.write(runs, measureRecords(runs)));
  return `[${Buffer.concat(pieces).toString()}]`;
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

test('the size is that of keys and data alone, and the room is enough for the worst of keys', () => {
  const header = { ...entry('ü', 'data'), headers: [['id', Buffer.alloc(50)] as const] };
  assert.equal(measureRecords([run([header, entry('k')])]).payload, 2 + 4 + 1);
  const worst = [run([entry('\u0001'.repeat(256), Buffer.alloc(1))], Number.MAX_SAFE_INTEGER - 1, AT)];
  const { room } = measureRecords(worst);
  assert.ok(written([worst]).length <= room + 2);
});
