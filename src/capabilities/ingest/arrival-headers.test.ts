import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arrivalHeader, digestOf, readArrival, resumeHeader } from './arrival-headers.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

test('what an event is known by', () => {
  const digests = [
    { data: bytes('a'), key: 'k' },
    { data: bytes('a'), key: 'l' },
    { data: bytes('a'), id: 'k' },
    { data: bytes('b'), id: 'k' },
    { data: bytes('a'), id: '' },
    { data: bytes('b'), id: '' },
  ].map((arrival) => digestOf(arrival) ?? '');
  assert.equal(new Set(digests).size, digests.length);
  assert.ok(digests.every((digest) => /^[\0-\u00ff]{16}$/.test(digest)));
  assert.equal(digestOf({ data: bytes('other'), key: 'k' }), digests[0], 'a key alone tells');
  assert.equal(digestOf({ data: bytes('a') }), undefined);
});

test('headers are read back by the source that wrote them, and by no other', () => {
  const digest = digestOf({ data: bytes('a'), id: '1' }) ?? '';
  const mark = { batch: 7, token: 'x:ü' };
  const headers = [arrivalHeader(bytes('feed-ü'), digest), resumeHeader(mark)];
  assert.deepEqual(readArrival('feed-ü', headers), { digest, mark });
  assert.deepEqual(readArrival('feed-ü', headers.slice(0, 1)), { digest });
  assert.deepEqual(readArrival('feed', [arrivalHeader(bytes('feed'), undefined)]), {});
  assert.equal(readArrival('feed', headers), undefined);
  assert.equal(readArrival('feed', [['millrace-id', bytes('x')]]), undefined);
});
