import { Long, type Document } from 'bson';
import { PeerError } from './errors.ts';
import { calculateBytes } from './values.ts';

/** What a cursor gives at once. */
export interface Batch {
  readonly documents: readonly Document[];
  /** Nothing will follow. */
  readonly isOver: boolean;
  readonly postBatchResumeToken?: Document;
}

/** Something that is read in batches. */
export interface Cursor {
  readonly namespace: string;
  /** At most `size` documents; `waitMs` is how long to wait for the first one where more may come. */
  next(size: number, waitMs: number | undefined, signal: AbortSignal): Batch | Promise<Batch>;
}

const CURSORS_MAX = 1000;
/** An answer is one message: it holds the largest document and little else. */
export const BATCH_BYTES_MAX = 16 * 1024 * 1024;

/** The open cursors; the one that was used longest ago goes when there are too many. */
export class Cursors {
  readonly #open = new Map<bigint, Cursor>();
  #last = 0n;

  add(cursor: Cursor): bigint {
    const [oldest] = this.#open.keys();
    if (this.#open.size >= CURSORS_MAX && oldest !== undefined) this.#open.delete(oldest);
    // Beyond 2^32: who cuts an id to 32 bits is found out.
    this.#last += 0x1_0000_0001n;
    this.#open.set(this.#last, cursor);
    return this.#last;
  }

  /** CursorNotFound when there is none, or when it belongs to another namespace. */
  get(id: bigint, namespace: string): Cursor {
    const cursor = this.#open.get(id);
    if (cursor?.namespace !== namespace) throw new PeerError('CursorNotFound', `cursor id ${id} not found`);
    this.#open.delete(id);
    this.#open.set(id, cursor);
    return cursor;
  }

  /** False when there is none. */
  remove(id: bigint): boolean {
    return this.#open.delete(id);
  }
}

/** A cursor over documents that are all there. */
export class ListCursor implements Cursor {
  readonly namespace: string;
  readonly #documents: readonly Document[];
  #at = 0;

  constructor(namespace: string, documents: readonly Document[]) {
    this.namespace = namespace;
    this.#documents = documents;
  }

  next(size: number): Batch {
    const documents: Document[] = [];
    let bytes = 0;
    for (const document of this.#documents.slice(this.#at, this.#at + size)) {
      bytes += calculateBytes(document);
      if (documents.length > 0 && bytes > BATCH_BYTES_MAX) break;
      documents.push(document);
    }
    this.#at += documents.length;
    return { documents, isOver: this.#at >= this.#documents.length };
  }
}

/** The part of an answer that holds a batch; an id of 0 says that nothing follows. */
export function cursorAnswer(
  batch: Batch,
  member: 'firstBatch' | 'nextBatch',
  namespace: string,
  id: bigint,
): Document {
  return {
    cursor: {
      [member]: batch.documents,
      ...(batch.postBatchResumeToken !== undefined && { postBatchResumeToken: batch.postBatchResumeToken }),
      id: Long.fromBigInt(batch.isOver ? 0n : id),
      ns: namespace,
    },
  };
}
