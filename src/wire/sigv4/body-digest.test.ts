import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { BodyDigest } from './body-digest.ts';

test('the digest of a body in whatever pieces', () => {
  for (const pieces of [[], [''], ['a'], ['', ''], ['', 'ab'], ['ab', ''], ['a', 'b'], ['a', 'b', '', 'c', 'd']]) {
    const digest = new BodyDigest();
    for (const piece of pieces) digest.add(Buffer.from(piece));
    const wanted = createHash('sha256').update(pieces.join('')).digest('hex');
    assert.equal(digest.hex(), wanted, JSON.stringify(pieces));
  }
});
