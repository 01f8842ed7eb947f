import { inspect } from 'node:util';
import { Binary, Decimal128, Double, Int32, Long, ObjectId, Timestamp } from 'bson';
import { isDocument } from './values.ts';

/** A value as the server writes it in its messages: `1`, `1.5`, `"a"`, `ObjectId('…')`. */
export function shellText(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  // A timestamp is a Long as well.
  if (value instanceof Timestamp) return `Timestamp(${value.high}, ${value.low})`;
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof Double) return double(value.valueOf());
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : double(value);
  if (value instanceof Int32 || value instanceof Long) return value.toString();
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value instanceof ObjectId) return `ObjectId('${value.toHexString()}')`;
  if (value instanceof Date) return `new Date(${value.getTime()})`;
  if (value instanceof Decimal128) return value.toString();
  if (value instanceof Binary) return binary(value);
  if (Array.isArray(value)) return `[ ${value.map(shellText).join(', ')} ]`;
  // What else BSON has is a class of the package, which writes itself.
  if (!isDocument(value)) return inspect(value);
  const members = Object.entries(value).map(([name, member]) => `${name}: ${shellText(member)}`);
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}

/** Doubles have a point, so that they are told from whole numbers. */
function double(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

function binary(value: Binary): string {
  if (value.sub_type === Binary.SUBTYPE_UUID) return `UUID("${value.toUUID().toString()}")`;
  return `BinData(${value.sub_type}, ${Buffer.from(value.value()).toString('hex').toUpperCase()})`;
}
