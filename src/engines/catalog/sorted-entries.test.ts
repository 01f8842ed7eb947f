import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import type { CatalogEntry } from '../../ports/catalog.ts';
import { SortedEntries } from './sorted-entries.ts';

const ROUNDS = 4000;

function all(entries: SortedEntries): readonly CatalogEntry[] {
  return entries.freeze().flat();
}

/** Keys in an order that looks like chance; many more than one block holds. */
function keys(seed: number): string[] {
  return Array.from({ length: ROUNDS }, (_, index) => `k/${(index * 7919 + seed) % 2500}`);
}

test('holds what a map holds, in the order of the keys, through any row of changes', () => {
  const entries = new SortedEntries();
  const map = new Map<string, CatalogEntry>();
  for (const [index, key] of keys(1).entries()) {
    const entry = { key, revision: BigInt(index), value: index };
    if (index % 3 === 2) {
      const gone = `k/${(index * 31) % 2500}`;
      entries.remove(gone);
      map.delete(gone);
    }
    entries.set(entry);
    map.set(key, entry);
    // Views come and go between the changes.
    if (index % 100 === 0) entries.freeze();
    assert.equal(entries.size, map.size);
  }
  const expected = [...map.values()].sort((one, two) => (one.key < two.key ? -1 : 1));
  assert.deepEqual(all(entries), expected);
  for (const prefix of ['', 'k/1', 'k/24', 'k/2499', 'k/3', 'a', 'z']) {
    assert.deepEqual(
      entries.under(prefix),
      expected.filter(({ key }) => key.startsWith(prefix)),
      prefix,
    );
  }
  for (const key of map.keys()) entries.remove(key);
  assert.deepEqual([entries.size, all(entries), entries.under('')], [0, [], []]);
});

test('a frozen view never changes', () => {
  const entries = new SortedEntries();
  const views: { readonly view: ReturnType<SortedEntries['freeze']>; readonly text: string }[] = [];
  for (const [index, key] of keys(2).entries()) {
    if (index % 5 === 4) entries.remove(`k/${(index * 31) % 2500}`);
    else entries.set({ key, revision: 0n, value: index });
    if (index % 500 !== 0) continue;
    const view = entries.freeze();
    views.push({ view, text: textOf(view) });
  }
  for (const { view, text } of views) assert.equal(textOf(view), text);
  assert.equal(new Set(views.map(({ text }) => text)).size, views.length);
});

function textOf(view: readonly (readonly CatalogEntry[])[]): string {
  return view
    .flat()
    .map(({ key, value }) => `${key}=${JSON.stringify(value)}`)
    .join();
}

test('keys are found by prefix in the order of code units', () => {
  const key = fc.string({ unit: fc.constantFrom('a', 'b', '/', 'ä', '😀', '\uffff'), maxLength: 4 });
  fc.assert(
    fc.property(fc.array(key, { maxLength: 30 }), key, (names, prefix) => {
      const entries = new SortedEntries();
      for (const name of names) entries.set({ key: name, revision: 0n, value: null });
      assert.deepEqual(
        entries.under(prefix).map((entry) => entry.key),
        [...new Set(names)].filter((name) => name.startsWith(prefix)).sort(),
      );
    }),
    { seed: 1 },
  );
});
