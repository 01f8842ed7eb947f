import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { JsonPathFinder, parseJsonPath } from './json-path.ts';

function find(path: string, json: string): string | undefined {
  const segments = parseJsonPath(path);
  assert.ok(segments !== undefined, path);
  return new JsonPathFinder(segments).find(Buffer.from(json));
}

test('texts that are paths, and texts that are none', () => {
  assert.deepEqual(parseJsonPath('meta.id'), ['meta', 'id']);
  assert.deepEqual(parseJsonPath('$.rows[0].id'), ['rows', '0', 'id']);
  assert.deepEqual(parseJsonPath('$[2]'), ['2']);
  assert.deepEqual(parseJsonPath('order no.id'), ['order no', 'id']);
  assert.deepEqual(parseJsonPath('$schema'), ['schema']);
  for (const text of ['', '.', '$', 'a..b', 'a.', 'a[', 'a[x]', Array(40).fill('a').join('.')]) {
    assert.equal(parseJsonPath(text), undefined, text);
  }
});

const ROWS: readonly (readonly [path: string, json: string, found: string | undefined])[] = [
  ['a', '{"a":"x"}', 'x'],
  ['a', ' { "b" : [ "a" , {"a":1} ] , "a" : 12.5e-3 } ', '12.5e-3'],
  ['a', '{"a":true}', 'true'],
  ['a', '{"a":null}', undefined],
  ['a', '{"a":{"a":1}}', undefined],
  ['a', '{"a":[1]}', undefined],
  ['a.b', '{"a":{"x":"}\\"]","b":"y"}}', 'y'],
  ['a.b', '{"x":{"b":1},"a":{"b":2}}', '2'],
  ['a[1].b', '{"a":[{"b":1},{"b":2}]}', '2'],
  ['a[2]', '{"a":[1,2]}', undefined],
  ['a[0]', '{"a":[]}', undefined],
  ['a', '{"a":"\\u00fc\\n\\"x"}', '\u00fc\n"x'],
  ['a', '{"\\u0061":"x"}', 'x'],
  ['\u00fc', '{"\u00fc":"\ud83c\udf0d"}', '\ud83c\udf0d'],
  ['a', '{"b":"\\\\","a":"\\\\\\"","c":"x"}', '\\"'],
  ['a', '{"b\\"":"\\\\\\\\","a":"\\\\"}', '\\'],
  ['a', '{"a":"x\\"}', undefined],
  ['a', '{"a":"x\\\\\\"}', undefined],
  ['a', '{"a":"first","a":"second"}', 'first'],
  ['a', '{"a":"x","b":', 'x'],
  ['b', '{"a":"x","b":', undefined],
  ['a', '{"a":"x', undefined],
  ['a', '{"a":"\\q"}', undefined],
  ['a', '{"a" "x"}', undefined],
  ['a', '{"a":tru}', undefined],
  ['a', '"a"', undefined],
  ['a', '', undefined],
  ['a', 'a', undefined],
  ['0', '["x"]', 'x'],
  ['a', '["x"]', undefined],
];

test('what stands at a path', () => {
  for (const [path, json, found] of ROWS) assert.equal(find(path, json), found, `${path} in ${json}`);
});

test('a plain text is told by its place, and nothing else is', () => {
  for (const [path, json, found] of ROWS) {
    const finder = new JsonPathFinder(parseJsonPath(path) ?? []);
    const bytes = Buffer.from(json);
    const isPlain = finder.findPlain(bytes);
    if (isPlain) assert.equal(bytes.toString('latin1', finder.from, finder.to), found, `${path} in ${json}`);
    const isMeant = found !== undefined && /^[\x20-\x7e]*$/.test(found) && json.includes(`"${found}"`);
    assert.equal(isPlain, isMeant, `${path} in ${json}`);
  }
});

test('names are strings and numbers, as they are written', () => {
  const table: readonly (readonly [json: string, found: string | undefined])[] = [
    ['"x"', 'x'],
    ['"true"', 'true'],
    ['9007199254740993', '9007199254740993'],
    ['1.0', '1.0'],
    ['""', undefined],
    ['true', undefined],
    ['false', undefined],
    ['null', undefined],
    ['[1]', undefined],
  ];
  for (const [json, found] of table) {
    assert.equal(new JsonPathFinder(['a']).findName(Buffer.from(`{"a":${json}}`)), found, json);
  }
  assert.equal(new JsonPathFinder(['b']).findName(Buffer.from('{"a":1}')), undefined);
});

test('of any JSON it finds what a full parse finds', () => {
  const key = fc.constantFrom('a', 'b', 'c"', '\u00fc');
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.string(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 3 }),
    ),
  }));
  fc.assert(
    fc.property(
      tree,
      fc.array(fc.oneof(key, fc.constantFrom('0', '1')), { minLength: 1, maxLength: 4 }),
      (value, path) => {
        const json = JSON.stringify(value, undefined, 1);
        let at: unknown = JSON.parse(json);
        for (const segment of path) {
          const isInside = typeof at === 'object' && at !== null && Object.hasOwn(at, segment);
          at = isInside ? (at as Record<string, unknown>)[segment] : undefined;
        }
        const expected =
          typeof at === 'string'
            ? at
            : typeof at === 'number' || typeof at === 'boolean'
              ? JSON.stringify(at)
              : undefined;
        assert.equal(new JsonPathFinder(path).find(Buffer.from(json)), expected, `${path.join('.')} in ${json}`);
      },
    ),
    { numRuns: 2000 },
  );
});

test('bytes of any kind give no error', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      new JsonPathFinder(['a', '0']).find(Buffer.concat([Buffer.from('{"a":['), bytes]));
    }),
  );
});
