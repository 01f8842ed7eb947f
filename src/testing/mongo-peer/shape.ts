import type { Document } from 'bson';
import { PeerError, unsupported } from './errors.ts';
import { compareValues } from './order.ts';
import { partsOf, setAt, unsetAt, valueAt, valuesAt } from './paths.ts';
import { copyDocument, isDocument, isOn, numberOf } from './values.ts';

/** Documents in the order that `sort` asks for; where it says nothing, as they came. */
export function sorted(documents: readonly Document[], sort: unknown): Document[] {
  if (sort === undefined) return [...documents];
  if (!isDocument(sort)) throw new PeerError('TypeMismatch', 'sort must be a document');
  const rules = Object.entries(sort).map(([path, way]) => {
    const direction = Number(numberOf(way) ?? 0);
    if (Math.abs(direction) !== 1) throw unsupported(`the sort order of '${path}'`);
    return { parts: partsOf(path), direction };
  });
  return [...documents].sort((one, other) => {
    for (const { parts, direction } of rules) {
      const result = compareValues(sortKey(one, parts, direction), sortKey(other, parts, direction));
      if (result !== 0) return result * direction;
    }
    return 0;
  });
}

/** Of a list, the member that comes first in the direction. An empty one sorts before null; no value is null. */
function sortKey(document: Document, parts: readonly string[], direction: number): unknown {
  const keys = valuesAt(document, parts).flatMap((value): readonly unknown[] => {
    if (!Array.isArray(value)) return [value ?? null];
    return value.length === 0 ? [undefined] : value;
  });
  if (keys.length === 0) return null;
  return keys.reduce((first, key) => (compareValues(key, first) * direction < 0 ? key : first));
}

/** What a projection leaves of a document. Only what keeps or drops whole members is known. */
export function projected(document: Document, projection: unknown): Document {
  if (projection === undefined) return document;
  if (!isDocument(projection)) throw new PeerError('TypeMismatch', 'projection must be a document');
  const entries = Object.entries(projection).map(([path, wanted]) => {
    if (typeof wanted !== 'boolean' && numberOf(wanted) === undefined) throw unsupported(`the projection of '${path}'`);
    return [path, isOn(wanted)] as const;
  });
  if (entries.length === 0) return document;
  const others = entries.filter(([path]) => path !== '_id');
  const keepsId = entries.find(([path]) => path === '_id')?.[1] ?? true;
  const isInclusion = (others[0] ?? entries[0])?.[1] ?? true;
  if (others.some(([, wanted]) => wanted !== isInclusion)) {
    throw new PeerError('BadValue', 'a projection either keeps or drops');
  }
  const paths = others.map(([path]) => path);
  return isInclusion ? kept(document, keepsId ? ['_id', ...paths] : paths) : dropped(document, paths, keepsId);
}

function kept(document: Document, paths: readonly string[]): Document {
  const result: Document = {};
  for (const path of paths) {
    refuseLists(document, path);
    keepWay(document, path, result);
    const value = valueAt(document, path);
    if (value !== undefined) setAt(result, path, value);
  }
  // Members stay in the order of the document, whatever that of the projection.
  const names = Object.keys(document).filter((name) => Object.hasOwn(result, name));
  return Object.fromEntries(names.map((name) => [name, result[name] as unknown]));
}

/** The documents on the way to a member are kept, also where it is not there. */
function keepWay(document: Document, path: string, result: Document): void {
  const parts = partsOf(path);
  for (let count = 1; count < parts.length; count += 1) {
    const way = parts.slice(0, count).join('.');
    if (isDocument(valueAt(document, way)) && valueAt(result, way) === undefined) setAt(result, way, {});
  }
}

function dropped(document: Document, paths: readonly string[], keepsId: boolean): Document {
  const result = copyDocument(document);
  for (const path of keepsId ? paths : ['_id', ...paths]) {
    refuseLists(document, path);
    unsetAt(result, path);
  }
  return result;
}

/** Members of documents inside lists would be projected one by one. */
function refuseLists(document: Document, path: string): void {
  const parts = partsOf(path);
  for (let count = 1; count < parts.length; count += 1) {
    if (Array.isArray(valueAt(document, parts.slice(0, count).join('.')))) {
      throw unsupported(`the projection of '${path}' through a list`);
    }
  }
}
