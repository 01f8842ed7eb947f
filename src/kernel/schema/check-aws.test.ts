import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { RequestError } from '../errors.ts';
import { compileFits } from './aws-fits.ts';
import { compileDecode } from './aws-types.ts';
import { awsViolations } from './aws-violations.ts';
import { checkAws, compileAwsCheck } from './check-aws.ts';
import {
  any, blob, boolean, double, either, integer, list, long, map, notBuilt, optional, string, struct, timestamp,
  type Schema,
} from './declare.ts'; // prettier-ignore

const STREAM = { pattern: '[a-zA-Z0-9_.-]+', min: 1, max: 128 };
const PUT = struct({
  Records: list(
    struct(
      {
        PartitionKey: string({ min: 1, max: 256 }),
        ExplicitHashKey: optional(string({ pattern: '0|([1-9]\\d{0,38})' })),
        Data: blob({ max: 1_048_576 }),
      },
      { name: 'PutRecordsRequestEntry' },
    ),
    { min: 1, max: 500 },
  ),
  StreamName: string(STREAM),
});
const TAGS = struct({
  Tags: optional(map(string({ min: 0, max: 256 }), { key: string({ min: 1, max: 128 }), min: 1, max: 10 })),
  TagKeys: optional(list(string({ min: 1, max: 128 }), { min: 1, max: 10 })),
});
const ALL = struct({
  Integer: optional(integer({ min: -5, max: 10_000 })),
  Free: optional(integer()),
  Long: optional(long()),
  Double: optional(double()),
  Boolean: optional(boolean()),
  Timestamp: optional(timestamp()),
  Text: optional(string()),
  Blob: optional(blob()),
  List: optional(list(string())),
  Map: optional(map(string())),
  Struct: optional(struct({ Inner: optional(string({ values: ['A', 'B'] })) })),
  Anything: optional(any()),
  Password: optional(string({ max: 3, secret: true })),
  Later: optional(notBuilt()),
});

function refusal(schema: Schema, value: unknown): string {
  try {
    checkAws(schema, value);
  } catch (error) {
    assert.ok(error instanceof RequestError, String(error));
    assert.equal(error.status, 400);
    return `${error.code}: ${error.message}`;
  }
  return 'accepted';
}

const BIG = 'class com.amazon.coral.value.json.numbers.TruncatingBigNumber';
const IN_LIST = 'Start of list found where not expected';
const IN_STRUCT = 'Start of structure or map found where not expected.';

