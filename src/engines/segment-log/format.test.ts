import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { entryBytes, packEntries } from '../../kernel/stream/packed-entries.ts';
import { Slice, type StoredRecord } from '../../ports/stream-store.ts';
import { collectEntries, type Collection } from './collect-entries.ts';
import {
  COMMIT_HEADER_BYTES,
  decodeCommitHeader,
  decodeExtentHeader,
  decodeSegmentHeader,
  encodeCommitHeader,
  encodeExtentHeader,
  encodeSegmentHeader,
  EXTENT_HEADER_BYTES,
  FORMAT_VERSION,
  parseSegmentName,
  readU64,
  SEGMENT_HEADER_BYTES,
  segmentName,
  writeU64,
} from './format.ts';
import { flipped } from './log.fixture.ts';

const u32 = fc.nat({ max: 0xffff_ffff });
const u64 = fc.maxSafeNat();
const PLAIN = { noNullPrototype: true } as const;

const segment = fc.record({ epoch: u32, segment: u32, salt: u32, createdAt: u64, settledFrom: u32 }, PLAIN);
const commit = fc.record(
  {
    salt: u32,
    epoch: u32,
    segment: u32,
    position: u32,
    number: u64,
    at: u64,
    synced: fc.record({ segment: u32, position: u32 }, PLAIN),
    bodyBytes: u32,
    extentCount: u32,
  },
  PLAIN,
);
const extent = fc.record(
  {
    shard: u32,
    flags: u32,
    count: u32,
    first: u64,
    at: u64,
    payloadBytes: u32,
    payloadCrc: u32,
    salt: u32,
  },
  PLAIN,
);

function commitBytes(header: Parameters<typeof encodeCommitHeader>[1]): Buffer {
  const bytes = Buffer.alloc(COMMIT_HEADER_BYTES);
  encodeCommitHeader(bytes, header);
  return bytes;
}

function extentBytes(header: Parameters<typeof encodeExtentHeader>[2]): Buffer {
  const bytes = Buffer.alloc(EXTENT_HEADER_BYTES);
  encodeExtentHeader(bytes, 0, header);
  return bytes;
}

test('headers read back as they were written', () => {
  fc.assert(
    fc.property(segment, (one) =>
      assert.deepEqual(decodeSegmentHeader(encodeSegmentHeader(one), 'x'), { version: FORMAT_VERSION, ...one }),
    ),
  );
  fc.assert(fc.property(commit, (one) => assert.deepEqual(decodeCommitHeader(commitBytes(one), 0), one)));
  fc.assert(fc.property(extent, (one) => assert.deepEqual(decodeExtentHeader(extentBytes(one), 0), one)));
});

test('a header with any byte changed is none, its version among them', () => {
  const known = { salt: 1, epoch: 2, segment: 3, createdAt: 4, settledFrom: 5 };
  const bytes = encodeSegmentHeader(known);
  for (let at = 0; at < SEGMENT_HEADER_BYTES; at += 1) {
    assert.equal(decodeSegmentHeader(flipped(bytes, at), 'x'), undefined, `segment header, byte ${at}`);
  }
  const [one] = fc.sample(commit, { numRuns: 1, seed: 1 });
  const [other] = fc.sample(extent, { numRuns: 1, seed: 1 });
  assert.ok(one !== undefined && other !== undefined);
  for (let at = 0; at < COMMIT_HEADER_BYTES; at += 1) {
    assert.equal(decodeCommitHeader(flipped(commitBytes(one), at), 0), undefined, `commit header, byte ${at}`);
  }
  for (let at = 0; at < EXTENT_HEADER_BYTES; at += 1) {
    assert.equal(decodeExtentHeader(flipped(extentBytes(other), at), 0), undefined, `extent header, byte ${at}`);
  }
});

function unspaced(hex: string): string {
  return hex.replaceAll(' ', '');
}

