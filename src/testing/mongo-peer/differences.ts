import type { Document } from 'bson';
import { areIdentical, isDocument } from './values.ts';

/** What an update did, as change streams tell it. */
export interface Differences {
  readonly updatedFields: Document;
  readonly removedFields: string[];
  readonly truncatedArrays: { readonly field: string; readonly newSize: number }[];
}

/** The differences from one document to the next, by dotted paths; lists by their indexes, as the server's own. */
export function differencesOf(before: Document, after: Document): Differences {
  const found: Differences = { updatedFields: {}, removedFields: [], truncatedArrays: [] };
  compare(before, after, '', found);
  return found;
}

function compare(before: Document, after: Document, prefix: string, found: Differences): void {
  for (const name of Object.keys(before)) if (!Object.hasOwn(after, name)) found.removedFields.push(prefix + name);
  for (const [name, value] of Object.entries(after)) {
    const old: unknown = Object.hasOwn(before, name) ? before[name] : undefined;
    if (Object.hasOwn(before, name) && areIdentical(old, value)) continue;
    const path = prefix + name;
    if (isDocument(old) && isDocument(value)) compare(old, value, `${path}.`, found);
    else if (Array.isArray(old) && Array.isArray(value)) compareLists(old, value, path, found);
    else found.updatedFields[path] = value;
  }
}

function compareLists(before: unknown[], after: unknown[], path: string, found: Differences): void {
  if (after.length < before.length) found.truncatedArrays.push({ field: path, newSize: after.length });
  compare(byIndex(before.slice(0, after.length)), byIndex(after), `${path}.`, found);
}

function byIndex(list: readonly unknown[]): Document {
  return Object.fromEntries(list.entries());
}
