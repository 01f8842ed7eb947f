import type { AnyBulkWriteOperation, Document, UpdateFilter } from 'mongodb';

/** Whether an update has operators: lists are pipelines, which are operators, too. */
export function hasOperators(update: unknown): update is UpdateFilter<Document> {
  if (Array.isArray(update)) return true;
  return Object.keys(documentOf(update, 'an update'))[0]?.startsWith('$') ?? false;
}

/** Throws a TypeError where a document is needed and something else is given. */
export function documentOf(value: unknown, what: string): Document {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new TypeError(`${what} must be a document`);
}

/** One update of a bulk. Without operators it replaces the document: functions of that service rely on it. */
export function updateModel(filter: Document, update: unknown, isUpsert: boolean): AnyBulkWriteOperation {
  return hasOperators(update)
    ? { updateOne: { filter, update, upsert: isUpsert } }
    : { replaceOne: { filter, replacement: documentOf(update, 'an update'), upsert: isUpsert } };
}