/** Recorded from AWS by kinesalite's test suite, but for rows of Infinity, which no recording has. */
const WRONG_TYPES: Readonly<Record<string, readonly (readonly [unknown, string])[]>> = {
  Text: [
    [true, 'class java.lang.Boolean can not be converted to an String'],
    [23, `${BIG} can not be converted to an String`],
    [34.56, `${BIG} can not be converted to an String`],
    [[], IN_LIST],
    [{}, IN_STRUCT],
  ],
  Integer: [
    ['23', 'class java.lang.String can not be converted to an Integer'],
    [true, 'class java.lang.Boolean can not be converted to an Integer'],
    [[], IN_LIST],
    [{}, IN_STRUCT],
  ],
  Long: [['23', 'class java.lang.String can not be converted to an Long']],
  Double: [
    ['23', 'class java.lang.String can not be converted to an Double'],
    [Infinity, `${BIG} can not be converted to an Double`],
  ],
  Boolean: [
    ['23', "'23' can not be converted to an Boolean"],
    ['hello', "'HELLO' can not be converted to an Boolean"],
    [23, `${BIG} can not be converted to an Boolean`],
    [[], IN_LIST],
    [{}, IN_STRUCT],
  ],
  Timestamp: [
    ['23', 'class java.lang.String can not be converted to milliseconds since epoch'],
    [true, 'class java.lang.Boolean can not be converted to milliseconds since epoch'],
    [Infinity, `${BIG} can not be converted to milliseconds since epoch`],
    [-1e300, `${BIG} can not be converted to milliseconds since epoch`],
    [[], IN_LIST],
  ],
  Blob: [
    [true, 'class java.lang.Boolean can not be converted to a Blob'],
    [23, `${BIG} can not be converted to a Blob`],
    [[], IN_LIST],
    [{}, IN_STRUCT],
    [
      '23456',
      "'23456' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 bytes but found: 5",
    ],
    ['=+/=', "'=+/=' can not be converted to a Blob: Invalid Base64 character: '='"],
    ['+/+=', "'+/+=' can not be converted to a Blob: Invalid last non-pad Base64 character dectected"],
    ['AA-_', "'AA-_' can not be converted to a Blob: Invalid Base64 character: '-'"],
    ['AA A', "'AA A' can not be converted to a Blob: Invalid Base64 character: ' '"],
    ['AA😀', "'AA😀' can not be converted to a Blob: Invalid Base64 character: '😀'"],
  ],
  List: [
    ['23', 'Expected list or null'],
    [true, 'Expected list or null'],
    [23, 'Expected list or null'],
    [{}, IN_STRUCT],
    [[3], `${BIG} can not be converted to an String`],
  ],
  Map: [
    ['23', 'Expected map or null'],
    [23, 'Expected map or null'],
    [[], IN_LIST],
    [{ a: 1 }, `${BIG} can not be converted to an String`],
  ],
  Struct: [
    ['23', 'Expected null'],
    [false, 'Expected null'],
    [[], IN_LIST],
  ],
};

test('wrong types are SerializationExceptions in the words of AWS', () => {
  for (const [member, rows] of Object.entries(WRONG_TYPES)) {
    for (const [value, sentence] of rows) {
      assert.equal(refusal(ALL, { [member]: value }), `SerializationException: ${sentence}`, member);
    }
  }
  for (const body of [null, 23, 'text', true]) assert.equal(refusal(PUT, body), 'SerializationException: ');
  assert.equal(refusal(PUT, []), `SerializationException: ${IN_LIST}`);
});

test('a wrong type anywhere comes before every violation', () => {
  assert.equal(
    refusal(PUT, { Records: [{ Data: 5 }] }),
    `SerializationException: ${BIG} can not be converted to a Blob`,
  );
});

const at = (value: string | null, path: string, constraint: string): string =>
  `Value ${value === null ? 'null' : `'${value}'`} at '${path}' failed to satisfy constraint: ${constraint}`;
const MIN = 'Member must have length greater than or equal to 1';
const PATTERN = 'Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+';
const HASH = 'Member must satisfy regular expression pattern: 0|([1-9]\\d{0,38})';
const KEY_MAX = 'Member must have length less than or equal to 256';
const NAMED = { StreamName: 'a' };

