const NEWLINE = 0x0a;

/** What one request asks at most. */
export interface BulkBounds {
  readonly bytesMax: number;
  readonly documentsMax: number;
}

/** Documents of one request, each behind the line that says where it goes; the memory is used again by the next. */
export class BulkBody {
  readonly #bounds: BulkBounds;
  /** As large as a request may be: the system gives it as it is written to. */
  #memory: Buffer;
  /** Where each document's two lines end. */
  #ends: number[] = [];
  /** The records' own, by document. */
  #indexes: number[] = [];

  constructor(bounds: BulkBounds) {
    this.#bounds = bounds;
    this.#memory = Buffer.allocUnsafeSlow(bounds.bytesMax);
  }

  get count(): number {
    return this.#ends.length;
  }

  get sizeBytes(): number {
    return this.#ends.at(-1) ?? 0;
  }

  /** Whether one more document fits; the first one always does. */
  fits(action: Uint8Array, document: Uint8Array): boolean {
    if (this.count === 0) return true;
    const { bytesMax, documentsMax } = this.#bounds;
    return this.count < documentsMax && this.sizeBytes + action.length + document.length + 2 <= bytesMax;
  }

  /** Takes the document of the record with this index. */
  add(index: number, action: Uint8Array, document: Uint8Array): void {
    let at = this.sizeBytes;
    this.#reserve(at + action.length + document.length + 2);
    for (const line of [action, document]) {
      this.#memory.set(line, at);
      at += line.length;
      this.#memory[at] = NEWLINE;
      at += 1;
    }
    this.#ends.push(at);
    this.#indexes.push(index);
  }

  /** Documents `from` up to but without `to`; good until the next `add`. */
  bytes(from: number, to: number): Uint8Array {
    return this.#memory.subarray(this.#ends[from - 1] ?? 0, this.#ends[to - 1] ?? 0);
  }

  /** The index of the record that the document is of. */
  recordIndex(document: number): number {
    return this.#indexes[document] as number;
  }

  clear(): void {
    this.#ends = [];
    this.#indexes = [];
  }

  /** One document can be larger than a request is to be: then it goes alone. */
  #reserve(bytes: number): void {
    if (bytes > this.#memory.length) this.#memory = Buffer.allocUnsafeSlow(bytes);
  }
}
