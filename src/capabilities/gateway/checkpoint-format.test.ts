import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { decodeChunk, encodeChunk, type Chunk } from './checkpoint-format.ts';

const shard = fc.record({
  stream: fc.string({ minLength: 1, maxLength: 12 }),
  createdAt: fc.integer({ min: 0, max: 2 ** 45 }),
  generation: fc.integer({ min: 0, max: 2 ** 31 }),
  ordinal: fc.integer({ min: 0, max: 5000 }),
});
const id = fc.record({
  route: fc.string({ maxLength: 40 }),
  id: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  shard,
  offset: fc.integer({ min: 0, max: 2 ** 47 }),
  seconds: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
});
const covered = fc.record({
  stream: fc.string({ maxLength: 12 }),
  createdAt: fc.integer({ min: 0, max: 2 ** 45 }),
  shards: fc.array(
    fc.record({
      generation: fc.integer({ min: 0, max: 1000 }),
      ordinal: fc.integer({ min: 0, max: 5000 }),
      position: fc.bigInt({ min: 0n, max: 2n ** 63n }),
    }),
    { maxLength: 4 },
  ),
});

test('what is written is read', () => {
  const chunk = fc.record({
    ids: fc.array(id, { maxLength: 20 }),
    covered: fc.option(fc.array(covered, { maxLength: 4 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(chunk, (written: Chunk) => {
      const read = decodeChunk(encodeChunk(written));
      assert.deepEqual(
        { ...read, ids: read.ids.map((one) => ({ ...one, id: Uint8Array.from(one.id) })) },
        structuredClone(written),
      );
    }),
  );
});

test('a chunk of any length is read: many streams, shards of a stream resharded often, long names', () => {
  for (const count of [10, 60, 62, 63, 64, 65, 500, 5000]) {
    const shards = Array.from({ length: count }, (_, ordinal) => ({ generation: 1, ordinal, position: 7n }));
    for (const stream of ['s', 'a-stream-with-a-long-name', 'x'.repeat(900)]) {
      const written: Chunk = { ids: [], covered: [{ stream, createdAt: 1, shards }] };
      assert.deepEqual(decodeChunk(encodeChunk(written)), written, `${count} shards`);
    }
  }
});

test('what is no chunk is a defect', () => {
  const bytes = encodeChunk({ ids: [], covered: [] });
  assert.throws(() => decodeChunk(bytes.subarray(0, bytes.length - 1)), /ends early/);
  assert.throws(() => decodeChunk(Uint8Array.of(...bytes, 0)), /longer than it says/);
  assert.throws(() => decodeChunk(Uint8Array.of(9, ...bytes.subarray(1))), /version 9/);
});
