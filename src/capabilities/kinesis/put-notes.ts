import { kinesisLimits } from './limits.ts';
import { DATA_AT, DATA_BYTES, DATA_END, HASH_AT, HASH_END, KEY_AT, KEY_END, NOTES } from './scanned-batch.ts';

const PARTITION_KEY_MAX = 256;
const HASH_KEY_DIGITS_MAX = 39;
const ZERO = 0x30;

/**
 * Where keys and data of a put's records stand in its body, while it is scanned. One body at a time: a scan is over in
 * one go and takes its notes along. Noting says false where the value was there before or is none that AWS takes.
 */
export class PutNotes {
  readonly #notes = new Uint32Array(NOTES * kinesisLimits.putRecordsCountMax);

  /** Nothing is known of the record. */
  begin(record: number): void {
    const base = record * NOTES;
    this.#notes.fill(0, base, base + NOTES);
  }

  /** Whether the record has all that it must have. */
  isWhole(record: number): boolean {
    const base = record * NOTES;
    return this.#notes[base + KEY_AT] !== 0 && this.#notes[base + DATA_AT] !== 0;
  }

  /** A copy of the first records' notes. */
  take(count: number): Uint32Array {
    return this.#notes.slice(0, count * NOTES);
  }

  /** Notes where data of `size` bytes stands; a size below 0 is none. */
  data(record: number, from: number, to: number, size: number): boolean {
    const base = record * NOTES;
    if (this.#notes[base + DATA_AT] !== 0) return false;
    this.#notes[base + DATA_AT] = from;
    this.#notes[base + DATA_END] = to;
    this.#notes[base + DATA_BYTES] = size;
    return size >= 0 && size <= kinesisLimits.recordBytesMax;
  }

  /** Notes where a partition key in ASCII stands. */
  key(record: number, from: number, to: number): boolean {
    const base = record * NOTES;
    if (this.#notes[base + KEY_AT] !== 0) return false;
    this.#notes[base + KEY_AT] = from;
    this.#notes[base + KEY_END] = to;
    return to > from && to - from <= PARTITION_KEY_MAX;
  }

  /** Notes where a hash key begins and returns where it ends: `0`, or up to 39 digits, no 0 in front; -1: none. */
  hashKey(record: number, bytes: Uint8Array, from: number): number {
    const base = record * NOTES;
    if (this.#notes[base + HASH_AT] !== 0) return -1;
    let to = from;
    for (let byte = bytes[to] as number; byte >= ZERO && byte <= ZERO + 9; byte = bytes[to] as number) to += 1;
    this.#notes[base + HASH_AT] = from;
    this.#notes[base + HASH_END] = to;
    const length = to - from;
    const isPlain = length > 0 && length <= HASH_KEY_DIGITS_MAX && (length === 1 || bytes[from] !== ZERO);
    return isPlain ? to : -1;
  }
}