const VIOLATIONS: readonly (readonly [Schema, unknown, ...string[]])[] = [
  [PUT, {}, at(null, 'records', 'Member must not be null'), at(null, 'streamName', 'Member must not be null')],
  [PUT, { Records: null, ...NAMED }, at(null, 'records', 'Member must not be null')],
  [
    PUT,
    { StreamName: '', Records: [] },
    at('[]', 'records', MIN),
    at('', 'streamName', PATTERN),
    at('', 'streamName', MIN),
  ],
  [
    PUT,
    { ...NAMED, Records: [{ PartitionKey: '', Data: '', ExplicitHashKey: '' }] },
    at('', 'records.1.member.partitionKey', MIN),
    at('', 'records.1.member.explicitHashKey', HASH),
  ],
  [
    PUT,
    {
      ...NAMED,
      Records: [
        { PartitionKey: 'k', Data: '' },
        { PartitionKey: 'x'.repeat(257), Data: '' },
      ],
    },
    at('x'.repeat(257), 'records.2.member.partitionKey', KEY_MAX),
  ],
  [
    PUT,
    { ...NAMED, Records: [{ PartitionKey: 'k', Data: Buffer.alloc(1_048_577).toString('base64') }] },
    at(
      'java.nio.HeapByteBuffer[pos=0 lim=1048577 cap=1048577]',
      'records.1.member.data',
      'Member must have length less than or equal to 1048576',
    ),
  ],
  [PUT, { ...NAMED, Records: [null] }, at(null, 'records.1.member', 'Member must not be null')],
  [
    PUT,
    { ...NAMED, Records: [{}] },
    at(null, 'records.1.member.partitionKey', 'Member must not be null'),
    at(null, 'records.1.member.data', 'Member must not be null'),
  ],
  [
    TAGS,
    { Tags: {}, TagKeys: ['a', 'b'.repeat(129), 'c'] },
    at('{}', 'tags', MIN),
    at(
      `[a, ${'b'.repeat(129)}, c]`,
      'tagKeys',
      `Member must satisfy constraint: [Member must have length less than or equal to 128, ${MIN}]`,
    ),
  ],
  [
    TAGS,
    { Tags: { a: '1', ['k'.repeat(129)]: '2' } },
    at(
      `{a=1, ${'k'.repeat(129)}=2}`,
      'tags',
      `Map keys must satisfy constraint: [Member must have length less than or equal to 128, ${MIN}]`,
    ),
  ],
  [
    TAGS,
    { Tags: { a: 'v'.repeat(257) } },
    at(
      `{a=${'v'.repeat(257)}}`,
      'tags',
      `Map value must satisfy constraint: [${KEY_MAX}, Member must have length greater than or equal to 0]`,
    ),
  ],
  [
    ALL,
    { Integer: 100_000_000_000 },
    at('2147483647', 'integer', 'Member must have value less than or equal to 10000'),
  ],
  [ALL, { Integer: -6.9 }, at('-6', 'integer', 'Member must have value greater than or equal to -5')],
  [ALL, { Struct: { Inner: 'C' } }, at('C', 'struct.inner', 'Member must satisfy enum value set: [A, B]')],
  [ALL, { Password: 'geheim' }, at('***', 'password', 'Member must have length less than or equal to 3')],
];

test('violations are collected in declared order, in the words of AWS', () => {
  for (const [schema, value, ...sentences] of VIOLATIONS) {
    const errors = sentences.length === 1 ? 'error' : 'errors';
    const wanted = `ValidationException: ${sentences.length} validation ${errors} detected: ${sentences.join('; ')}`;
    assert.equal(refusal(schema, value), wanted);
  }
});

test('at most ten violations are named, and a list prints its structures as AWS does', () => {
  const records = Array.from({ length: 501 }, () => ({ PartitionKey: '', Data: 'AAAA' }));
  const found = refusal(PUT, { StreamName: '', Records: records }).split('; ');
  const entry =
    'PutRecordsRequestEntry(data=java.nio.HeapByteBuffer[pos=0 lim=3 cap=3], explicitHashKey=null, partitionKey=)';
  assert.equal(found.length, 10);
  assert.ok(found[0]?.startsWith(`ValidationException: 10 validation errors detected: Value '[${entry}, ${entry}, `));
  assert.ok(
    found[0]?.endsWith("at 'records' failed to satisfy constraint: Member must have length less than or equal to 500"),
  );
  assert.equal(found[9], at('', 'records.9.member.partitionKey', MIN));
});

test('sentences stay bounded however long the values are', () => {
  const key = 'x'.repeat(1_000_000);
  const message = refusal(PUT, {
    StreamName: key,
    Records: Array.from({ length: 501 }, () => ({ PartitionKey: key, Data: '' })),
  });
  assert.ok(message.length < 11 * 70_000);
});

