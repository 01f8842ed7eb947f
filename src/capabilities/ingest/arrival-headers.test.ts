import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ENTRY_FIXED_BYTES, EntryPlace, readEntryAt, readHeaders } from '../../kernel/stream/packed-entries.ts';
import type { Arrival } from '../../ports/source.ts';
import type { Header } from '../../ports/stream-store.ts';
import { ArrivalHeader, readArrival, resumeHeader, writeDigest, type Digest } from './arrival-headers.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

function digestOf(arrival: Arrival): Digest | undefined {
  const digest = new Uint32Array(4);
  return writeDigest(arrival, digest) ? digest : undefined;
}

function inHex(digest: Digest | undefined): string {
  return Array.from(digest ?? [], (word) => word.toString(16).padStart(8, '0')).join('');
}

/** Headers as an entry's reader finds them. */
function unpacked(...packed: readonly Uint8Array[]): readonly Header[] {
  const entry = Buffer.concat([Buffer.alloc(ENTRY_FIXED_BYTES), ...packed]);
  entry[6] = packed.length;
  const place = new EntryPlace();
  assert.ok(readEntryAt(entry, 0, entry.length, place) && place.end === entry.length);
  return readHeaders(entry, place);
}

function arrivalHeader(source: string, digest: Digest | undefined): Uint8Array {
  const header = new ArrivalHeader(source);
  const written = new Uint8Array(3 + header.bytesMax);
  return written.subarray(3, header.write(written, 3, digest));
}

test('what an event is known by', () => {
  const digests = [
    { data: bytes('a'), key: 'k' },
    { data: bytes('a'), key: 'l' },
    { data: bytes('a'), id: 'k' },
    { data: bytes('b'), id: 'k' },
    { data: bytes('a'), id: '' },
    { data: bytes('b'), id: '' },
  ].map((arrival) => inHex(digestOf(arrival)));
  assert.equal(new Set(digests).size, digests.length);
  assert.equal(inHex(digestOf({ data: bytes('other'), key: 'k' })), digests[0], 'a key alone tells');
  assert.equal(digestOf({ data: bytes('a') }), undefined);
});

test('digests are those that stand in the records of earlier builds', () => {
  const sha1 = (text: string | Uint8Array): Buffer => createHash('sha1').update(text).digest();
  const content = sha1('a').toString('latin1');
  for (const [arrival, expected] of [
    [{ data: bytes('a'), key: 'ü' }, sha1('key\0ü')],
    [{ data: bytes('a'), id: '' }, sha1('a')],
    [{ data: bytes('a'), id: 'ü' }, sha1(`id\0ü\0${content}`)],
  ] as const) {
    const [header] = unpacked(arrivalHeader('feed-ü', digestOf(arrival)));
    const value = Buffer.concat([Buffer.from([16]), expected.subarray(0, 16), Buffer.from('feed-ü')]);
    assert.deepEqual([header?.[0], Buffer.from(header?.[1] ?? [])], ['millrace-source', value]);
  }
});

test('headers are read back by the source that wrote them, and by no other', () => {
  const digest = digestOf({ data: bytes('a'), id: '1' });
  const mark = { batch: 7, token: 'x:ü' };
  const own = arrivalHeader('feed-ü', digest);
  const headers = unpacked(own, resumeHeader(mark));
  assert.deepEqual(readArrival('feed-ü', headers), { digest, mark });
  assert.deepEqual(readArrival('feed-ü', unpacked(own)), { digest });
  assert.deepEqual(readArrival('feed', unpacked(arrivalHeader('feed', undefined))), {});
  assert.equal(readArrival('feed', headers), undefined);
  assert.equal(readArrival('feed', [['millrace-id', bytes('x')]]), undefined);
});
