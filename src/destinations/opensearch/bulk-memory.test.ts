import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attemptBounds, attemptBytes } from './bulk-memory.ts';

const MIB = 1024 * 1024;

test('an attempt holds no more than its batch comes to, nor than one request may hold', () => {
  const table = [
    // A few small records: the least.
    { sizeBytes: 20, recordCount: 2, bytesMax: 64 * 1024, documentsMax: 2 },
    { sizeBytes: 5 * MIB, recordCount: 1000, bytesMax: 5 * MIB + 512_000, documentsMax: 5000 },
    { sizeBytes: 100 * MIB, recordCount: 100_000, bytesMax: 10 * MIB, documentsMax: 5000 },
    // One that holds many.
    { sizeBytes: 100_000, recordCount: 1, bytesMax: 100_512, documentsMax: 500 },
  ];
  for (const { sizeBytes, recordCount, ...expected } of table) {
    const { answerBytesMax, ...bounds } = attemptBounds({ sizeBytes, recordCount });
    assert.deepEqual(bounds, expected);
    const held = attemptBytes({ answerBytesMax, ...bounds });
    assert.ok(held >= expected.bytesMax + answerBytesMax && held < 32 * MIB, String(held));
    assert.equal(answerBytesMax, 64 * 1024 + expected.documentsMax * 3300);
  }
});
