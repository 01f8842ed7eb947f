import { ObjectId, type Document } from 'bson';
import type { ChangeLog } from './change-log.ts';
import { timestampOf } from './change-log.ts';
import { differencesOf } from './differences.ts';
import { PeerError } from './errors.ts';
import { isOperators, matches } from './match.ts';
import { shellText } from './shell-text.ts';
import { areIdentical, decodeDocument, encodeDocument, isDocument, keyOf } from './values.ts';

const DOCUMENT_BYTES_MAX = 16 * 1024 * 1024;
const COLLECTIONS_MAX = 1000;

type Collection = Map<string, Uint8Array>;

/** The documents, in memory and within a bound, in the order in which they came; every change goes to the log. */
export class Store {
  readonly #log: ChangeLog;
  readonly #bytesMax: number;
  readonly #now: () => number;
  readonly #collections = new Map<string, Collection>();
  #bytes = 0;

  constructor(log: ChangeLog, bytesMax: number, now: () => number) {
    this.#log = log;
    this.#bytesMax = bytesMax;
    this.#now = now;
  }

  /** The documents that fit, in the order in which they came; a filter for one _id looks at one. */
  find(database: string, name: string, filter: Document): Document[] {
    const collection = this.#collections.get(join(database, name));
    if (collection === undefined) return [];
    const id: unknown = filter['_id'];
    const isOne = id !== undefined && id !== null && !isOperators(id) && !Array.isArray(id) && !isExpression(id);
    const one = isOne ? collection.get(keyOf(id)) : undefined;
    const candidates = isOne ? (one === undefined ? [] : [one]) : [...collection.values()];
    return candidates.map(decodeDocument).filter((document) => matches(document, filter));
  }

  has(database: string, name: string): boolean {
    return this.#collections.has(join(database, name));
  }

  /** DuplicateKey when the _id is there, with the server's own words. */
  insert(database: string, name: string, given: Document): Document {
    const { _id: id = new ObjectId(), ...rest } = given;
    if (Array.isArray(id)) throw new PeerError('BadValue', "The '_id' value cannot be of type array");
    const document: Document = { _id: id, ...rest };
    const collection = this.create(database, name);
    const key = keyOf(id);
    if (collection.has(key)) {
      const where = `${database}.${name} index: _id_ dup key: { _id: ${shellText(id)} }`;
      const text = `E11000 duplicate key error collection: ${where}`;
      throw new PeerError('DuplicateKey', text, { keyPattern: { _id: 1 }, keyValue: { _id: id } });
    }
    this.#put(collection, key, document);
    this.#tell('insert', database, name, { fullDocument: document, documentKey: { _id: id } });
    return document;
  }

  /** Puts the new document in the old one's place; false, and no event, when they are the same. */
  replace(database: string, name: string, before: Document, after: Document, isReplacement: boolean): boolean {
    if (areIdentical(before, after)) return false;
    this.#put(this.create(database, name), keyOf(before['_id']), after);
    const documentKey = { _id: after['_id'] as unknown };
    if (isReplacement) this.#tell('replace', database, name, { fullDocument: after, documentKey });
    else this.#tell('update', database, name, { documentKey, updateDescription: differencesOf(before, after) });
    return true;
  }

  remove(database: string, name: string, document: Document): void {
    const collection = this.#collections.get(join(database, name));
    const key = keyOf(document['_id']);
    this.#bytes -= collection?.get(key)?.length ?? 0;
    collection?.delete(key);
    this.#tell('delete', database, name, { documentKey: { _id: document['_id'] as unknown } });
  }

  /** The collection, made when it is not there. */
  create(database: string, name: string): Collection {
    const known = this.#collections.get(join(database, name));
    if (known !== undefined) return known;
    if (this.#collections.size >= COLLECTIONS_MAX) {
      throw new PeerError('OutOfDiskSpace', `this peer holds ${COLLECTIONS_MAX} collections`);
    }
    const collection: Collection = new Map();
    this.#collections.set(join(database, name), collection);
    return collection;
  }

  /** False when there is none. */
  drop(database: string, name: string): boolean {
    const collection = this.#collections.get(join(database, name));
    if (collection === undefined) return false;
    for (const bytes of collection.values()) this.#bytes -= bytes.length;
    this.#collections.delete(join(database, name));
    this.#tell('drop', database, name, {});
    return true;
  }

  dropDatabase(database: string): void {
    const names = [...this.#collections.keys()].filter((key) => key.startsWith(`${database}.`));
    for (const key of names) this.drop(database, key.slice(database.length + 1));
    if (names.length > 0) this.#tell('dropDatabase', database, undefined, {});
  }

  #put(collection: Collection, key: string, document: Document): void {
    const bytes = encodeDocument(document);
    if (bytes.length > DOCUMENT_BYTES_MAX) {
      throw new PeerError('BSONObjectTooLarge', `object to insert too large. size in bytes: ${bytes.length}`);
    }
    const grown = this.#bytes + bytes.length - (collection.get(key)?.length ?? 0);
    if (grown > this.#bytesMax) throw new PeerError('OutOfDiskSpace', `this peer holds ${this.#bytesMax} bytes`);
    this.#bytes = grown;
    collection.set(key, bytes);
  }

  #tell(operationType: string, database: string, collection: string | undefined, members: Document): void {
    const time = this.#log.tick();
    const { fullDocument, ...others } = members;
    const bytes = encodeDocument({
      operationType,
      clusterTime: timestampOf(time),
      wallTime: new Date(this.#now()),
      ...(fullDocument !== undefined && { fullDocument: fullDocument as unknown }),
      ns: { db: database, ...(collection !== undefined && { coll: collection }) },
      ...others,
    });
    this.#log.add({ time, database, collection, bytes });
  }
}

/** A database's name has no dot. */
function join(database: string, name: string): string {
  return `${database}.${name}`;
}

/** A regular expression, which is for the matcher to refuse. */
function isExpression(id: unknown): boolean {
  return !isDocument(id) && typeof id === 'object' && id !== null && '_bsontype' in id && id._bsontype === 'BSONRegExp';
}
