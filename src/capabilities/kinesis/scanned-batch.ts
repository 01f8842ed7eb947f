import type { HashKeyRouter } from '../../kernel/stream/hash-key.ts';
import { ENTRY_FIXED_BYTES, writeEntryHead } from '../../kernel/stream/packed-entries.ts';
import type { RecordBatch } from '../../ports/records.ts';

/** Where the partition key begins; no value stands at 0, which says that there is none. */
export const KEY_AT = 0;
/** Where it ends. */
export const KEY_END = 1;
/** Where the explicit hash key begins. */
export const HASH_AT = 2;
/** Where it ends. */
export const HASH_END = 3;
/** Where the data begins. */
export const DATA_AT = 4;
/** Where it ends. */
export const DATA_END = 5;
/** Bytes that it stands for. */
export const DATA_BYTES = 6;
/** How many notes there are of a record. */
export const NOTES = 7;

/** How a form writes the data of records. */
export interface DataWords {
  /** What three bytes of data take in a body. */
  readonly bytesOfThree: number;
  /** Writes the `size` bytes that stand in the body from `from` to `to`; false when they are malformed. */
  write(body: Buffer, from: number, to: number, into: Buffer, at: number, size: number): boolean;
}

/** Records as they stand in a scanned body. */
export class ScannedBatch implements RecordBatch {
  readonly count: number;
  readonly #body: Buffer;
  readonly #notes: Uint32Array;
  readonly #data: DataWords;

  constructor(body: Buffer, notes: Uint32Array, count: number, data: DataWords) {
    this.#body = body;
    this.#notes = notes;
    this.#data = data;
    this.count = count;
  }

  explicitHashKey(index: number): bigint | undefined {
    const from = this.#note(index, HASH_AT);
    if (from === 0) return undefined;
    return BigInt(this.#body.toString('latin1', from, this.#note(index, HASH_END)));
  }

  route(index: number, router: HashKeyRouter): number {
    const hashKey = this.explicitHashKey(index);
    if (hashKey !== undefined) return router.ofHash(hashKey);
    return router.ofKey(this.#body, this.#note(index, KEY_AT), this.#note(index, KEY_END));
  }

  entryBytes(index: number): number {
    const keyBytes = this.#note(index, KEY_END) - this.#note(index, KEY_AT);
    return ENTRY_FIXED_BYTES + keyBytes + this.#note(index, DATA_BYTES);
  }

  dataBytes(index: number): number {
    return this.#note(index, DATA_BYTES);
  }

  writeFront(index: number, into: Buffer, at: number): number {
    const body = this.#body;
    const from = this.#note(index, KEY_AT);
    const keyBytes = this.#note(index, KEY_END) - from;
    const to = writeEntryHead(into, at, keyBytes, this.#note(index, DATA_BYTES));
    for (let byte = 0; byte < keyBytes; byte += 1) into[to + byte] = body[from + byte] as number;
    return to + keyBytes;
  }

  writeData(index: number, into: Buffer, at: number, from: number, to: number): boolean {
    const { bytesOfThree } = this.#data;
    const start = this.#note(index, DATA_AT);
    const end = to === this.#note(index, DATA_BYTES) ? this.#note(index, DATA_END) : start + (to / 3) * bytesOfThree;
    return this.#data.write(this.#body, start + (from / 3) * bytesOfThree, end, into, at, to - from);
  }

  #note(index: number, note: number): number {
    return this.#notes[index * NOTES + note] as number;
  }
}
