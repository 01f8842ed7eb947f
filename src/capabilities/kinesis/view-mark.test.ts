import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkSum } from './opaque.ts';
import { openMark, sealMark } from './view-mark.ts';

/** Any bytes under our own seal. */
function sealed(...bytes: readonly number[]): string {
  const body = Buffer.from(bytes);
  return Buffer.concat([checkSum('view', body), body]).toString('base64url');
}

const place = fc.tuple(
  fc.nat(0xffff_ffff),
  fc.record({ offset: fc.bigInt({ min: 0n, max: 2n ** 53n - 1n }), sub: fc.nat(0xff_ffff) }, { noNullPrototype: true }),
);

test('what was sealed comes out, and what was altered does not', () => {
  const altered = fc.tuple(fc.nat(), fc.constantFrom(...'ABCxyz019-_+/= é'.split('')));
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), fc.array(place, { minLength: 1 }), altered, (generation, places, [at, letter]) => {
      const text = sealMark(places.map(([ordinal, one]) => [{ generation, ordinal }, one]));
      assert.match(text, /^[A-Za-z0-9_-]+$/);
      assert.deepEqual(openMark(text), { generation, places });
      const index = at % text.length;
      const changed = text.slice(0, index) + letter + text.slice(index + 1);
      if (changed !== text) assert.equal(openMark(changed), undefined, changed);
    }),
  );
});

test('500 shards of a billion records each stand in one URL', () => {
  const places = Array.from({ length: 500 }, (_, index) => {
    return [
      { generation: 1, ordinal: 5000 + index },
      { offset: 1_000_000_000n, sub: 0 },
    ] as const;
  });
  assert.equal(sealMark(places).length, 5346);
});

test('other texts are nothing, and nothing throws', () => {
  assert.deepEqual(openMark(sealed(1, 2, 3, 4)), { generation: 1, places: [[2, { offset: 3n, sub: 4 }]] });
  const table: readonly (readonly [what: string, text: string])[] = [
    ['nothing', ''],
    ['no numbers', sealed()],
    ['no place', sealed(1)],
    ['half a place', sealed(1, 2, 3)],
    ['a cut number', sealed(1, 2, 3, 0x84)],
    ['a number beyond 2^53', sealed(1, 2, ...Buffer.alloc(8, 0xff), 1, 4)],
    ['a number without end', sealed(1, 2, ...Buffer.alloc(1000, 0xff))],
    ['padded', `${sealed(1, 2, 3, 4)}=`],
  ];
  for (const [what, text] of table) assert.equal(openMark(text), undefined, what);
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => assert.equal(openMark(text), undefined)));
  fc.assert(fc.property(fc.array(fc.nat(255)), (bytes) => void openMark(sealed(...bytes))));
});
