import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { encodeSequenceNumber } from '../../kernel/stream/sequence-number.ts';
import type { ShardInfo } from '../../ports/records.ts';
import type { StoredRecord } from '../../ports/stream-store.ts';
import { recordsBytes, writeRecords } from './outgoing.ts';

const ref = { stream: 'a', generation: 3, ordinal: 1 };
const shard = { id: 'shardId-000000000001', ref } as ShardInfo;

function record(key: string, data: Uint8Array, offset = 0n, at = 1_700_000_000_123): StoredRecord {
  return { offset, at, key: Buffer.from(key), data, headers: [] };
}

function written(records: readonly StoredRecord[], head = '[', tail = ']'): string {
  return Buffer.from(writeRecords(shard, records, head, tail)).toString();
}

test('the text of one record', () => {
  const text = written([record('key', Buffer.from('hello'), 5n)], '{"Records":[', '],"x":"ü"}');
  const number = encodeSequenceNumber(ref, 5n);
  assert.equal(
    text,
    `{"Records":[{"SequenceNumber":"${number}","ApproximateArrivalTimestamp":1700000000.123,` +
      '"PartitionKey":"key","Data":"aGVsbG8="}],"x":"ü"}',
  );
  assert.equal(written([]), '[]');
});

test('times are plain decimals of seconds', () => {
  const table: readonly (readonly [at: number, text: string])[] = [
    [0, '0'],
    [1, '0.001'],
    [1000, '1'],
    [1_700_000_000_100, '1700000000.1'],
    [253_402_300_799_999, '253402300799.999'],
  ];
  for (const [at, text] of table) {
    assert.ok(written([record('k', Buffer.alloc(0), 0n, at)]).includes(`"ApproximateArrivalTimestamp":${text},`));
  }
});

test('keys are escaped as JSON wants', () => {
  const table: readonly (readonly [key: string, text: string])[] = [
    ['plain key ~', '"plain key ~"'],
    ['"', String.raw`"\""`],
    ['\\', String.raw`"\\"`],
    ['\n\t\u0000', String.raw`"\n\t\u0000"`],
    ['\u007f', '"\u007f"'],
    ['ü𝕏', '"ü𝕏"'],
  ];
  for (const [key, text] of table) {
    assert.ok(written([record(key, Buffer.alloc(0))]).includes(`"PartitionKey":${text},"Data"`), JSON.stringify(key));
  }
});

test('any records come back from the JSON, however much room their keys take', () => {
  const one = fc.tuple(
    fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\u0001'.repeat(256), '𝕏'.repeat(256), '"'.repeat(256))),
    fc.uint8Array({ maxLength: 400 }),
    fc.bigInt(0n, 2n ** 64n - 2n),
  );
  fc.assert(
    fc.property(fc.array(one), (given) => {
      const records = given.map(([key, data, offset]) => record(key, data, offset));
      assert.deepEqual(
        JSON.parse(written(records)),
        given.map(([key, data, offset]) => ({
          SequenceNumber: encodeSequenceNumber(ref, offset),
          ApproximateArrivalTimestamp: 1_700_000_000.123,
          PartitionKey: key,
          Data: Buffer.from(data).toString('base64'),
        })),
      );
    }),
  );
});

test('bytes are those of keys and data, from any place of a larger buffer', () => {
  const whole = Buffer.from('..data..');
  const records = [record('ü', whole.subarray(2, 6)), record('k', Buffer.alloc(0))];
  assert.equal(recordsBytes(records), 2 + 4 + 1);
  assert.equal(JSON.parse(written(records))[0].Data, 'ZGF0YQ==');
});
