import type * as Driver from 'mongodb';
import type { DocumentText, RefusedDocument } from '../../ports/document-store.ts';

/** A document ready to be stored. */
export interface Parsed {
  readonly index: number;
  readonly filter: Driver.Document;
  readonly replacement: Driver.Document;
}

/** MongoDB's bound for a document, less what a key of ours may add. */
const DOCUMENT_BYTES_MAX = 16 * 1024 ** 2 - 1024;
/** Numbers grow most: from two characters to fifteen bytes, so smaller JSON cannot become too large. */
const LARGE_BYTES = 1024 ** 2;
const OBJECT_ID = /^[0-9a-fA-F]{24}$/;

/** Reads a document's JSON; what cannot be stored under its key is refused. */
export function parseDocument(
  { BSON }: typeof Driver,
  { json, fallbackId }: DocumentText,
  key: string,
  index: number,
): Parsed | RefusedDocument {
  const refuse = (code: string, message: string): RefusedDocument => ({ index, code: `MongoDB.${code}`, message });
  let document: unknown;
  try {
    document = BSON.EJSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json), { relaxed: true });
  } catch (error) {
    return refuse('InvalidDocument', `not a JSON document: ${error instanceof Error ? error.message : ''}`);
  }
  if (!isDocument(document)) return refuse('InvalidDocument', 'a document is a JSON object');
  // A driver would take it for an operator, and refuse all documents for it.
  const operator = Object.keys(document).find((name) => name.startsWith('$'));
  if (operator !== undefined) return refuse('InvalidDocument', `a document has no member ${operator}`);
  if (json.length > LARGE_BYTES && BSON.calculateObjectSize(document) > DOCUMENT_BYTES_MAX) {
    return refuse('BSONObjectTooLarge', `as BSON the document has more than ${DOCUMENT_BYTES_MAX} bytes`);
  }
  const given = document[key];
  if (given === undefined || given === null) {
    if (key !== '_id') return refuse('MissingKey', `the document has no ${key}`);
    return { index, filter: { _id: fallbackId }, replacement: { ...document, _id: fallbackId } };
  }
  const value = typeof given === 'string' && OBJECT_ID.test(given) ? new BSON.ObjectId(given) : given;
  // A pattern or an array would not find what it stores.
  if (value instanceof RegExp || value instanceof BSON.BSONRegExp || Array.isArray(value)) {
    return refuse('InvalidKey', `${key} is an array or a pattern`);
  }
  return { index, filter: { [key]: { $eq: value } }, replacement: { ...document, [key]: value } };
}

function isDocument(value: unknown): value is Driver.Document {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
