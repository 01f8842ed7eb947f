import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { crc32, gunzipSync, inflateRawSync } from 'node:zlib';
import type { Compute } from '../ports/environment.ts';
import { nodeCompute } from './node/compute.ts';
import { Simulation } from './simulated/index.ts';

const HEADER_BYTES = 10;
const TRAILER_BYTES = 8;

/** Words that repeat, and noise that does not: what events look like to a compressor. */
function sample(length: number): Buffer {
  const parts: string[] = [];
  for (let index = 0, size = 0; size < length; index += 1) {
    const noise = createHash('sha256').update(String(index)).digest('hex');
    const part = `{"action":"push","id":${index},"sha":"${noise}","repository":{"name":"millrace"}}\n`;
    parts.push(part);
    size += part.length;
  }
  return Buffer.from(parts.join('')).subarray(0, length);
}

async function* cut(whole: Buffer, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let index = 0; at < whole.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1;
    yield whole.subarray(at, at + size);
    at += size;
  }
}

async function gzip(compute: Compute, whole: Buffer, sizes: readonly number[]): Promise<Buffer> {
  const out: Uint8Array[] = [];
  for await (const chunk of compute.gzip(cut(whole, sizes))) out.push(chunk.slice());
  return Buffer.concat(out);
}

const COMPUTES: readonly (readonly [string, Compute])[] = [
  ['real', nodeCompute],
  ['simulated', new Simulation(1).environment.compute],
];
const LENGTHS = [0, 1, 100, 65_536, 300_000];
const CUTS: readonly (readonly number[])[] = [[1_000_000], [65_536], [16_384, 1, 7], [997]];

for (const [name, compute] of COMPUTES) {
  for (const length of LENGTHS) {
    test(`${name} gzip of ${length} bytes is one member without a time in it`, async () => {
      const whole = sample(length);
      const packed = await gzip(compute, whole, [10_000]);
      assert.deepEqual([...packed.subarray(0, 8)], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
      const { buffer, engine } = inflateRawSync(packed.subarray(HEADER_BYTES), { info: true }) as unknown as {
        buffer: Buffer;
        engine: { bytesWritten: number };
      };
      assert.ok(buffer.equals(whole));
      // The deflated bytes, a checksum and a length: nothing follows the first member.
      assert.equal(HEADER_BYTES + engine.bytesWritten + TRAILER_BYTES, packed.length);
      assert.equal(packed.readUInt32LE(packed.length - 8), crc32(whole));
      assert.equal(packed.readUInt32LE(packed.length - 4), length);
      assert.ok(gunzipSync(packed).equals(whole));
    });
  }

  test(`${name} gzip gives the same bytes for the same input, however it is cut`, async () => {
    const whole = sample(300_000);
    const first = await gzip(compute, whole, [whole.length]);
    for (const sizes of CUTS) assert.ok((await gzip(compute, whole, sizes)).equals(first), `cut by ${sizes.join()}`);
  });

  test(`${name} gzip passes on that its input failed`, async () => {
    const failing = (async function* (): AsyncGenerator<Uint8Array> {
      yield sample(1000);
      throw new Error('the source is gone');
    })();
    const drain = async (): Promise<void> => {
      for await (const chunk of compute.gzip(failing)) void chunk;
    };
    await assert.rejects(drain(), /the source is gone/);
  });
}
