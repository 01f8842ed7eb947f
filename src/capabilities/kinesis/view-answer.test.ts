import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textOf } from '../../testing/text-of.ts';
import { viewAnswer } from './view-answer.ts';

const MIB = 1024 * 1024;

function record(data: Uint8Array, partitionKey = 'k') {
  return { shardId: 'shardId-000000000000', sequenceNumber: '1', partitionKey, arrival: '2026-01-01', data };
}

const REST = { next: 'n', scanned: 3, atEnd: true, damaged: [] };

async function answered(records: readonly ReturnType<typeof record>[]): Promise<{ value: unknown; turns: number }> {
  let turns = 0;
  const { body } = await viewAnswer({ records, ...REST }, async () => void (turns += 1));
  return { value: JSON.parse(textOf(body)), turns };
}

test('what comes out is the page, with data in base64', async () => {
  for (const sizes of [[], [0], [1, 2, 3], [MIB + 1, 5], [2 * MIB]]) {
    const records = sizes.map((size) => record(Buffer.alloc(size, 'data'), 'ü"\\'));
    const { value } = await answered(records);
    const wanted = records.map((one) => ({ ...one, data: Buffer.from(one.data).toString('base64') }));
    assert.deepEqual(value, { records: wanted, ...REST });
  }
});

test('others get their turn while a long page is written, also of one record alone', async () => {
  const many = Array.from({ length: 1000 }, () => record(Buffer.alloc(4096)));
  assert.equal((await answered(many)).turns, 41);
  assert.equal((await answered([record(Buffer.alloc(10 * MIB))])).turns, 106);
  assert.equal((await answered([record(Buffer.alloc(100))])).turns, 0);
});
