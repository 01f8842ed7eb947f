import { unreachable } from '../assert.ts';
import { decodeBase64, type Base64Arena } from '../bytes/base64.ts';
import { Defect, RequestError } from '../errors.ts';
import type { Members, NumberSchema, Schema } from './declare.ts';
import { lowerFirst, memberSchema, shorten } from './shapes.ts';

/**
 * Turns parsed JSON into what operations work with, or raises SerializationException at the first wrong type.
 * The sentences are those that AWS's own deserialiser answers.
 */
export type Decode = (value: unknown, arena: Base64Arena | undefined) => unknown;

const INTEGER_MAX = 2_147_483_647;
const NUMBER = 'class com.amazon.coral.value.json.numbers.TruncatingBigNumber';
const BOOLEAN = 'class java.lang.Boolean';
const STRING = 'class java.lang.String';

/**
 * How the protocol writes what JSON has no word for. `text`: bytes as base64, times as epoch seconds. `binary`: bytes
 * as such, times as epoch ms.
 */
export type AwsForm = 'text' | 'binary';

/** Compiles the decoder of a shape, once; `path` names the shape in the sentence about a word that is not built. */
export function compileDecode(schema: Schema, form: AwsForm, path = ''): Decode {
  switch (schema.kind) {
    case 'string':
      return decodeString;
    case 'integer':
    case 'long':
    case 'double':
      return decodeNumber(schema);
    case 'boolean':
      return decodeBoolean;
    case 'blob':
      return form === 'text' ? decodeBlob : takeBytes;
    case 'timestamp':
      return form === 'text' ? decodeSeconds : decodeMs;
    case 'list':
      return decodeList(compileDecode(schema.item, form, `${path}.member`));
    case 'map':
      return decodeMap(compileDecode(schema.value, form, `${path}.member`));
    case 'struct':
      return decodeStruct(schema.members, form, path);
    case 'any':
      return (value) => value;
    case 'either':
      return decodeEither(schema.of.map((choice) => compileDecode(choice, form, path)));
    case 'not-built':
      return () => {
        throw new RequestError('ValidationException', `Member '${path}' is not built yet`);
      };
    default:
      return unreachable(schema);
  }
}

function fault(sentence: string): RequestError {
  return new RequestError('SerializationException', sentence);
}

/** The fault of a list or structure that stands where neither fits. */
function misplaced(value: object): RequestError {
  if (value instanceof Uint8Array) return fault('Byte string found where not expected.');
  return fault(
    Array.isArray(value)
      ? 'Start of list found where not expected'
      : 'Start of structure or map found where not expected.',
  );
}

/** The fault of a value of a wrong type where a scalar is expected. */
function unconvertible(value: unknown, ending: string): RequestError {
  switch (typeof value) {
    case 'boolean':
      return fault(`${BOOLEAN} can not be converted to ${ending}`);
    case 'number':
      return fault(`${NUMBER} can not be converted to ${ending}`);
    case 'string':
      return fault(`${STRING} can not be converted to ${ending}`);
    case 'object':
      if (value !== null) return misplaced(value);
      break;
    default:
  }
  throw new Defect(`no JSON value: ${typeof value}`);
}

function decodeString(value: unknown): string {
  if (typeof value === 'string') return value;
  throw unconvertible(value, 'an String');
}

/** AWS cuts fractions off and takes numbers out of range as the nearest that fits, then checks the bounds. */
function decodeNumber(schema: NumberSchema): Decode {
  const name = { integer: 'Integer', long: 'Long', double: 'Double' }[schema.kind];
  // A long beyond what a number holds exactly is beyond every bound as well.
  const max = schema.kind === 'integer' ? INTEGER_MAX : Number.MAX_SAFE_INTEGER;
  const min = schema.kind === 'integer' ? -INTEGER_MAX - 1 : Number.MIN_SAFE_INTEGER;
  const isDouble = schema.kind === 'double';
  return (value) => {
    if (typeof value !== 'number' || (isDouble && !Number.isFinite(value))) throw unconvertible(value, `an ${name}`);
    if (isDouble) return value;
    // Adding zero turns a negative zero into zero.
    return Math.min(Math.max(Math.trunc(value), min), max) + 0;
  };
}

