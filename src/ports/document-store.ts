/** Where documents go. */
export interface DocumentPlace {
  /** The connection string; may hold a password, and is never shown. */
  readonly uri: string;
  readonly database: string;
  readonly collection: string;
  /** The member by which a document that is there already is found, and replaced. */
  readonly key: string;
}

/** One document to be stored. */
export interface DocumentText {
  /** JSON in UTF-8: plain, or MongoDB's extended JSON. */
  readonly json: Uint8Array;
  /** The document's `_id` where it has none and `_id` is the key. */
  readonly fallbackId: string;
}

/** A document that was not stored while others were. */
export interface RefusedDocument {
  /** Of the document as it was given. */
  readonly index: number;
  /** `MongoDB.` and the server's name of its error, or a word of ours. */
  readonly code: string;
  readonly message: string;
}

/** A database of documents. Failures of all documents are DeliveryErrors with codes `MongoDB.*`. */
export interface DocumentStore {
  /**
   * Stores the documents in their order, each in place of the one that has the same key. Text of 24 hex digits as the
   * key is taken for an ObjectId. A document that cannot be stored holds back no other one.
   */
  upsert(
    place: DocumentPlace,
    documents: readonly DocumentText[],
    signal: AbortSignal,
  ): Promise<readonly RefusedDocument[]>;
  close(): Promise<void>;
}
