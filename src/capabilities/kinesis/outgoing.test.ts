import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { encodeSequenceNumber } from '../../kernel/stream/sequence-number.ts';
import { packEntries, type Entry } from '../../kernel/stream/packed-entries.ts';
import type { StoredRun } from '../../ports/stream-store.ts';
import { openBase64Memory, openPlainBase64Memory } from '../../kernel/bytes/base64-memory.ts';
import { BufferPool } from '../../kernel/bytes/buffer-pool.ts';
import { AnswerPieces } from './answer-pieces.ts';
import { RecordsWriter } from './outgoing.ts';
import type { AwsForm } from '../../kernel/schema/aws-types.ts';
import { decodeCbor } from '../../wire/aws-cbor/decode.ts';
import { plainCbor } from '../../testing/plain-cbor.ts';
import { formOf } from './form.ts';

const ref = { stream: 'a', generation: 3, ordinal: 1 };
const AT = 1_700_000_000_123;
const MEMORIES = [openBase64Memory(16), openPlainBase64Memory(16)] as const;

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

type Slices = readonly (readonly StoredRun[])[];

/** A whole answer. */
function answered(form: AwsForm, slices: Slices, encryptedFrom = Infinity): Buffer {
  const own = formOf({ form });
  const answers = MEMORIES.map((memory) => {
    const answer = new AnswerPieces(new BufferPool(1000, 3));
    answer.add(own.before(0));
    const writer = new RecordsWriter(own.record, ref, memory, answer, (arrival) => arrival >= encryptedFrom);
    for (const runs of slices) {
      // The memory is everybody's between two pieces of work.
      for (let isOver = false, work = writer.write(runs); !isOver; memory.bytes.fill(0xff, memory.start)) {
        isOver = work.next().done === true;
      }
    }
    answer.setFront(own.before(slices.flat().reduce((sum, { count }) => sum + count, 0)));
    answer.add(own.after({ One: 'ü', Other: [1] }));
    return Buffer.concat(answer.end());
  });
  const [one, other] = answers as [Buffer, Buffer];
  assert.ok(one.equals(other));
  return one;
}

/** The records' JSON. */
function written(slices: Slices): string {
  const text = answered('text', slices).toString();
  const [before, after] = ['{"Records":', ',"One":"ü","Other":[1]}'];
  assert.deepEqual([text.slice(0, before.length), text.slice(-after.length)], [before, after]);
  return text.slice(before.length, -after.length);
}

interface Seen {
  readonly SequenceNumber: string;
  /** In ms. */
  readonly ApproximateArrivalTimestamp: number;
  readonly PartitionKey: string;
  /** In base64. */
  readonly Data: string;
  readonly EncryptionType?: string;
}

