import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferPool } from '../../kernel/bytes/buffer-pool.ts';
import { SnappyFrameEncoder, snappyFramesBytesMax } from '../../kernel/bytes/snappy-frames.ts';
import { EncodingThread } from './encoding-thread.ts';

function poolOf(pieceBytes: number): BufferPool {
  return new BufferPool(pieceBytes, 2);
}

test('frames come back, and the memory of the piece goes back to its pool', async () => {
  const pool = poolOf(40_000);
  const thread = new EncodingThread(pool);
  const memory = pool.take().fill('some text ');
  const expected = Buffer.alloc(snappyFramesBytesMax(33_000));
  const bytes = new SnappyFrameEncoder().encode('hadoop', memory.subarray(0, 33_000), expected);
  const encoded = await thread.encode('hadoop', { memory, length: 33_000 });
  assert.ok(Buffer.from(encoded).equals(expected.subarray(0, bytes)));
  assert.equal(memory.length, 0, 'it went to the thread');
  assert.equal(pool.take().toString('latin1', 0, 10), 'some text ');
});

test('a thread that ends is an error of the environment for all who wait, and the next call begins another', async () => {
  const pool = poolOf(100);
  const thread = new EncodingThread(pool, new URL('data:text/javascript,throw new Error("broken")'));
  const wanted = { name: 'EnvironmentError', code: 'EOTHER', message: 'the encoding thread ended' };
  for (let life = 0; life < 2; life += 1) {
    const calls = [1, 2].map(async () => await thread.encode('java', { memory: pool.take(), length: 1 }));
    for (const call of await Promise.allSettled(calls)) {
      assert.equal(call.status, 'rejected');
      const { name, code, message, cause } = call.reason as Error & { code: string };
      assert.deepEqual({ name, code, message }, wanted);
      assert.match(String(cause), /broken/);
    }
  }
});
