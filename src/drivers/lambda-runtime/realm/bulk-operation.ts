import type { AnyBulkWriteOperation, Document } from 'mongodb';
import { bulkResult, type OpenCollection } from './collection.ts';
import { knownMembers } from './known-members.ts';
import type { Pending } from './pending.ts';
import { documentOf, hasOperators, updateModel } from './writes.ts';

const OPERATIONS_MAX = 1_000_000;

/** Operations that are collected and then done at once. */
export class BulkOperation {
  readonly #models: AnyBulkWriteOperation[] = [];
  #isDone = false;
  /** What the function gets. */
  readonly face: object;

  constructor(open: OpenCollection, pending: Pending, ordered: boolean) {
    this.face = knownMembers(
      {
        insert: (document: unknown) => this.#add({ insertOne: { document: documentOf(document, 'what is inserted') } }),
        find: (filter: unknown) => this.#found(documentOf(filter, 'a filter'), false),
        execute: () => pending.track(this.#execute(open, ordered)),
      },
      'bulk',
    );
  }

  #found(filter: Document, isUpsert: boolean): object {
    const updateOne = (update: unknown): void => this.#add(updateModel(filter, update, isUpsert));
    const updateMany = (update: unknown): void => {
      if (!hasOperators(update)) throw new TypeError('an update of many documents needs operators');
      this.#add({ updateMany: { filter, update, upsert: isUpsert } });
    };
    const deleteOne = (): void => this.#add({ deleteOne: { filter } });
    const deleteMany = (): void => this.#add({ deleteMany: { filter } });
    return knownMembers(
      {
        upsert: () => this.#found(filter, true),
        updateOne,
        update: updateMany,
        updateMany,
        replaceOne: (replacement: unknown) =>
          this.#add({
            replaceOne: { filter, replacement: documentOf(replacement, 'a replacement'), upsert: isUpsert },
          }),
        removeOne: deleteOne,
        deleteOne,
        remove: deleteMany,
        delete: deleteMany,
      },
      'bulk.find()',
    );
  }

  #add(model: AnyBulkWriteOperation): void {
    if (this.#models.length >= OPERATIONS_MAX) throw new RangeError(`a bulk holds ${OPERATIONS_MAX} operations`);
    this.#models.push(model);
  }

  async #execute(open: OpenCollection, ordered: boolean): Promise<object> {
    if (this.#isDone) throw new Error('a bulk is executed once');
    this.#isDone = true;
    return bulkResult(await open().bulkWrite(this.#models, { ordered }));
  }
}