const WORDS: ReadonlyMap<string, boolean> = new Map([
  ['TRUE', true],
  ['YES', true],
  ['1', true],
  ['FALSE', false],
  ['NO', false],
  ['0', false],
]);

function decodeBoolean(value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') throw unconvertible(value, 'an Boolean');
  const word = shorten(value).toUpperCase();
  const known = WORDS.get(word);
  if (known === undefined) throw fault(`'${word}' can not be converted to an Boolean`);
  return known;
}

function decodeSeconds(value: unknown): number {
  return decodeMs(typeof value === 'number' ? value * 1000 : value);
}

function decodeMs(value: unknown): number {
  const ms = typeof value === 'number' ? Math.round(value) : NaN;
  // What no date can hold (ECMAScript: 8.64e15 ms) is no time either.
  if (Math.abs(ms) <= 8.64e15) return ms + 0;
  throw unconvertible(value, 'milliseconds since epoch');
}

function takeBytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw unconvertible(value, 'a Blob');
}

function decodeBlob(value: unknown, arena: Base64Arena | undefined): Uint8Array {
  if (typeof value !== 'string') throw unconvertible(value, 'a Blob');
  const bytes = decodeBase64(value, arena);
  if (bytes !== undefined) return bytes;
  throw fault(`'${shorten(value)}' can not be converted to a Blob: ${base64Fault(value)}`);
}

function base64Fault(text: string): string {
  if (text.length % 4 !== 0) {
    return `Base64 encoded length is expected a multiple of 4 bytes but found: ${text.length}`;
  }
  const foreign = /[^a-zA-Z0-9+/=]|=[^=]/u.exec(text)?.[0];
  if (foreign !== undefined) return `Invalid Base64 character: '${String.fromCodePoint(foreign.codePointAt(0) ?? 0)}'`;
  // AWS's own spelling.
  return 'Invalid last non-pad Base64 character dectected';
}

function decodeList(item: Decode): Decode {
  return (value, arena) => {
    if (!Array.isArray(value)) {
      throw typeof value === 'object' && value !== null ? misplaced(value) : fault('Expected list or null');
    }
    const given: readonly unknown[] = value;
    return given.map((one) => (one === null ? null : item(one, arena)));
  };
}

function decodeMap(entry: Decode): Decode {
  return (value, arena) => {
    if (typeof value !== 'object' || value === null) throw fault('Expected map or null');
    if (isNoMap(value)) throw misplaced(value);
    const decoded: Record<string, unknown> = {};
    for (const [key, one] of Object.entries(value)) {
      // Assigning `__proto__` would change the object's prototype instead of adding a key.
      Object.defineProperty(decoded, key, {
        value: one === null ? null : entry(one, arena),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
    return decoded;
  };
}

function isNoMap(value: object): boolean {
  return Array.isArray(value) || value instanceof Uint8Array;
}

function decodeStruct(members: Members, form: AwsForm, path: string): Decode {
  const parts = Object.entries(members).map(([name, member]) => ({
    name,
    decode: compileDecode(memberSchema(member), form, path === '' ? lowerFirst(name) : `${path}.${lowerFirst(name)}`),
  }));
  return (value, arena) => {
    if (typeof value !== 'object' || value === null) throw fault('Expected null');
    if (isNoMap(value)) throw misplaced(value);
    const given = value as Readonly<Record<string, unknown>>;
    const decoded: Record<string, unknown> = {};
    for (const { name, decode } of parts) {
      const one = given[name];
      if (one !== undefined && one !== null) decoded[name] = decode(one, arena);
    }
    return decoded;
  };
}

function decodeEither(choices: readonly Decode[]): Decode {
  return (value, arena) => {
    let first: unknown = new Defect('a choice without choices');
    for (const [index, decode] of choices.entries()) {
      try {
        return decode(value, arena);
      } catch (error) {
        if (index === 0) first = error;
      }
    }
    throw first;
  };
}
