import type {
  AttemptSize,
  Batch,
  Delivered,
  Destination,
  DestinationDoors,
  OpenDestination,
  Refused,
} from '../../ports/destination.ts';
import { isMapping, parseJson } from '../../kernel/json.ts';
import type { DocumentPlace, DocumentText } from '../../ports/document-store.ts';
import { mongodbOptions, type MongodbOptions } from './options.ts';

const BUFFER_BYTES = 1024 ** 2;
const INTERVAL_MS = 1000;
const DOCUMENT_COPIES = 6;

/** Each record a document in MongoDB, stored in place of the one that has the same key. */
export const mongodb: Destination<typeof mongodbOptions> = {
  name: 'mongodb',
  options: mongodbOptions,
  buffering: ({ bufferBytesMax = BUFFER_BYTES, intervalSeconds }) => ({
    bytesMax: bufferBytesMax,
    intervalMs: intervalSeconds === undefined ? INTERVAL_MS : intervalSeconds * 1000,
  }),
  problem: ({ uri }) =>
    /^mongodb(\+srv)?:\/\/./.test(uri) ? undefined : 'uri: begins with mongodb:// or mongodb+srv://',
  describe: ({ database, collection, upsertOn = '_id' }) => ({
    MongodbDestinationDescription: { database, collection, upsertOn },
  }),
  refuses: (data) => {
    const message = noDocument(data);
    return message === undefined ? undefined : { code: 'MongoDB.InvalidDocument', message };
  },
  usesNewestOptions: true,
  takesRequests: true,
  open: (options, doors) => new MongodbCollection(options, doors),
};

class MongodbCollection implements OpenDestination {
  readonly #doors: DestinationDoors;
  readonly #place: DocumentPlace;

  constructor({ uri, database, collection, upsertOn: key = '_id' }: MongodbOptions, doors: DestinationDoors) {
    this.#doors = doors;
    this.#place = { uri, database, collection, key };
  }

  /** Texts of what it is given, and what becomes of them: documents, and the bytes that are sent. */
  holdsBytes({ groupBytes }: AttemptSize): number {
    return DOCUMENT_COPIES * groupBytes;
  }

  place(): string {
    const { database, collection } = this.#place;
    return `${database}.${collection}`;
  }

  async deliver(batch: Batch, place: string, signal: AbortSignal): Promise<Delivered> {
    const refused: Refused[] = [];
    let sizeBytes = 0;
    for await (const records of batch.records()) {
      const documents = records.map(({ data, sequenceNumber, subSequenceNumber = 0 }): DocumentText => {
        sizeBytes += data.length;
        return { json: data, fallbackId: `${sequenceNumber}.${subSequenceNumber}` };
      });
      const found = await this.#doors.documents.upsert(this.#place, documents, signal);
      for (const { index, code, message } of found) {
        refused.push({ index: records[index]?.index ?? index, code, message, retryable: false });
      }
    }
    return { place, sizeBytes, ...(refused.length > 0 && { refused }) };
  }

  async close(): Promise<void> {}
}

/** Why these bytes are no document, as far as that is known without a driver; undefined: nothing is known against. */
function noDocument(data: Uint8Array): string | undefined {
  const document = documentOf(data);
  if (!isMapping(document)) return 'a document is a JSON object';
  // Extended JSON takes some for values, and a driver the others for operators.
  const operator = Object.keys(document).find((name) => name.startsWith('$'));
  return operator === undefined ? undefined : `a document has no member ${operator}`;
}

/** Undefined: it is no JSON, or no UTF-8. */
function documentOf(data: Uint8Array): unknown {
  try {
    return parseJson(new TextDecoder('utf-8', { fatal: true }).decode(data));
  } catch {
    return undefined;
  }
}
