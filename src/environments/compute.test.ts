import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { test } from 'node:test';
import { brotliCompressSync, crc32, deflateSync, gunzipSync, gzipSync, inflateRawSync } from 'node:zlib';
import { SNAPPY_BLOCK_BYTES, type SnappyFraming } from '../kernel/bytes/snappy-frames.ts';
import { ThrottleError } from '../kernel/errors.ts';
import type { Compute, ContentEncoding, Inflated, Room } from '../ports/environment.ts';
import { createNodeCompute } from './node/compute.ts';
import { createMeter } from './node/meter.ts';
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

async function* cut(plain: Buffer, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let index = 0; at < plain.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1;
    yield plain.subarray(at, at + size);
    at += size;
  }
}

async function whole(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const out: Uint8Array[] = [];
  for await (const chunk of chunks) out.push(Uint8Array.from(chunk));
  return Buffer.concat(out);
}

async function gzip(compute: Compute, plain: Buffer, sizes: readonly number[]): Promise<Buffer> {
  return await whole(compute.gzip(cut(plain, sizes)));
}

async function* failing(): AsyncGenerator<Uint8Array> {
  yield sample(3_000_000);
  throw new Error('the source is gone');
}

const COMPUTES: readonly (readonly [string, Compute])[] = [
  ['real', createNodeCompute(createMeter())],
  ['simulated', new Simulation(1).environment.compute],
];
/** A piece of a member has 1,048,576 bytes. */
const LENGTHS = [0, 1, 100, 65_536, 1_048_575, 1_048_576, 1_048_577, 3_000_000];
const FRAMINGS: readonly SnappyFraming[] = ['java', 'hadoop'];
const CUTS: readonly (readonly number[])[] = [[1_000_000], [65_536], [16_384, 1, 7], [997]];

