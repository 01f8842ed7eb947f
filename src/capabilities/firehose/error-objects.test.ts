import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { Compute } from '../../ports/environment.ts';
import { errorRecords, keyWithout } from './error-objects.ts';
import { firehoseLimits } from './limits.ts';

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

test('an object that is too large to be held is not read to its end', async () => {
  const piece = Buffer.alloc(1024 * 1024, ' ');
  let given = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      given += piece.length;
      yield piece;
    }
  }
  const blobs = { get: async () => endless() } as unknown as BlobStore;
  const target = { kind: 'ExtendedS3DestinationConfiguration', options: { BucketARN: 'failed' } };
  const compute = {} as Compute;
  const read = async (): Promise<void> => {
    for await (const some of errorRecords({ blobs, compute }, target, 'k', {})) assert.fail(`${some.length} records`);
  };
  const failure = { code: 'Replay.Unreadable', retryable: false, message: 'k is too large to be held' };
  await assert.rejects(read(), failure);
  assert.equal(given, firehoseLimits.replayObjectBytesMax + piece.length);
});