/** What files of version 2 hold, for ever: written down by hand from docs/internals/on-disk-format.md. */
test('the bytes of version 2 are these', () => {
  assert.equal(FORMAT_VERSION, 2);
  assert.equal(
    encodeSegmentHeader({ epoch: 3, segment: 7, salt: 0xdeadbeef, createdAt: 0x01_0000_0002, settledFrom: 5 }).toString(
      'hex',
    ),
    unspaced('6d696c6c72616365 02000000 03000000 07000000 efbeadde 0200000001000000 05000000 ca69659b'),
  );
  const header = commitBytes({
    salt: 1,
    epoch: 2,
    segment: 3,
    position: 40,
    number: 5,
    at: 6,
    synced: { segment: 7, position: 8 },
    bodyBytes: 9,
    extentCount: 10,
  });
  const words = Array.from({ length: 15 }, (_, index) => header.readUInt32LE(index * 4));
  assert.deepEqual(words, [0xfff56d63, 2, 1, 2, 3, 40, 5, 0, 6, 0, 7, 8, 9, 10, 0]);
  const part = extentBytes({ shard: 1, flags: 2, count: 3, first: 4, at: 5, payloadBytes: 6, payloadCrc: 7, salt: 8 });
  const parts = Array.from({ length: 11 }, (_, index) => part.readUInt32LE(index * 4));
  assert.deepEqual(parts, [0xfff57865, 1, 2, 3, 4, 0, 5, 0, 6, 7, 8]);
  const { bytes } = packEntries([
    { key: Buffer.from('k'), data: Buffer.from('dd'), headers: [['n', Buffer.from('v')]] },
  ]);
  assert.equal(Buffer.from(bytes).toString('hex'), unspaced('02000000 0100 0100 6b 0101000000 6e76 6464'));
});

test('numbers of eight bytes are exact up to the largest safe one', () => {
  const bytes = Buffer.alloc(8);
  fc.assert(
    fc.property(u64, (value) => {
      writeU64(bytes, value, 0);
      assert.equal(readU64(bytes, 0), value);
      assert.equal(bytes.readBigUInt64LE(0), BigInt(value));
    }),
  );
});

test('names of segments sort as their numbers, and other names are none', () => {
  assert.equal(segmentName(7, 3), 'segment-0000000007-epoch-3.log');
  assert.deepEqual(parseSegmentName('segment-0000000007-epoch-3.log'), { segment: 7, epoch: 3 });
  for (const name of [
    'segment-7-epoch-3.log',
    'segment-0000000007-epoch-3.log.tmp',
    'segment-0000000007.log',
    'lost+found',
  ]) {
    assert.equal(parseSegmentName(name), undefined, name);
  }
});

const anyBytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
const anyEntry = fc.record(
  {
    key: anyBytes(40),
    data: anyBytes(200),
    headers: fc.array(fc.tuple(fc.string({ unit: 'binary-ascii', maxLength: 20 }), anyBytes(20)), { maxLength: 3 }),
  },
  PLAIN,
);

function collection(recordsMax: number, bytesMax: number, end: number): Collection {
  return { runs: [], count: 0, next: 0, end, recordsMax, bytesMax, bytes: 0, full: false };
}

function recordsOf({ runs }: Collection): readonly StoredRecord[] {
  return new Slice(runs, { next: 0n, start: 0n, end: 0n }).records;
}

test('entries read back as they were written, in the bytes that were reckoned', () => {
  const property = fc.property(fc.array(anyEntry, { minLength: 1, maxLength: 20 }), (entries) => {
    const { bytes, count } = packEntries(entries);
    assert.equal(
      bytes.length,
      entries.reduce((sum, one) => sum + entryBytes(one), 0),
    );
    const found = collection(1000, 1_000_000, entries.length);
    assert.ok(collectEntries({ bytes, from: 0, to: bytes.length, first: 0, count, at: 1 }, found));
    assert.deepEqual(
      recordsOf(found).map(({ key, data, headers }) => ({
        key: Uint8Array.from(key),
        data: Uint8Array.from(data),
        headers: headers.map(([name, value]) => [name, Uint8Array.from(value)]),
      })),
      entries,
    );
  });
  fc.assert(property);
});

test('a run that is not well formed is told, whatever its bytes, and nothing beyond it is read', () => {
  const property = fc.property(
    fc.uint8Array({ minLength: 1, maxLength: 60 }),
    fc.integer({ min: 1, max: 9 }),
    (noise, count) => {
      const bytes = Buffer.concat([noise, Buffer.alloc(1000, 1)]);
      const found = collection(1000, 1_000_000, 1_000_000);
      const isWhole = collectEntries({ bytes, from: 0, to: noise.length, first: 0, count, at: 1 }, found);
      const taken = recordsOf(found).reduce((sum, { key, data }) => sum + key.length + data.length, 0);
      assert.ok(taken <= noise.length);
      if (isWhole) assert.equal(found.count, count);
    },
  );
  fc.assert(property);
});