/** What a reader sees, the same in both forms. */
function seen(slices: Slices, encryptedFrom = Infinity): readonly Seen[] {
  const json = JSON.parse(answered('text', slices, encryptedFrom).toString()) as { readonly Records: readonly Seen[] };
  const cbor = plainCbor(decodeCbor(answered('binary', slices, encryptedFrom))) as {
    readonly Records: readonly (Omit<Seen, 'Data'> & { readonly Data: Buffer })[];
  };
  assert.deepEqual(Object.keys(cbor), ['Records', 'One', 'Other']);
  const records = json.Records.map((one) => {
    return { ...one, ApproximateArrivalTimestamp: Math.round(one.ApproximateArrivalTimestamp * 1000) };
  });
  assert.deepEqual(
    cbor.Records.map((one) => ({ ...one, Data: one.Data.toString('base64') })),
    records,
  );
  return records;
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

test('the bytes of one record', () => {
  const [number, encrypted] = [5n, 6n].map((offset) => encodeSequenceNumber(ref, offset));
  const time = Buffer.from(`c11b${AT.toString(16).padStart(16, '0')}`, 'hex').toString('latin1');
  const before = (members: string, digits = ''): string => `${members}nSequenceNumberx8${digits}`;
  const after = `x\x1bApproximateArrivalTimestamp${time}lPartitionKey`;
  const kms = 'nEncryptionTypecKMS';
  assert.equal(
    answered('binary', [[run([entry('key', 'hello')], 5), run([entry('')], 6)]]).toString('latin1'),
    `\xa3gRecords\x99\x00\x02${before('\xa4', number)}${after}ckeydDataEhello` +
      `${before('\xa4', encrypted)}${after}\x60dData\x40cOneb\xc3\xbceOther\x81\x01`,
  );
  assert.equal(
    answered('binary', [[run([entry('k'.repeat(24), 'a')], 6)]], AT).toString('latin1'),
    `\xa3gRecords\x99\x00\x01${before('\xa5', encrypted)}${kms}${after}x\x18${'k'.repeat(24)}dDataAa` +
      'cOneb\xc3\xbceOther\x81\x01',
  );
  assert.deepEqual(seen([[]]), []);
});

test('records that are said to be encrypted are told by their arrival', () => {
  const slices = [[run([entry('a')], 0, AT - 1), run([entry('b'), entry('c')], 1, AT)]];
  assert.deepEqual(
    seen(slices, AT).map(({ PartitionKey, EncryptionType }) => [PartitionKey, EncryptionType]),
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

test('any records come back from either form, in any slices, however much room their keys take', () => {
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
          ApproximateArrivalTimestamp: at,
          PartitionKey: Buffer.from(key).toString(),
          Data: Buffer.from(data).toString('base64'),
        })),
      );
      assert.deepEqual(seen(packed), wanted);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('records of all sizes, with the longest keys, go through the memory piece by piece', () => {
  const worst = '\u0001'.repeat(65_535);
  const sizes = [0, 1, 32_000, 98_303, 98_304, 98_305, 196_608, 300_001, 1_048_576];
  const entries = sizes.flatMap((size, index) => [
    entry(`key ${size}`, Buffer.alloc(size, index + 1)),
    entry(worst, Buffer.alloc(size % 70_000, index + 101)),
  ]);
  const many = Array.from({ length: 300 }, (_, index) => entry(`k${index}`, Buffer.alloc(1000 + index, index)));
  const records = seen([[run([...entries, ...many], 7)], [run(many)]]);
  const wanted = [...entries, ...many, ...many];
  assert.equal(records.length, wanted.length);
  for (const [index, { PartitionKey, Data, SequenceNumber }] of records.entries()) {
    const { key, data } = wanted[index] as Entry;
    const first = entries.length + many.length;
    const offset = index < first ? index + 7 : index - first;
    assert.equal(PartitionKey, Buffer.from(key).toString());
    assert.equal(Data, Buffer.from(data).toString('base64'));
    assert.equal(SequenceNumber, encodeSequenceNumber(ref, BigInt(offset)));
  }
});

test('a record that is long alone is written in pieces of work, others in one', () => {
  const sizes = [0, 400_000, 524_000, 600_000, 3_000_001, 10 * 1024 * 1024, 5];
  const entries = sizes.map((size, index) => entry(`key ${size}`, Buffer.alloc(size, index + 1)));
  const runs = entries.map((one, index) => run([one], index, AT + index));
  assert.deepEqual(
    seen([runs]).map(({ PartitionKey, Data, SequenceNumber }) => [PartitionKey, Data, SequenceNumber]),
    entries.map(({ key, data }, index) => {
      const text = Buffer.from(data).toString('base64');
      return [Buffer.from(key).toString(), text, encodeSequenceNumber(ref, BigInt(index))];
    }),
  );
  const pieces = runs.map((one) => {
    const own = formOf({ form: 'text' }).record;
    const writer = new RecordsWriter(own, ref, MEMORIES[0], new AnswerPieces(new BufferPool(1000, 3)), () => false);
    return [...writer.write([one])].length;
  });
  assert.deepEqual(pieces, [0, 0, 0, 1, 5, 17, 0]);
});
