import type { DocumentPlace, DocumentStore, DocumentText, RefusedDocument } from '../ports/document-store.ts';

/** Documents in memory: by `database.collection`, then by key. What is no JSON object is refused. */
export class FakeDocuments implements DocumentStore {
  readonly collections = new Map<string, Map<string, unknown>>();
  /** Thrown by calls as long as it is set. */
  failure: Error | undefined;

  async upsert(
    { database, collection, key }: DocumentPlace,
    documents: readonly DocumentText[],
  ): Promise<readonly RefusedDocument[]> {
    if (this.failure !== undefined) throw this.failure;
    const name = `${database}.${collection}`;
    const found = this.collections.get(name) ?? new Map<string, unknown>();
    this.collections.set(name, found);
    const refused: RefusedDocument[] = [];
    documents.forEach(({ json, fallbackId }, index) => {
      const document = parsed(json);
      if (document === undefined) {
        refused.push({ index, code: 'MongoDB.InvalidDocument', message: 'a document is a JSON object' });
      } else found.set(JSON.stringify(document[key] ?? fallbackId), document);
    });
    return refused;
  }

  async close(): Promise<void> {}
}

function parsed(json: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(json).toString());
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