test('values are decoded: bytes, milliseconds, truncated numbers; null is absent; unknown members are dropped', () => {
  const decoded = checkAws(ALL, {
    Integer: 1.9, Free: Infinity, Long: -1e30, Double: 0.5, Boolean: 'Yes', Timestamp: 1_700_000_000.1234, Text: 'é\ud800',
    Blob: 'AAE=', List: ['a'], Map: JSON.parse('{"__proto__":"x","b":"y"}') as unknown, Struct: { Inner: null, Other: 1 },
    Anything: { a: [1] }, Unknown: 5, Later: null,
  }) as Record<string, unknown>; // prettier-ignore
  assert.deepEqual(Object.keys(decoded.Map as object), ['__proto__', 'b']);
  const { Map: _, ...rest } = decoded;
  assert.deepEqual(rest, {
    Integer: 1, Free: 2_147_483_647, Long: Number.MIN_SAFE_INTEGER, Double: 0.5, Boolean: true,
    Timestamp: 1_700_000_000_123, Text: 'é\ud800', Blob: Buffer.from([0, 1]), List: ['a'], Struct: {}, Anything: { a: [1] },
  }); // prettier-ignore
  assert.ok(Object.is((checkAws(ALL, { Integer: -0.5 }) as { Integer: number }).Integer, 0));
});

test('bounds count characters, not units or bytes', () => {
  const put = (PartitionKey: string): string => refusal(PUT, { ...NAMED, Records: [{ PartitionKey, Data: '' }] });
  assert.equal(put('€'.repeat(256)), 'accepted');
  assert.equal(put('😀'.repeat(256)), 'accepted');
  assert.match(put('😀'.repeat(257)), /^ValidationException/);
  assert.match(put('a'.repeat(600)), /^ValidationException/);
});

test('a word that is not built is named, a choice takes the first that fits', () => {
  assert.equal(refusal(ALL, { Later: {} }), "ValidationException: Member 'later' is not built yet");
  const choice = struct({ A: either([integer(), struct({ B: string() })]) });
  assert.deepEqual(checkAws(choice, { A: { B: 'x' } }), { A: { B: 'x' } });
  assert.match(refusal(choice, { A: 'x' }), /java\.lang\.String can not be converted to an Integer$/);
});

test('no JSON value raises anything but a refusal, and the two questions agree', () => {
  const values = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        Integer: fc.oneof(fc.double(), fc.jsonValue()), Free: fc.double(), Long: fc.double(), Text: fc.string({ unit: 'binary' }),
        Boolean: fc.jsonValue(), Timestamp: fc.double(), Blob: fc.string(), List: fc.array(fc.jsonValue()),
        Map: fc.dictionary(fc.string(), fc.option(fc.string())), Struct: fc.record({ Inner: fc.constantFrom('A', 'C', null) }),
        Password: fc.string(), Records: fc.array(fc.record({ PartitionKey: fc.string(), Data: fc.base64String() }, { requiredKeys: [] })),
        StreamName: fc.string(), Tags: fc.dictionary(fc.string(), fc.option(fc.string())), TagKeys: fc.array(fc.option(fc.string())),
      },
      { requiredKeys: [] },
    ),
  ); // prettier-ignore
  fc.assert(
    fc.property(fc.constantFrom<Schema>(ALL, PUT, TAGS), values, (schema, value) => {
      refusal(schema, value);
      let decoded: unknown;
      try {
        decoded = compileDecode(schema, 'text')(value, undefined);
      } catch {
        return;
      }
      assert.equal(compileFits(schema)?.(decoded) ?? true, awsViolations(schema, decoded).length === 0);
    }),
    { numRuns: 1000 },
  );
});

test('many blobs of one body share one allocation', () => {
  const Data = Buffer.alloc(1024, 7).toString('base64');
  const body = { ...NAMED, Records: Array.from({ length: 50 }, (_, index) => ({ PartitionKey: `k${index}`, Data })) };
  const { Records } = compileAwsCheck(PUT)(body, JSON.stringify(body).length);
  assert.equal(new Set(Records.map((record) => record.Data.buffer)).size, 1);
  assert.ok(Records.every((record) => Buffer.compare(record.Data, Buffer.alloc(1024, 7)) === 0));
});
