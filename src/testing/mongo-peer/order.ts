import { Binary, BSONRegExp, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import { unsupported } from './errors.ts';
import { isDocument, numberOf } from './values.ts';

/** Classes of types in the order in which the server sorts them (manual: BSON comparison order). */
const RANKS = {
  minKey: 0,
  missing: 1,
  null: 2,
  number: 3,
  string: 4,
  document: 5,
  list: 6,
  binary: 7,
  objectId: 8,
  boolean: 9,
  date: 10,
  timestamp: 11,
  regularExpression: 12,
  maxKey: 13,
} as const;

/** The place of a value's type among all types; comparison operators look only at values of the operand's own. */
export function rankOf(value: unknown): number {
  if (value === undefined) return RANKS.missing;
  if (value === null) return RANKS.null;
  if (typeof value === 'string') return RANKS.string;
  if (typeof value === 'boolean') return RANKS.boolean;
  if (Array.isArray(value)) return RANKS.list;
  if (value instanceof Date) return RANKS.date;
  // A timestamp is a kind of Long to its library.
  if (value instanceof Timestamp) return RANKS.timestamp;
  if (value instanceof MinKey) return RANKS.minKey;
  if (value instanceof MaxKey) return RANKS.maxKey;
  if (value instanceof Binary) return RANKS.binary;
  if (value instanceof ObjectId) return RANKS.objectId;
  if (value instanceof BSONRegExp) return RANKS.regularExpression;
  if (isDocument(value)) return RANKS.document;
  if (numberOf(value) !== undefined) return RANKS.number;
  throw unsupported('the order of values of this type');
}

/** Below 0, 0 or above 0, in the server's order of values. */
export function compareValues(one: unknown, other: unknown): number {
  const rank = rankOf(one);
  if (rank !== rankOf(other)) return rank - rankOf(other);
  if (rank === RANKS.number) return compareNumbers(numberOf(one) ?? 0, numberOf(other) ?? 0);
  if (Array.isArray(one) && Array.isArray(other)) return compareLists(one, other);
  if (one instanceof Date && other instanceof Date) return one.getTime() - other.getTime();
  if (one instanceof Timestamp && other instanceof Timestamp) return one.compare(other);
  if (one instanceof ObjectId && other instanceof ObjectId) return Buffer.compare(one.id, other.id);
  if (one instanceof Binary && other instanceof Binary) return compareBinaries(one, other);
  if (isDocument(one) && isDocument(other)) return compareDocuments(one, other);
  if (typeof one === 'string' && typeof other === 'string') return compareStrings(one, other);
  if (typeof one === 'boolean') return Number(one) - Number(other);
  if (one instanceof BSONRegExp && other instanceof BSONRegExp) {
    return compareStrings(`${one.pattern}\0${one.options}`, `${other.pattern}\0${other.options}`);
  }
  return 0;
}

/** Whether the server calls two values equal. */
export function areEqual(one: unknown, other: unknown): boolean {
  return rankOf(one) === rankOf(other) && compareValues(one, other) === 0;
}

function compareNumbers(one: number | bigint, other: number | bigint): number {
  const [isOneOff, isOtherOff] = [Number.isNaN(one), Number.isNaN(other)];
  if (isOneOff || isOtherOff) return Number(isOtherOff) - Number(isOneOff);
  if (one < other) return -1;
  return one > other ? 1 : 0;
}

/** By bytes of UTF-8, as a server without a collation. */
function compareStrings(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

function compareBinaries(one: Binary, other: Binary): number {
  const [oneBytes, otherBytes] = [Buffer.from(one.value()), Buffer.from(other.value())];
  return oneBytes.length - otherBytes.length || one.sub_type - other.sub_type || Buffer.compare(oneBytes, otherBytes);
}

function compareLists(one: readonly unknown[], other: readonly unknown[]): number {
  for (let index = 0; index < Math.min(one.length, other.length); index += 1) {
    const result = compareValues(one[index], other[index]);
    if (result !== 0) return result;
  }
  return one.length - other.length;
}

/** Member after member: the type, then the name, then the value. */
function compareDocuments(one: object, other: object): number {
  const [left, right] = [Object.entries(one), Object.entries(other)];
  for (let index = 0; index < Math.min(left.length, right.length); index += 1) {
    const [name, value] = left[index] ?? ['', undefined];
    const [otherName, otherValue] = right[index] ?? ['', undefined];
    const result =
      rankOf(value) - rankOf(otherValue) || compareStrings(name, otherName) || compareValues(value, otherValue);
    if (result !== 0) return result;
  }
  return left.length - right.length;
}
