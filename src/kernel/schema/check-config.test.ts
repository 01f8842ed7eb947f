import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkAws } from './check-aws.ts';
import { checkConfig } from './check-config.ts';
import {
  any, blob, boolean, double, either, integer, list, map, notBuilt, optional, string, struct, timestamp,
} from './declare.ts'; // prettier-ignore
import { didYouMean } from './did-you-mean.ts';
import { toJsonSchema } from './json-schema.ts';
import { referenceRows, referenceTable } from './reference.ts';

const SCHEMA = struct({
  streams: optional(
    map(
      struct({
        ShardCount: optional(integer({ min: 1, max: 10_000, doc: 'How many shards.' })),
        Mode: optional(string({ values: ['ON_DEMAND', 'PROVISIONED'] })),
      }),
      { key: string({ pattern: '[a-zA-Z0-9_.-]+', min: 1, max: 128 }), doc: 'Streams by name.' },
    ),
  ),
  region: string({ max: 20 }),
  secrets: optional(list(string({ pattern: '[a-z]+', secret: true }), { min: 1, max: 2 })),
  limit: optional(either([string({ values: ['off', 'aws'] }), struct({ perSecond: integer() }), notBuilt()])),
  ratio: optional(double({ min: 0 })),
  on: optional(boolean()),
  at: optional(timestamp()),
  bytes: optional(blob()),
  functions: optional(notBuilt({ doc: 'Handlers.' })),
  other: optional(any()),
  place: optional(struct({ here: string() }, { elsewhere: new Map([['there', 'stands elsewhere']]) })),
});

/** `path: what | expected | hint` of every problem. */
function said(value: unknown): readonly string[] {
  return checkConfig(SCHEMA, value).map(({ path, what, expected, hint }) => {
    return `${path.join('.')}: ${what} | ${expected} | ${hint}`;
  });
}

const KEYS = 'streams, region, secrets, limit, ratio, on, at, bytes, functions, other, place';
const ROWS: readonly (readonly [unknown, ...string[]])[] = [
  [{ region: 'r' }],
  [{ region: 'r', streams: null, other: { x: 1 }, on: true, at: '2026-01-31T12:00:00Z', bytes: 'AAE=', limit: 'off' }],
  [{ region: 'r', streams: { 'git-data': { ShardCount: 2, Mode: 'ON_DEMAND' } }, limit: { perSecond: 5 }, ratio: 0.5 }],
  [{ region: 'r', place: { here: 'x', there: 1 } }, 'place.there: stands elsewhere |  | '],
  [{}, 'region: missing | text of at most 20 characters | '],
  [null, `: empty | a mapping with ${KEYS} | write {} for the defaults`],
  [[], `: is a list | a mapping with ${KEYS} | `],
  [{ region: 5 }, 'region: is a whole number | text of at most 20 characters | put it in quotes'],
  [{ region: 'x'.repeat(21) }, 'region: too long | text of at most 20 characters | '],
  [{ region: 'r', regon: 1 }, `regon: unknown key | ${KEYS} | did you mean region?`],
  [{ region: 'r', ['__proto__x']: 1 }, `__proto__x: unknown key | ${KEYS} | `],
  [{ region: 'r', functions: {} }, 'functions: not built yet |  | remove it for now'],
  [{ region: 'r', streams: { a: null } }, 'streams.a: empty | a mapping with ShardCount, Mode | write {} for the defaults'],
  [
    { region: 'r', streams: { 'a b': { ShardCount: '2' } } },
    "streams.a b: 'a b' does not fit | text matching [a-zA-Z0-9_.-]+ | ",
    'streams.a b.ShardCount: is text | a whole number from 1 to 10000 | write the number without quotes',
  ],
  [
    { region: 'r', streams: { a: { ShardCount: 0, Mode: 'ON_DEMND' } } },
    'streams.a.ShardCount: 0 is out of range | a whole number from 1 to 10000 | ',
    "streams.a.Mode: 'ON_DEMND' is unknown | one of ON_DEMAND, PROVISIONED | did you mean ON_DEMAND?",
  ],
  [{ region: 'r', streams: { a: { ShardCount: 1.5 } } }, 'streams.a.ShardCount: is a number | a whole number from 1 to 10000 | '],
  [{ region: 'r', secrets: ['GEHEIM'] }, 'secrets.0: this text does not fit | text matching [a-z]+ | '],
  [{ region: 'r', secrets: [] }, 'secrets: has 0 | a list of 1 to 2 items | '],
  [{ region: 'r', ratio: -1 }, 'ratio: -1 is out of range | a number of at least 0 | '],
  [{ region: 'r', ratio: NaN }, 'ratio: is a number | a number of at least 0 | '],
  [{ region: 'r', at: 'noon' }, 'at: is text | a time such as 2026-01-31T12:00:00Z | '],
  [{ region: 'r', limit: 'of' }, "limit: 'of' is unknown | one of off, aws | did you mean off?"],
  [{ region: 'r', limit: { perSecond: 'x' } }, 'limit.perSecond: is text | a whole number | '],
  [{ region: 'r', limit: 5 }, 'limit: not built yet |  | remove it for now'],
]; // prettier-ignore

