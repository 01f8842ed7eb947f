import type { Document } from 'bson';
import { PeerError, unsupported } from './errors.ts';
import { isDocument } from './values.ts';

const INDEX = /^(0|[1-9]\d{0,6})$/;
/** The server's own bound on how far a list may be padded. */
const LIST_LENGTH_MAX = 1_500_000;

/** The parts of a dotted path; empty parts and positional operators are refused. */
export function partsOf(path: string): string[] {
  const parts = path.split('.');
  if (parts.includes('')) throw new PeerError('BadValue', `the path '${path}' has an empty part`);
  if (parts.some((part) => part.startsWith('$'))) throw unsupported(`the path '${path}'`);
  return parts;
}

/** All values at a path, lists on the way looked through; undefined stands for a place without a value. */
export function valuesAt(value: unknown, parts: readonly string[]): unknown[] {
  const [part, ...rest] = parts;
  if (part === undefined) return [value];
  if (Array.isArray(value)) {
    const own = INDEX.test(part) && Number(part) < value.length ? valuesAt(value[Number(part)], rest) : [];
    return [...own, ...value.filter(isDocument).flatMap((member) => valuesAt(member, parts))];
  }
  return isDocument(value) && Object.hasOwn(value, part) ? valuesAt(value[part], rest) : [undefined];
}

/** The one value at a path where a list is entered only by an index: what an update sees. */
export function valueAt(document: Document, path: string): unknown {
  let at: unknown = document;
  for (const part of partsOf(path)) {
    const isWay = Array.isArray(at) ? INDEX.test(part) : isDocument(at);
    if (!isWay || !Object.hasOwn(at as object, part)) return undefined;
    at = (at as Document)[part];
  }
  return at;
}

/** Puts a value at a path, with the documents on the way; PathNotViable where something else is in the way. */
export function setAt(document: Document, path: string, value: unknown): void {
  const parts = partsOf(path);
  const last = parts.pop() ?? '';
  let at: unknown = document;
  for (const part of parts) {
    const holder = enter(at, part, path);
    if (!Object.hasOwn(holder, part) || holder[part] === undefined) put(holder, part, {});
    at = holder[part];
  }
  put(enter(at, last, path), last, value);
}

/** Takes the value at a path away; in a list, null takes its place. */
export function unsetAt(document: Document, path: string): void {
  const parts = partsOf(path);
  const last = parts.pop() ?? '';
  const holder = parts.length === 0 ? document : valueAt(document, parts.join('.'));
  if (Array.isArray(holder)) {
    if (INDEX.test(last) && Number(last) < holder.length) holder[Number(last)] = null;
  } else if (isDocument(holder)) {
    delete holder[last];
  }
}

function enter(at: unknown, part: string, path: string): Document {
  if (isDocument(at)) return at;
  if (Array.isArray(at) && INDEX.test(part) && Number(part) < LIST_LENGTH_MAX) {
    while (at.length < Number(part)) at.push(null);
    return at;
  }
  throw new PeerError('PathNotViable', `Cannot create field '${part}' in the way of '${path}'`);
}

/** `__proto__` is a name as any other. */
function put(holder: Document, name: string, value: unknown): void {
  Object.defineProperty(holder, name, { value, writable: true, enumerable: true, configurable: true });
}
