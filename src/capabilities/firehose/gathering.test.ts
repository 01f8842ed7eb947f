import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packEntries } from '../../kernel/stream/packed-entries.ts';
import { aggregated } from '../../wire/kpl/aggregated-record.fixture.ts';
import { Gathering } from './gathering.ts';
import { firehoseLimits } from './limits.ts';

const SHARD = { stream: 'events', generation: 1, ordinal: 0 };
const { gatheredRecordsMax } = firehoseLimits;

test('records without a byte fill a batch, too: what is held for each of them is bounded', () => {
  const count = 3000;
  const entries = Array.from({ length: count }, () => ({ key: Buffer.from('k'), data: new Uint8Array() }));
  const { bytes } = packEntries(entries);
  const gathering = new Gathering({ bytesMax: 5 * 1024 * 1024, recordsMax: gatheredRecordsMax }, 'plain');
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
  const gathering = new Gathering({ bytesMax: 1024, recordsMax: gatheredRecordsMax }, 'plain');
  for (let first = 0; first < gatheredRecordsMax; first += 1) {
    assert.equal(gathering.isFull, false);
    gathering.take(SHARD, 0n, {
      runs: [{ bytes, from: 0, to: bytes.length, first, count: 1, at: 1 }],
      next: BigInt(first + 1),
    });
  }
  assert.equal(gathering.isFull, true);
});

test('what producers packed into one record counts as the records that it leaves as', () => {
  const inside = 400;
  const packed = aggregated(
    ['k'],
    Array.from({ length: inside }, () => ({ key: 0, data: '' })),
  );
  const entries = Array.from({ length: 100 }, () => ({ key: Buffer.from('k'), data: packed }));
  const { bytes } = packEntries(entries);
  const gather = (form: 'packed' | 'plain'): Gathering => {
    const gathering = new Gathering({ bytesMax: 128 * 1024 * 1024, recordsMax: gatheredRecordsMax }, form);
    for (let first = 0; !gathering.isFull && first < 5000; first += entries.length) {
      const runs = [{ bytes, from: 0, to: bytes.length, first, count: entries.length, at: 1 }];
      gathering.take(SHARD, 0n, { runs, next: BigInt(first + entries.length) });
    }
    return gathering;
  };
  const { isFull, recordCount } = gather('packed');
  assert.deepEqual([isFull, recordCount], [true, gatheredRecordsMax / inside]);
  // What is put directly leaves as it came.
  assert.deepEqual([gather('plain').isFull, gather('plain').recordCount], [false, 5000]);
});

test('a record that holds more than there is room for leaves alone, or in the next batch', () => {
  const packed = aggregated(
    ['k'],
    Array.from({ length: 60_000 }, () => ({ key: 0, data: '' })),
  );
  const { bytes } = packEntries([{ key: Buffer.from('k'), data: packed }]);
  const gathering = new Gathering({ bytesMax: 128 * 1024 * 1024, recordsMax: gatheredRecordsMax }, 'packed');
  for (let first = 0; !gathering.isFull && first < 100; first += 1) {
    const runs = [{ bytes, from: 0, to: bytes.length, first, count: 1, at: 1 }];
    gathering.take(SHARD, 0n, { runs, next: BigInt(first + 1) });
  }
  // Counted no further than takes a millisecond: as the most that a record can hold.
  assert.equal(gathering.recordCount, 10);
});
