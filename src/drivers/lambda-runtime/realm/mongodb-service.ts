import type { MongoClient } from 'mongodb';
import { BulkOperation } from './bulk-operation.ts';
import { collectionFace, type OpenCollection } from './collection.ts';
import { knownMembers } from './known-members.ts';
import type { RealmPackages } from './packages.ts';
import type { Pending } from './pending.ts';

/** The connection of one service, opened with its first operation and kept for the calls that follow. */
export class MongodbConnection {
  readonly #uri: string;
  readonly #packages: RealmPackages;
  #client: MongoClient | undefined;

  constructor(uri: string, packages: RealmPackages) {
    this.#uri = uri;
    this.#packages = packages;
  }

  /** Throws for a URI that is none, without telling it: it may hold a password. */
  client(): MongoClient {
    if (this.#client !== undefined) return this.#client;
    const { MongoClient } = this.#packages.driver();
    try {
      this.#client = new MongoClient(this.#uri, { appName: 'millrace' });
    } catch {
      throw new Error('the URI of this mongodb service is not one');
    }
    return this.#client;
  }

  async close(): Promise<void> {
    await this.#client?.close();
    this.#client = undefined;
  }
}

/** `context.services.get(NAME)`: `db(name).collection(name)`. */
export function mongodbService(name: string, connection: MongodbConnection, pending: Pending): object {
  const path = `context.services.get('${name}')`;
  const collection = (database: string, collectionName: string): object => {
    const open: OpenCollection = () => connection.client().db(database).collection(collectionName);
    const bulk = (ordered: boolean): object => new BulkOperation(open, pending, ordered).face;
    return collectionFace(open, pending, {
      name: collectionName,
      initializeOrderedBulkOp: () => bulk(true),
      initializeUnorderedBulkOp: () => bulk(false),
    });
  };
  return knownMembers(
    {
      db: (database: unknown) =>
        knownMembers({ collection: (given: unknown) => collection(nameOf(database), nameOf(given)) }, `${path}.db()`),
    },
    path,
  );
}

function nameOf(value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new TypeError('a database and a collection are named by a text');
}
