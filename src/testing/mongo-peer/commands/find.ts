import { Int32, type Document } from 'bson';
import { ListCursor, cursorAnswer } from '../cursors.ts';
import { PeerError, unsupported } from '../errors.ts';
import { partsOf, valuesAt } from '../paths.ts';
import { projected, sorted } from '../shape.ts';
import { isOn, keyOf, wholeNumber } from '../values.ts';
import { collectionOf, documentIn, type Call, type Command } from './command.ts';

/** As servers do where the client names no size. */
const FIRST_BATCH_SIZE = 101;

/** Documents by a filter, sorted, skipped, limited and projected. */
export const find: Command = {
  fields: [
    'filter',
    'sort',
    'projection',
    'skip',
    'limit',
    'batchSize',
    'singleBatch',
    'noCursorTimeout',
    'allowDiskUse',
  ],
  run(call) {
    const { body, database, state } = call;
    const name = collectionOf(call, 'find');
    const limit = amount(body, 'limit');
    const found = sorted(state.store.find(database, name, documentIn(body, 'filter')), body['sort']);
    const from = amount(body, 'skip');
    const documents = found.slice(from, limit === 0 ? undefined : from + limit);
    const shown = documents.map((document) => projected(document, body['projection']));
    return openList(call, `${database}.${name}`, shown, body['batchSize'], isOn(body['singleBatch'] ?? false));
  },
};

/** How many documents fit. */
export const count: Command = {
  fields: ['query', 'limit', 'skip'],
  run(call) {
    const { body, database, state } = call;
    const found = state.store.find(database, collectionOf(call, 'count'), documentIn(body, 'query')).length;
    const left = Math.max(0, found - amount(body, 'skip'));
    const limit = Math.abs(wholeNumber(body['limit'] ?? 0, 'limit'));
    return { n: new Int32(limit === 0 ? left : Math.min(limit, left)) };
  },
};

/** The different values of a member, lists taken apart. */
export const distinct: Command = {
  fields: ['key', 'query'],
  run(call) {
    const { body, database, state } = call;
    const key: unknown = body['key'];
    if (typeof key !== 'string') throw new PeerError('TypeMismatch', 'key must be a text');
    const values = new Map<string, unknown>();
    for (const document of state.store.find(database, collectionOf(call, 'distinct'), documentIn(body, 'query'))) {
      for (const value of valuesAt(document, partsOf(key)).flatMap((one) =>
        Array.isArray(one) ? (one as unknown[]) : [one],
      )) {
        if (value !== undefined && !values.has(keyOf(value))) values.set(keyOf(value), value);
      }
    }
    return { values: [...values.values()] };
  },
};

/** The first batch of documents, and a cursor when there are more. */
export function openList(
  { state }: Call,
  namespace: string,
  documents: readonly Document[],
  batchSize: unknown,
  isSingle = false,
): Document {
  const size = wholeNumber(batchSize ?? FIRST_BATCH_SIZE, 'batchSize');
  if (size < 0) throw new PeerError('BadValue', 'batchSize must not be negative');
  const cursor = new ListCursor(namespace, documents);
  const batch = cursor.next(size);
  const isOver = batch.isOver || isSingle;
  return cursorAnswer({ ...batch, isOver }, 'firstBatch', namespace, isOver ? 0n : state.cursors.add(cursor));
}

function amount(body: Document, name: string): number {
  const value = wholeNumber(body[name] ?? 0, name);
  if (value < 0) throw unsupported(`a negative ${name}`);
  return value;
}