for (const [name, compute] of COMPUTES) {
  for (const length of LENGTHS) {
    test(`${name} gzip of ${length} bytes is one member without a time in it`, async () => {
      const plain = sample(length);
      const packed = await gzip(compute, plain, [10_000]);
      assert.deepEqual([...packed.subarray(0, 8)], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
      const { buffer, engine } = inflateRawSync(packed.subarray(HEADER_BYTES), {
        info: true,
        maxOutputLength: 4_000_000,
      }) as unknown as {
        buffer: Buffer;
        engine: { bytesWritten: number };
      };
      assert.ok(buffer.equals(plain));
      // The deflated bytes, a checksum and a length: nothing follows the first member.
      assert.equal(HEADER_BYTES + engine.bytesWritten + TRAILER_BYTES, packed.length);
      assert.equal(packed.readUInt32LE(packed.length - 8), crc32(plain));
      assert.equal(packed.readUInt32LE(packed.length - 4), length);
      assert.ok(gunzipSync(packed).equals(plain));
    });
  }

  test(`${name} gzip gives the same bytes for the same input, however it is cut`, async () => {
    const plain = sample(1_300_000);
    const first = await gzip(compute, plain, [plain.length]);
    for (const sizes of CUTS) assert.ok((await gzip(compute, plain, sizes)).equals(first), `cut by ${sizes.join()}`);
  });

  test(`${name} gzip of what does not become smaller`, async () => {
    const plain = randomBytes(2_500_000);
    const packed = await gzip(compute, plain, [100_000]);
    assert.ok(packed.length > plain.length);
    assert.ok(gunzipSync(packed).equals(plain));
  });

  test(`${name} gzip passes on that its input failed`, async () => {
    await assert.rejects(whole(compute.gzip(failing())), /the source is gone/);
  });

  for (const framing of FRAMINGS) {
    test(`${name} snappy for ${framing}: blocks of 32 KiB, the same bytes however they are cut`, async () => {
      const plain = sample(600_000);
      const first = await whole(compute.snappy(cut(plain, [plain.length]), framing));
      for (const sizes of CUTS) {
        const again = await whole(compute.snappy(cut(plain, sizes), framing));
        assert.ok(again.equals(first), `cut by ${sizes.join()}`);
      }
      const lengths = blockLengths(first, framing);
      assert.equal(lengths.length, Math.ceil(plain.length / SNAPPY_BLOCK_BYTES));
      assert.ok(lengths.slice(0, -1).every((length) => length === SNAPPY_BLOCK_BYTES));
      assert.equal(lengths.at(-1), plain.length % SNAPPY_BLOCK_BYTES);
    });

    test(`${name} snappy for ${framing} of nothing is its head`, async () => {
      const head = await whole(compute.snappy(cut(Buffer.alloc(0), [1]), framing));
      assert.equal(head.toString('hex'), framing === 'java' ? '82534e41505059000000000100000001' : '');
    });

    test(`${name} snappy for ${framing} passes on that its input failed`, async () => {
      await assert.rejects(whole(compute.snappy(failing(), framing)), /the source is gone/);
    });
  }
}

/** What the blocks of a stream say that they hold; fails when the frames do not end where the stream does. */
function blockLengths(stream: Buffer, framing: SnappyFraming): readonly number[] {
  const lengths: number[] = [];
  let at = framing === 'java' ? 16 : 0;
  while (at < stream.length) {
    if (framing === 'hadoop') at += 4;
    const packed = stream.readUInt32BE(at);
    at += 4;
    lengths.push(lengthOf(stream.subarray(at)));
    if (framing === 'hadoop') assert.equal(stream.readUInt32BE(at - 8), lengths.at(-1));
    at += packed;
  }
  assert.equal(at, stream.length);
  return lengths;
}

function lengthOf(block: Buffer): number {
  let length = 0;
  for (let index = 0; ; index += 1) {
    const byte = block[index] as number;
    length |= (byte & 127) << (7 * index);
    if (byte < 128) return length;
  }
}

test('real and simulated give the same bytes', async () => {
  const plain = sample(1_300_000);
  const [one, other] = COMPUTES.map(([, compute]) => compute) as [Compute, Compute];
  assert.ok((await gzip(one, plain, [5000])).equals(await gzip(other, plain, [5000])));
  for (const framing of FRAMINGS) {
    const [real, simulated] = await Promise.all(
      [one, other].map(async (compute) => await whole(compute.snappy(cut(plain, [5000]), framing))),
    );
    assert.ok(real !== undefined && simulated !== undefined && real.equals(simulated));
  }
});

test('many at once come out whole, each in its order', async () => {
  const compute = createNodeCompute(createMeter());
  const plains = Array.from({ length: 12 }, (_, index) => sample(1_000_000 + 99_991 * index));
  const packed = await Promise.all(plains.map(async (plain) => await gzip(compute, plain, [65_536])));
  packed.forEach((bytes, index) => assert.ok(gunzipSync(bytes).equals(plains[index] as Buffer)));
  const framed = await Promise.all(plains.map(async (plain) => await whole(compute.snappy(cut(plain, [999]), 'java'))));
  const alone = await whole(compute.snappy(cut(plains[7] as Buffer, [999]), 'java'));
  assert.ok((framed[7] as Buffer).equals(alone));
});

const MIB = 1024 * 1024;
const PACKED: readonly (readonly [ContentEncoding, (plain: Buffer) => Buffer])[] = [
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', (plain) => brotliCompressSync(plain, { params: { 1: 4 } })],
];

const REFUSED: readonly string[] = ['too large', 'malformed'];

function said(found: Inflated): string {
  return typeof found === 'string' ? found : createHash('sha256').update(found).digest('hex');
}

for (const [encoding, pack] of PACKED) {
  test(`${encoding} is undone alike, small and large, whole, cut, spoilt, and with something behind it`, async () => {
    const [real, simulated] = COMPUTES.map(([, compute]) => compute) as [Compute, Compute];
    const long = pack(Buffer.concat([sample(1_500_000), randomBytes(500_000)]));
    for (const packed of [pack(Buffer.alloc(0)), pack(sample(1000)), pack(sample(300_000)), long]) {
      const middle = packed.length >> 1;
      const spoilt = Buffer.from(packed);
      spoilt.subarray(middle, middle + 8).fill(0xff);
      const inputs = [packed, spoilt, Buffer.concat([packed, packed]), Buffer.concat([packed, Buffer.from('x')])];
      for (const length of [0, 1, middle, packed.length - 1]) inputs.push(packed.subarray(0, length));
      for (const [index, input] of inputs.entries()) {
        for (const bound of [5 * MIB, 2_000_000, 1_999_999, 300_000, 999, 1]) {
          const wanted = said(await simulated.inflate(input, encoding, bound));
          const found = said(await real.inflate(input, encoding, bound));
          // Of bytes that are spoilt and too many, either may be seen first.
          const isEither = bound < 5 * MIB && REFUSED.includes(wanted) && REFUSED.includes(found);
          if (!isEither) assert.equal(found, wanted, `${packed.length} ${index} ${bound}`);
        }
      }
    }
  });

  test(`a bomb of ${encoding} ends at its bound, and others have their turns meanwhile`, async () => {
    const [, real] = COMPUTES[0] as readonly [string, Compute];
    const bomb = pack(Buffer.alloc(64 * MIB));
    const before = process.memoryUsage().arrayBuffers;
    assert.equal(await real.inflate(bomb, encoding, 8 * MIB), 'too large');
    assert.ok(process.memoryUsage().arrayBuffers - before < 24 * MIB, 'what is beyond the bound is not made');
    const turns = await turnsDuring(async () =>
      assert.equal((await real.inflate(bomb, encoding, 64 * MIB)).length, 64 * MIB),
    );
    assert.ok(turns > 60, `${turns} turns`);
  });
}

/** Turns of the loop that others had while the work was under way. */
async function turnsDuring(work: () => Promise<void>): Promise<number> {
  let [turns, isOver] = [0, false];
  const count = (): void => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await work();
  isOver = true;
  return turns;
}

test('what is inflated is held as it comes out, whatever the bound', async () => {
  for (const [name, compute] of COMPUTES) {
    for (const [encoding, pack] of PACKED) {
      for (const length of [0, 1000, 300_000, 2_000_000]) {
        let held = 0;
        let most = 0;
        const room: Room = {
          async hold(bytes) {
            held += bytes;
            most = Math.max(most, held);
          },
          giveBack: (bytes) => void (held -= bytes),
        };
        const packed = pack(sample(length));
        const found = await compute.inflate(packed, encoding, 64 * MIB, room);
        assert.equal(typeof found === 'string' ? found : found.length, length);
        assert.equal(held, length, `${name} ${encoding}`);
        if (compute === COMPUTES[0]?.[1]) assert.ok(most <= length + MIB / 4, `${encoding}: ${most} for ${length}`);
      }
    }
  }
  const [, real] = COMPUTES[0] as readonly [string, Compute];
  const none: Room = {
    hold: async () => await Promise.reject(new ThrottleError('ServiceUnavailable', 'no room')),
    giveBack: () => undefined,
  };
  await assert.rejects(real.inflate(gzipSync(sample(2_000_000)), 'gzip', 64 * MIB, none), ThrottleError);
});

test('two large bodies are inflated at once, and the others wait', async () => {
  const waiting: number[] = [];
  const meter = { ...createMeter(), gauge: (_: string, __: object, value: number) => void waiting.push(value) };
  const compute = createNodeCompute(meter);
  const body = gzipSync(sample(2_000_000));
  const all = Array.from({ length: 5 }, async () => await compute.inflate(body, 'gzip', 5 * MIB));
  for (const one of await Promise.all(all)) assert.equal(one.length, 2_000_000);
  assert.equal(Math.max(...waiting), 3);
  assert.equal(waiting.at(-1), 0);
});

test('signatures over little and over much are told alike, and others have their turns meanwhile', async () => {
  const [mine, others] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')];
  for (const length of [0, 1000, 262_144, 262_145, 24 * MIB]) {
    const bytes = Buffer.alloc(length, 'größer');
    const signature = sign(null, bytes, mine.privateKey);
    for (const [name, compute] of COMPUTES) {
      assert.equal(await compute.isSigned(bytes, mine.publicKey, signature), true, `${name} ${length}`);
      assert.equal(await compute.isSigned(bytes, others.publicKey, signature), false, `${name} ${length}`);
      assert.equal(await compute.isSigned(bytes, mine.publicKey, Buffer.alloc(3)), false, `${name} ${length}`);
      assert.equal(await compute.isSigned(bytes.subarray(1), mine.publicKey, signature), length === 0, name);
    }
  }
  const [, real] = COMPUTES[0] as readonly [string, Compute];
  const long = Buffer.alloc(64 * MIB);
  const turns = await turnsDuring(async () =>
    assert.equal(await real.isSigned(long, mine.publicKey, Buffer.alloc(64)), false),
  );
  assert.ok(turns > 10, `${turns} turns`);
});
