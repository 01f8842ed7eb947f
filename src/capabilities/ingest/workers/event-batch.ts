import type { BufferPool } from '../../../kernel/bytes/buffer-pool.ts';
import { ENTRY_FIXED_BYTES, writeEntryHead } from '../../../kernel/stream/packed-entries.ts';
import { KEY_CHARACTERS_MAX } from '../../../ports/record-key.ts';
import type { ArrivalHeader, Digest } from '../arrival-headers.ts';
import type { PartitionKeys } from '../partition-key.ts';

/** What events become that go to a stream. */
export interface RecordForm {
  readonly keys: PartitionKeys;
  readonly header: ArrivalHeader;
}

/** Numbers that are kept of each event: where its entry begins, where its key ends, and where its data begins. */
const NOTES = 3;
const KEY_END = 1;
const DATA_AT = 2;
/** Characters of a key take three bytes at most. */
const KEY_BYTES_MAX = 3 * KEY_CHARACTERS_MAX;

/**
 * Events that are stored together, each packed as its entry in the log: nothing of the memory that they came in is
 * kept, and no object for each.
 */
export class EventBatch {
  readonly #memory: BufferPool;
  readonly #form: RecordForm | undefined;
  #bytes: Buffer;
  #notes = new Uint32Array(64 * NOTES);
  #count = 0;
  #end = 0;

  /** `form` undefined: events have neither key nor header. */
  constructor(memory: BufferPool, form: RecordForm | undefined) {
    this.#memory = memory;
    this.#form = form;
    this.#bytes = memory.take();
  }

  get count(): number {
    return this.#count;
  }

  /** Of all entries. */
  get bytes(): number {
    return this.#end;
  }

  /** What the positions of the entries are positions in; another one after `add`. */
  get memory(): Buffer {
    return this.#bytes;
  }

  add(data: Uint8Array, digest: Digest | undefined): void {
    const form = this.#form;
    const frontMax = ENTRY_FIXED_BYTES + (form === undefined ? 0 : KEY_BYTES_MAX + form.header.bytesMax);
    this.#makeRoom(frontMax + data.length);
    const bytes = this.#bytes;
    const at = this.#end;
    const keyAt = at + ENTRY_FIXED_BYTES;
    const keyEnd = form === undefined ? keyAt : form.keys.write(data, bytes, keyAt);
    const dataAt = form === undefined ? keyEnd : form.header.write(bytes, keyEnd, digest);
    writeEntryHead(bytes, at, keyEnd - keyAt, data.length, form === undefined ? 0 : 1);
    bytes.set(data, dataAt);
    this.#end = dataAt + data.length;
    this.#note(at, keyEnd, dataAt);
  }

  entryAt(index: number): number {
    return this.#notes[index * NOTES] as number;
  }

  keyEnd(index: number): number {
    return this.#notes[index * NOTES + KEY_END] as number;
  }

  dataAt(index: number): number {
    return this.#notes[index * NOTES + DATA_AT] as number;
  }

  entryEnd(index: number): number {
    return index + 1 < this.#count ? this.entryAt(index + 1) : this.#end;
  }

  /** Of the data alone. */
  dataBytes(index: number): number {
    return this.entryEnd(index) - this.dataAt(index);
  }

  /** What Kinesis counts as the record's size: key and data. */
  payloadBytes(index: number): number {
    return this.keyEnd(index) - this.entryAt(index) - ENTRY_FIXED_BYTES + this.dataBytes(index);
  }

  /** The event as it came, in memory of its own. */
  copyData(index: number): Uint8Array {
    return Buffer.from(this.#bytes.subarray(this.dataAt(index), this.entryEnd(index)));
  }

  /** Gives the memory back; nothing of the batch may be looked at any more. */
  release(): void {
    if (this.#bytes.length === this.#memory.pieceBytes) this.#memory.giveBack(this.#bytes);
  }

  /** One large event, or what came at one time and is much, takes more than a piece of the pool. */
  #makeRoom(bytes: number): void {
    const needed = this.#end + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#end));
    this.release();
    this.#bytes = larger;
  }

  #note(at: number, keyEnd: number, dataAt: number): void {
    const to = this.#count * NOTES;
    if (to === this.#notes.length) {
      const longer = new Uint32Array(2 * to);
      longer.set(this.#notes);
      this.#notes = longer;
    }
    this.#notes[to] = at;
    this.#notes[to + KEY_END] = keyEnd;
    this.#notes[to + DATA_AT] = dataAt;
    this.#count += 1;
  }
}
