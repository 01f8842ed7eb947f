import {
  calculateObjectSize,
  Decimal128,
  Double,
  Int32,
  Long,
  ObjectId,
  deserialize,
  serialize,
  type Document,
} from 'bson';
import { PeerError, unsupported } from './errors.ts';

/** Numbers keep the type they came with, so that they go out as they came in. */
const KEEP_TYPES = { promoteValues: false, promoteLongs: false, promoteBuffers: false, bsonRegExp: true } as const;

/** A document from its bytes, with the types of its numbers. */
export function decodeDocument(bytes: Uint8Array): Document {
  return deserialize(bytes, KEEP_TYPES);
}

/** The bytes of a document. */
export function encodeDocument(document: Document): Uint8Array {
  return serialize(document, { ignoreUndefined: false });
}

/** A copy that shares nothing with the original. */
export function copyDocument(document: Document): Document {
  return decodeDocument(encodeDocument(document));
}

/** Whether a value is a document, and neither a list nor one of BSON's own types. */
export function isDocument(value: unknown): value is Document {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Date) &&
    !(value instanceof RegExp) &&
    !ArrayBuffer.isView(value) &&
    !('_bsontype' in value)
  );
}

/** The number a value holds, exactly; undefined when it is none. Decimal128 is refused: its arithmetic is its own. */
export function numberOf(value: unknown): number | bigint | undefined {
  if (typeof value === 'number') return value;
  if (value instanceof Int32 || value instanceof Double) return value.value;
  if (value instanceof Long) return value.toBigInt();
  if (value instanceof Decimal128) throw unsupported('arithmetic and order of Decimal128');
  return undefined;
}

/** The whole number that an option of a command holds; `name` is told to whoever gave something else. */
export function wholeNumber(value: unknown, name: string): number {
  const number = Number(numberOf(value) ?? Number.NaN);
  if (!Number.isSafeInteger(number)) throw new PeerError('TypeMismatch', `${name} must be a whole number`);
  return number;
}

/** Whether an option is on: a boolean, or a number other than 0. */
export function isOn(value: unknown): boolean {
  return typeof value === 'boolean' ? value : Number(numberOf(value) ?? 0) !== 0;
}

/** A text by which values are the same exactly when the server calls them equal, whatever the type of a number. */
export function keyOf(value: unknown): string {
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'boolean') return String(value);
  if (value instanceof Decimal128) return `decimal ${value.toString()}`;
  const number = numberOf(value);
  if (number !== undefined) return `number ${Number.isNaN(number) ? 'NaN' : plainNumber(number)}`;
  if (value instanceof ObjectId) return `id ${value.toHexString()}`;
  if (value instanceof Date) return `date ${value.getTime()}`;
  if (Array.isArray(value)) return `[${value.map(keyOf).join()}]`;
  if (isDocument(value)) {
    return `{${Object.entries(value)
      .map(([name, member]) => `${JSON.stringify(name)}:${keyOf(member)}`)
      .join()}}`;
  }
  return `bson ${Buffer.from(serialize({ value })).toString('hex')}`;
}

/** Equal numbers of different types get one text; -0 is 0. */
function plainNumber(number: number | bigint): string {
  return typeof number === 'number' && Number.isInteger(number) ? BigInt(number).toString() : String(number);
}

/** Whether two values are the same to the last byte, types of numbers included. */
export function areIdentical(one: unknown, other: unknown): boolean {
  return Buffer.from(serialize({ value: one })).equals(serialize({ value: other }));
}

/** The bytes of a document without making them. */
export function calculateBytes(document: Document): number {
  return calculateObjectSize(document);
}
