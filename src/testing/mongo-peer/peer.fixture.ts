import { MongoClient, type Collection, type Db, type MongoClientOptions } from 'mongodb';
import { startMongoPeer, type MongoPeer, type MongoPeerOptions } from './index.ts';

/** A database of its own name and a driver on it; `peer` is absent on the real server that MONGODB_URI names. */
export interface Target {
  readonly peer: MongoPeer | undefined;
  readonly uri: string;
  readonly client: MongoClient;
  readonly database: Db;
  readonly close: () => Promise<void>;
}

const real = process.env['MONGODB_URI'];

/** The server that MONGODB_URI names, else a peer: what one of them passes, the other has to. */
export async function openTarget(options: MongoClientOptions = {}): Promise<Target> {
  const peer = real === undefined ? await startMongoPeer() : undefined;
  return await connect(real ?? peer?.uri ?? '', peer, options);
}

/** A peer, for what is true of peers alone. */
export async function openPeer(bounds: MongoPeerOptions = {}): Promise<Target & { readonly peer: MongoPeer }> {
  const peer = await startMongoPeer(bounds);
  return { ...(await connect(peer.uri, peer, {})), peer };
}

async function connect(uri: string, peer: MongoPeer | undefined, options: MongoClientOptions): Promise<Target> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 5000, heartbeatFrequencyMS: 500, ...options });
  await client.connect();
  const database = client.db(`millrace_${Date.now().toString(36)}_${process.pid}`);
  return {
    peer,
    uri,
    client,
    database,
    async close() {
      await database.dropDatabase();
      await client.close();
      await peer?.stop();
    },
  };
}

/** A collection that is taken away afterwards. */
export interface NamedCollection {
  readonly collection: Collection;
  readonly drop: () => Promise<void>;
}

/**
 * A collection whose name published code has in itself. On a real server it may be somebody's own: one that is not empty
 * is left alone.
 */
export async function namedCollection({ client }: Target, database: string, name: string): Promise<NamedCollection> {
  const collection = client.db(database).collection(name);
  if ((await collection.countDocuments({}, { limit: 1 })) > 0) {
    throw new Error(`${database}.${name} on the server of MONGODB_URI is not empty: nothing was done to it`);
  }
  return { collection, drop: async () => void (await collection.drop()) };
}
