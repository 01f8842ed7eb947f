import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyWithout } from './error-objects.ts';

test('with each count of records that are gone a key has another UUID, and all else of it stays', () => {
  const before = '-2-2026-01-31-10-00-59-0a1b2c3d-0a1b-0a1b-0a1b-';
  for (const name of ['d', 'orders-123456789012', 'cafecafecafe']) {
    for (const end of ['', '.gz', '.123456789012']) {
      const key = `failed/123456789012/${name}${before}00000000000f${end}`;
      assert.equal(keyWithout(1, key), `failed/123456789012/${name}${before}00000000000e${end}`);
      assert.equal(keyWithout(16, key), `failed/123456789012/${name}${before}00000000001f${end}`);
    }
  }
});
