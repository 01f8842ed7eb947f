import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferPool } from '../../kernel/bytes/buffer-pool.ts';
import { SnappyFrameEncoder, snappyFramesBytesMax } from '../../kernel/bytes/snappy-frames.ts';
import { EncodingThread, sharedMemory } from './encoding-thread.ts';

function poolOf(pieceBytes: number): BufferPool {
  return new BufferPool(pieceBytes, 2, sharedMemory);
}

test('frames stand in the memory of the piece', async () => {
  const pool = poolOf(40_000);
  const thread = new EncodingThread();
  const memory = pool.take().fill('some text ');
  const expected = Buffer.alloc(snappyFramesBytesMax(33_000));
  const bytes = new SnappyFrameEncoder().encode('hadoop', memory.subarray(0, 33_000), expected);
  const encoded = await thread.encode({ framing: 'hadoop' }, { memory, length: 33_000 });
  assert.ok(expected.subarray(0, bytes).equals(encoded.bytes));
  assert.equal(encoded.memory, memory);
  assert.equal(encoded.bytes.buffer, memory.buffer);
});

test('a thread that is closed ends with what it has, and the next call begins another', async () => {
  const pool = poolOf(40_000);
  const thread = new EncodingThread();
  await thread.close();
  const encode = async (): Promise<unknown> =>
    await thread.encode({ framing: 'java' }, { memory: pool.take(), length: 40_000 });
  await encode();
  await Promise.all([assert.rejects(encode(), { code: 'ENOTENCODED' }), thread.close()]);
  await encode();
  await thread.close();
});

test('a thread that ends is an error of the environment for all who wait, and the next call begins another', async () => {
  const pool = poolOf(100);
  const thread = new EncodingThread(new URL('data:text/javascript,throw new Error("broken")'));
  const wanted = { name: 'EnvironmentError', code: 'ENOTENCODED', message: 'the encoding thread ended' };
  for (let life = 0; life < 2; life += 1) {
    const calls = [1, 2].map(async () => await thread.encode({ framing: 'java' }, { memory: pool.take(), length: 1 }));
    for (const call of await Promise.allSettled(calls)) {
      assert.equal(call.status, 'rejected');
      const { name, code, message, cause } = call.reason as Error & { code: string };
      assert.deepEqual({ name, code, message }, wanted);
      assert.match(String(cause), /broken/);
    }
  }
});
