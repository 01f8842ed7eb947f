import type { AnyBulkWriteOperation, BulkWriteResult, Collection, Document, UpdateResult } from 'mongodb';
import { foundDocuments } from './found-documents.ts';
import { knownMembers } from './known-members.ts';
import type { Pending } from './pending.ts';
import { documentOf, hasOperators, updateModel } from './writes.ts';

/** The driver's collection; connects with its first operation. */
export type OpenCollection = () => Collection;

type Act = (collection: Collection, ...values: never[]) => Promise<unknown>;

interface FindAndChange {
  readonly sort?: Document;
  readonly projection?: Document;
  readonly upsert?: boolean;
  readonly returnNewDocument?: boolean;
}

/** A collection with the methods, arguments and results that functions know; they differ from the driver's. */
export function collectionFace(open: OpenCollection, pending: Pending, others: object): object {
  const acts = Object.entries(ACTS).map(([name, act]) => {
    const run = async (values: readonly unknown[]): Promise<unknown> => await act(open(), ...(values as never[]));
    return [name, (...values: unknown[]) => pending.track(run(values))] as const;
  });
  return knownMembers(
    {
      ...Object.fromEntries(acts),
      find: (filter: Document = {}, projection?: Document, options: Document = {}) =>
        foundDocuments(() => open().find(filter, { ...options, ...shown(projection) }), pending, true),
      aggregate: (stages: Document[]) => foundDocuments(() => open().aggregate(stages), pending, false),
      ...others,
    },
    'collection',
  );
}

/** What a bulk did, in numbers, and by places the _ids of what is new. */
export function bulkResult(result: BulkWriteResult): object {
  const { insertedCount, matchedCount, modifiedCount, deletedCount, upsertedCount } = result;
  const { insertedIds, upsertedIds } = result;
  return { insertedCount, matchedCount, modifiedCount, deletedCount, upsertedCount, insertedIds, upsertedIds };
}

const ACTS: Readonly<Record<string, Act>> = {
  async findOne(collection, filter: Document = {}, projection?: Document, options: Document = {}) {
    return await collection.findOne(filter, { ...options, ...shown(projection) });
  },
  async findOneAndUpdate(collection, filter: Document, update: unknown, options: FindAndChange = {}) {
    return hasOperators(update)
      ? await collection.findOneAndUpdate(filter, update, changeOptions(options))
      : await collection.findOneAndReplace(filter, documentOf(update, 'an update'), changeOptions(options));
  },
  async findOneAndReplace(collection, filter: Document, replacement: unknown, options: FindAndChange = {}) {
    const document = documentOf(replacement, 'a replacement');
    return await collection.findOneAndReplace(filter, document, changeOptions(options));
  },
  async findOneAndDelete(collection, filter: Document, { sort, projection }: FindAndChange = {}) {
    return await collection.findOneAndDelete(filter, { ...(sort !== undefined && { sort }), ...shown(projection) });
  },
  async insertOne(collection, document: unknown) {
    const { insertedId } = await collection.insertOne(documentOf(document, 'what is inserted'));
    return { insertedId };
  },
  async insertMany(collection, documents: Document[], options: Document = {}) {
    const { insertedIds } = await collection.insertMany(documents, options);
    return { insertedIds: Object.values(insertedIds) };
  },
  async updateOne(collection, filter: Document, update: unknown, options: Document = {}) {
    return hasOperators(update)
      ? updateResult(await collection.updateOne(filter, update, options))
      : updateResult(await collection.replaceOne(filter, documentOf(update, 'an update'), options));
  },
  async updateMany(collection, filter: Document, update: Document, options: Document = {}) {
    return updateResult(await collection.updateMany(filter, update, options));
  },
  async replaceOne(collection, filter: Document, replacement: unknown, options: Document = {}) {
    return updateResult(await collection.replaceOne(filter, documentOf(replacement, 'a replacement'), options));
  },
  async deleteOne(collection, filter: Document) {
    return { deletedCount: (await collection.deleteOne(filter)).deletedCount };
  },
  async deleteMany(collection, filter: Document) {
    return { deletedCount: (await collection.deleteMany(filter)).deletedCount };
  },
  async count(collection, filter: Document = {}, options: Document = {}) {
    return await collection.countDocuments(filter, options);
  },
  async distinct(collection, key: string, filter: Document = {}) {
    return await collection.distinct(key, filter);
  },
  async bulkWrite(collection, operations: AnyBulkWriteOperation[], { ordered = true }: { ordered?: boolean } = {}) {
    return bulkResult(await collection.bulkWrite(operations.map(model), { ordered }));
  },
};

function model(operation: AnyBulkWriteOperation): AnyBulkWriteOperation {
  if (!('updateOne' in operation)) return operation;
  const { filter, update, upsert = false, ...others } = operation.updateOne;
  // What only updates by operators have is left to the driver.
  return Object.keys(others).length > 0 ? operation : updateModel(filter, update, upsert);
}

function shown(projection: Document | undefined): { projection?: Document } {
  return projection === undefined || projection === null ? {} : { projection };
}

function changeOptions({ sort, projection, upsert, returnNewDocument }: FindAndChange): {
  upsert: boolean;
  returnDocument: 'after' | 'before';
} {
  return {
    ...(sort !== undefined && { sort }),
    ...shown(projection),
    upsert: upsert === true,
    returnDocument: returnNewDocument === true ? 'after' : 'before',
  };
}

function updateResult({ matchedCount, modifiedCount, upsertedId }: UpdateResult<Document> | Document): object {
  return { matchedCount, modifiedCount, ...(upsertedId !== null && upsertedId !== undefined && { upsertedId }) };
}
