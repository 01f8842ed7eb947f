import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as s from '../../kernel/schema/declare.ts';
import { encodeAwsJson } from './encode.ts';

const SHAPE = s.struct({
  Name: s.string(),
  At: s.optional(s.timestamp()),
  Data: s.optional(s.blob()),
  Count: s.optional(s.integer()),
  On: s.optional(s.boolean()),
  List: s.optional(s.list(s.struct({ At: s.optional(s.timestamp()) }))),
  Map: s.optional(s.map(s.blob())),
});

test('values as JSON 1.1 writes them', () => {
  const table: readonly (readonly [value: object, json: string])[] = [
    [{ Name: 'a' }, '{"Name":"a"}'],
    [{ Name: 'a', Unknown: 1 }, '{"Name":"a"}'],
    [{ Name: 'a', At: 1_700_000_000_123 }, '{"Name":"a","At":1700000000.123}'],
    [{ Name: 'a', At: 0 }, '{"Name":"a","At":0}'],
    [{ Name: 'a', At: 1 }, '{"Name":"a","At":0.001}'],
    [{ Name: 'a', Data: new Uint8Array() }, '{"Name":"a","Data":""}'],
    [{ Name: 'a', Data: Uint8Array.of(0, 255) }, '{"Name":"a","Data":"AP8="}'],
    [{ Count: 0, On: false, Name: '' }, '{"Name":"","Count":0,"On":false}'],
    [{ Name: 'a', Count: undefined, On: null }, '{"Name":"a"}'],
    [{ Name: 'a', List: [{ At: 1000 }, {}] }, '{"Name":"a","List":[{"At":1},{}]}'],
    [{ Name: 'a', List: [] }, '{"Name":"a","List":[]}'],
    [{ Name: 'a', Map: { toString: Uint8Array.of(2) } }, '{"Name":"a","Map":{"toString":"Ag=="}}'],
  ];
  for (const [value, json] of table) assert.equal(JSON.stringify(encodeAwsJson(SHAPE, value)), json);
});
