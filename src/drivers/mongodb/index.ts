import type * as Driver from 'mongodb';
import { DeliveryError } from '../../kernel/errors.ts';
import type { DocumentPlace, DocumentStore, DocumentText, RefusedDocument } from '../../ports/document-store.ts';
import { Chunks } from './chunks.ts';
import { asDeliveryError, refusedWrite } from './failures.ts';
import { parseDocument, type Parsed } from './parse-document.ts';

/** Connections to different clusters at once; the one not used for longest is closed first. */
const CLIENTS_MAX = 20;
/** Bounds of waiting, in ms, unless the URI has its own: the driver's are 30 s and none. */
const WAITS = { serverSelectionTimeoutMS: 10_000, connectTimeoutMS: 10_000, socketTimeoutMS: 60_000 };

/** MongoDB by its official driver, which is loaded with the first document. */
export function createMongodbStore(): DocumentStore {
  return new MongodbStore();
}

class MongodbStore implements DocumentStore {
  readonly #clients = new Map<string, Driver.MongoClient>();

  async upsert(
    place: DocumentPlace,
    documents: readonly DocumentText[],
    signal: AbortSignal,
  ): Promise<readonly RefusedDocument[]> {
    const driver = await loadDriver();
    const collection = this.#client(driver, place.uri).db(place.database).collection(place.collection);
    const refused: RefusedDocument[] = [];
    const chunks = new Chunks(documents);
    for (let chunk = chunks.next(); chunk.length > 0; chunk = chunks.next()) {
      if (signal.aborted) throw new DeliveryError('MongoDB.Stopped', 'the node stops', true);
      const parsed: Parsed[] = [];
      for (const { document, index } of chunk) {
        const found = parseDocument(driver, document, place.key, index);
        if ('code' in found) refused.push(found);
        else parsed.push(found);
      }
      const failed = parsed.length === 0 ? undefined : await writeInOrder(driver, collection, parsed);
      chunks.written(failed?.index);
      if (failed !== undefined) refused.push(failed);
    }
    return refused.toSorted((one, other) => one.index - other.index).filter(isFirstOfIndex);
  }

  async close(): Promise<void> {
    const clients = [...this.#clients.values()];
    this.#clients.clear();
    await Promise.all(clients.map(async (client) => await client.close()));
  }

  #client(driver: typeof Driver, uri: string): Driver.MongoClient {
    const client = this.#clients.get(uri) ?? connect(driver, uri);
    // The one used last stands last.
    this.#clients.delete(uri);
    this.#clients.set(uri, client);
    for (const [other, oldest] of this.#clients) {
      if (this.#clients.size <= CLIENTS_MAX) break;
      this.#clients.delete(other);
      void oldest.close().catch(() => undefined);
    }
    return client;
  }
}

async function loadDriver(): Promise<typeof Driver> {
  try {
    return await import('mongodb');
  } catch (error) {
    const need = 'documents go to MongoDB by its driver, which is missing: npm install mongodb@7.8.0';
    throw new DeliveryError('MongoDB.DriverMissing', need, true, error);
  }
}

function connect({ MongoClient }: typeof Driver, uri: string): Driver.MongoClient {
  try {
    const waits = Object.entries(WAITS).filter(([name]) => !uri.toLowerCase().includes(`${name.toLowerCase()}=`));
    return new MongoClient(uri, { appName: 'millrace', ...Object.fromEntries(waits) });
  } catch {
    // What the driver says would repeat the password.
    throw new DeliveryError('MongoDB.InvalidUri', 'the URI is none of MongoDB', false);
  }
}

/** Up to the first document that the server does not take. Rejects with a DeliveryError when it takes none. */
async function writeInOrder(
  driver: typeof Driver,
  collection: Driver.Collection,
  documents: readonly Parsed[],
): Promise<RefusedDocument | undefined> {
  const operations = documents.map(({ filter, replacement }) => ({
    replaceOne: { filter, replacement, upsert: true },
  }));
  try {
    await collection.bulkWrite(operations, { ordered: true, writeConcern: { w: 'majority', journal: true } });
    return undefined;
  } catch (error) {
    const refusal = refusedWrite(driver, error);
    const document = refusal === undefined ? undefined : documents[refusal.position];
    if (refusal === undefined || document === undefined) throw asDeliveryError(error);
    return { index: document.index, code: refusal.code, message: refusal.message };
  }
}

/** What a part of a chunk was refused for before it was written is said once, though the rest is looked at again. */
function isFirstOfIndex({ index }: RefusedDocument, at: number, all: readonly RefusedDocument[]): boolean {
  return all[at - 1]?.index !== index;
}
