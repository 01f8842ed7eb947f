import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createJsonSchemas } from './index.ts';

const DRAFTS = ['http://json-schema.org/draft-07/schema#', 'https://json-schema.org/draft/2020-12/schema'];

test('items that are equal, and items that are not', () => {
  const table: readonly (readonly [items: string, isUnique: boolean])[] = [
    ['[]', true],
    ['[1,2,"1",true,null,[],{}]', true],
    ['[1,1.0]', false],
    ['[0,-0]', false],
    ['["a","a"]', false],
    ['[{"a":1,"b":[2]},{"b":[2],"a":1}]', false],
    ['[{"a":1,"b":[2]},{"b":[3],"a":1}]', true],
    ['[[1,2],[2,1],[[1],2],[1,[2]]]', true],
    ['[[],{}]', true],
    ['[["a,b"],["a","b"]]', true],
  ];
  for (const $schema of DRAFTS) {
    const check = createJsonSchemas().compile({ $schema, uniqueItems: true });
    for (const [items, isUnique] of table) {
      const said = isUnique ? [] : ['the body must NOT have duplicate items (#/uniqueItems)'];
      assert.deepEqual(check(JSON.parse(items)), said, items);
    }
    assert.deepEqual(createJsonSchemas().compile({ $schema, uniqueItems: false })([1, 1]), []);
  }
});

test('many items take time as they have bytes, on each level of a deep value too', { timeout: 20_000 }, () => {
  const check = createJsonSchemas().compile({ $id: 'x', uniqueItems: true, items: { $ref: 'x' } });
  let deep: unknown = Array.from({ length: 200_000 }, (_, index) => ({ index }));
  for (let level = 0; level < 500; level += 1) deep = [level, deep];
  assert.deepEqual(check(deep), []);
});
