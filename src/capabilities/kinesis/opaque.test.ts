import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { openOpaque, sealOpaque } from './opaque.ts';

/** Any bytes under the seal that the format wants. */
function sealBytes(kind: string, body: Buffer, version = 1): string {
  const check = createHash('sha256').update(`millrace ${kind} 1\n`).update(body).digest().subarray(0, 8);
  return Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 0, 0, version]), check, body]).toString('base64');
}

test('what was sealed comes out, whatever it is', () => {
  const values = fc.dictionary(fc.string({ maxLength: 20, unit: 'binary' }), fc.jsonValue());
  fc.assert(
    fc.property(values, (value) => {
      const text = sealOpaque('kind', value);
      assert.match(text, /^[A-Za-z0-9+/]+={0,2}$/);
      assert.deepEqual(openOpaque('kind', text), JSON.parse(JSON.stringify(value)));
    }),
  );
});

test('the bytes are what the format says', () => {
  assert.equal(sealOpaque('iterator', { a: 1 }), sealBytes('iterator', Buffer.from('{"a":1}')));
});

test('one changed character makes it no text of ours', () => {
  const text = sealOpaque('iterator', { s: 'a', f: '123' });
  const places = fc.tuple(fc.nat(text.length - 1), fc.constantFrom(...'ABCxyz019+/= _-é\n'.split('')));
  fc.assert(
    fc.property(places, ([at, character]) => {
      const changed = text.slice(0, at) + character + text.slice(at + 1);
      if (changed !== text) assert.equal(openOpaque('iterator', changed), undefined, changed);
    }),
  );
});

test('other texts are nothing, and nothing throws', () => {
  const good = sealOpaque('iterator', { a: 'text' });
  const refused: readonly (readonly [string, string])[] = [
    ['empty', ''],
    ['no base64', '???'],
    ['too short', 'AAAA'],
    ['no body', sealBytes('iterator', Buffer.alloc(0))],
    ['another kind', sealOpaque('shards', { a: 'text' })],
    ['another version', sealBytes('iterator', Buffer.from('{"a":"text"}'), 2)],
    ['a blank in front', ` ${good}`],
    ['a line end behind', `${good}\n`],
    ['without its padding', good.replace(/=+$/, '')],
    ['twice', good + good],
    ['sealed: no JSON', sealBytes('iterator', Buffer.from('{"a":'))],
    ['sealed: null', sealBytes('iterator', Buffer.from('null'))],
    ['sealed: a number', sealBytes('iterator', Buffer.from('5'))],
    ['sealed: a text', sealBytes('iterator', Buffer.from('"a"'))],
  ];
  assert.notEqual(openOpaque('iterator', good), undefined);
  for (const [name, text] of refused) assert.equal(openOpaque('iterator', text), undefined, name);
});