test('every problem is said with its path, what is expected and a hint', () => {
  for (const [value, ...problems] of ROWS) assert.deepEqual(said(value), problems, JSON.stringify(value));
});

test('a file may say what AWS’s pattern does not let a request say', () => {
  const schema = string({ pattern: 'arn:[a-z]+', filePattern: '(arn:)?[a-z]+' });
  assert.deepEqual(checkConfig(schema, 'name'), []);
  assert.deepEqual(checkConfig(schema, 'arn:name'), []);
  assert.equal(checkConfig(schema, '5')[0]?.expected, 'text matching (arn:)?[a-z]+');
  assert.throws(() => checkAws(struct({ Bucket: schema }), { Bucket: 'name' }), /pattern: arn:\[a-z\]\+$/);
});

test('a key named __proto__ is an unknown key like any other', () => {
  assert.deepEqual(said(JSON.parse('{"region":"r","__proto__":{"region":5}}')), [
    `__proto__: unknown key | ${KEYS} | `,
  ]);
});

test('any value is checked without an error, and problems are bounded', () => {
  fc.assert(fc.property(fc.anything(), (value) => void checkConfig(SCHEMA, value)));
  const keys = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`key${index}`, 1]));
  assert.equal(checkConfig(SCHEMA, keys).length, 50);
});

test('suggestions are near, or none', () => {
  assert.equal(didYouMean('PARTITIONkey', ['partitionKey']), 'did you mean partitionKey?');
  assert.equal(didYouMean('zzz', ['partitionKey', 'to']), '');
  assert.equal(didYouMean('x'.repeat(100_000), ['x'.repeat(99_999)]), '');
});

test('the declaration becomes JSON Schema for editors', () => {
  const converted = toJsonSchema(SCHEMA, 'millrace.yaml') as { properties: Record<string, unknown> };
  const placeholder = { type: 'string', pattern: '\\$\\{(env|secret):' };
  assert.equal((converted as Record<string, unknown>).title, 'millrace.yaml');
  assert.deepEqual((converted as Record<string, unknown>).required, ['region']);
  assert.deepEqual(converted.properties.streams, {
    description: 'Streams by name.',
    type: 'object',
    additionalProperties: {
      type: 'object',
      properties: {
        ShardCount: {
          description: 'How many shards.',
          anyOf: [{ type: 'integer', minimum: 1, maximum: 10_000 }, placeholder],
        },
        Mode: { anyOf: [{ type: 'string', enum: ['ON_DEMAND', 'PROVISIONED'] }, placeholder] },
      },
      additionalProperties: false,
    },
    propertyNames: {
      anyOf: [{ type: 'string', minLength: 1, maxLength: 128, pattern: '^(?:[a-zA-Z0-9_.-]+)$' }, placeholder],
    },
  });
  assert.deepEqual(converted.properties.functions, { description: 'Handlers. Not built yet.', not: {} });
  assert.deepEqual(converted.properties.other, {});
});

test('the declaration becomes rows of a reference page', () => {
  const keys = referenceRows(SCHEMA).map(({ key }) => key);
  assert.deepEqual(keys.slice(0, 3), ['streams', 'streams.NAME.ShardCount', 'streams.NAME.Mode']);
  const table = referenceTable(struct({ a: string({ doc: 'One | two.' }), b: optional(notBuilt()) }), 'x');
  assert.deepEqual(table.split('\n'), [
    '| key | takes | required | what it does |',
    '|---|---|---|---|',
    '| `x` | a mapping | yes |  |',
    '| `x.a` | text | yes | One \\| two. |',
    '| `x.b` |  | no | Not built yet. |',
    '',
  ]);
});
