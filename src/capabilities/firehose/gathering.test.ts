import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packEntries } from '../../kernel/stream/packed-entries.ts';
import { Gathering } from './gathering.ts';
import { firehoseLimits } from './limits.ts';

const SHARD = { stream: 'events', generation: 1, ordinal: 0 };
const { gatheredRecordsMax } = firehoseLimits;

test('records without a byte fill a batch, too: what is held for each of them is bounded', () => {
  const count = 3000;
  const entries = Array.from({ length: count }, () => ({ key: Buffer.from('k'), data: new Uint8Array() }));
  const { bytes } = packEntries(entries);
  const gathering = new Gathering(5 * 1024 * 1024);
  let first = 0;
  for (; !gathering.isFull && first < 2 * gatheredRecordsMax; first += count) {
    const runs = [{ bytes, from: 0, to: bytes.length, first, count, at: 1 }];
    gathering.take(SHARD, 0n, { runs, next: BigInt(first + count) });
  }
  assert.deepEqual([gathering.recordCount, gathering.sizeBytes], [gatheredRecordsMax, 0]);
  const { generation, ordinal } = SHARD;
  assert.deepEqual(gathering.ranges, [{ generation, ordinal, from: 0n, to: BigInt(gatheredRecordsMax) }]);
});

test('a batch is full with its last record, before another comes', () => {
  const { bytes } = packEntries([{ key: Buffer.from('k'), data: new Uint8Array() }]);
  const gathering = new Gathering(1024);
  for (let first = 0; first < gatheredRecordsMax; first += 1) {
    assert.equal(gathering.isFull, false);
    gathering.take(SHARD, 0n, {
      runs: [{ bytes, from: 0, to: bytes.length, first, count: 1, at: 1 }],
      next: BigInt(first + 1),
    });
  }
  assert.equal(gathering.isFull, true);
});
