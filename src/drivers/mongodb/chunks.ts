import type { DocumentText } from '../../ports/document-store.ts';

/** Documents of one request at most, and bytes of their JSON: what one turn of the loop reads. */
const DOCUMENTS_MAX = 500;
const BYTES_MAX = 128 * 1024;
/** After a document that was refused: others of its kind may follow. */
const DOCUMENTS_MIN = 8;

/** A document with its place among those given. */
interface Placed {
  readonly document: DocumentText;
  readonly index: number;
}

/**
 * Cuts documents into requests. One that breaks off is followed by a small one, so that many documents which cannot be
 * stored do not have all others sent again each time.
 */
export class Chunks {
  readonly #documents: readonly DocumentText[];
  #from = 0;
  #to = 0;
  #size = DOCUMENTS_MAX;

  constructor(documents: readonly DocumentText[]) {
    this.#documents = documents;
  }

  /** The next documents; none: all were written. */
  next(): readonly Placed[] {
    const chunk: Placed[] = [];
    let bytes = 0;
    for (this.#to = this.#from; chunk.length < this.#size; this.#to += 1) {
      const document = this.#documents[this.#to];
      if (document === undefined) break;
      bytes += document.json.length;
      if (chunk.length > 0 && bytes > BYTES_MAX) break;
      chunk.push({ document, index: this.#to });
    }
    return chunk;
  }

  /** All of the chunk is written, or all before the one at `refused`. */
  written(refused: number | undefined): void {
    this.#from = refused === undefined ? this.#to : refused + 1;
    this.#size = refused === undefined ? Math.min(DOCUMENTS_MAX, this.#size * 2) : DOCUMENTS_MIN;
  }
}
