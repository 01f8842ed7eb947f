import { asBuffer } from '../../kernel/bytes/as-buffer.ts';
import type { RecordBatch } from '../../ports/records.ts';
import {
  asciiItem,
  BREAK,
  BYTES,
  FOUR_BYTES,
  INDEFINITE,
  LIST,
  MAP,
  ONE_BYTE,
  TEXT,
  TWO_BYTES,
} from '../../wire/aws-cbor/head.ts';
import { kinesisLimits } from './limits.ts';
import { PutNotes } from './put-notes.ts';
import { member, NAMES, streamNameAt, type PutScan } from './put-scan.ts';
import { ScannedBatch, type DataWords } from './scanned-batch.ts';

/** Names are of different lengths, so that the first byte tells which one to expect. */
const NAME_BYTES = NAMES.map((name) => Buffer.from(name === '' ? '' : asciiItem(name), 'latin1'));
const MEMBER_OF_HEAD = new Uint8Array(256);
for (let index = 1; index < NAMES.length; index += 1) {
  MEMBER_OF_HEAD[(NAME_BYTES[index] as Buffer)[0] as number] = index;
}

const AS_IT_IS: DataWords = {
  bytesOfThree: 3,
  write(body, from, to, into, at, size) {
    return body.copy(into, at, from, to) === size;
  },
};

// Constants of this file are faster than members of an object.
const { unknown: UNKNOWN, stream: STREAM, records: RECORDS, data: DATA, key: KEY, hashKey: HASH_KEY } = member;

const notes = new PutNotes();

/** Scans bodies in CBOR: maps and lists of a known length or up to a break, strings of a known one. */
export const cborPutScan: PutScan = {
  one(body) {
    const scanner = new Scanner(body);
    let stream: string | undefined;
    notes.begin(0);
    for (let left = scanner.open(MAP); scanner.goesOn(left); left -= 1) {
      const name = scanner.member();
      if (name !== STREAM || stream !== undefined) {
        if (!scanner.value(name, 0)) return undefined;
      } else if ((stream = scanner.streamName()) === undefined) return undefined;
    }
    if (!scanner.isAtEnd() || stream === undefined || !notes.isWhole(0)) return undefined;
    return { StreamName: stream, batch: scanner.batch(1) };
  },
  many(body) {
    const scanner = new Scanner(body);
    let count = -1;
    let stream: string | undefined;
    for (let left = scanner.open(MAP); scanner.goesOn(left); left -= 1) {
      const name = scanner.member();
      if (name === RECORDS && count < 0) {
        if ((count = scanner.records()) < 0) return undefined;
      } else if (name !== STREAM || stream !== undefined) return undefined;
      else if ((stream = scanner.streamName()) === undefined) return undefined;
    }
    if (!scanner.isAtEnd() || count < 0 || stream === undefined) return undefined;
    return { StreamName: stream, batch: scanner.batch(count) };
  },
};

/** A place in a body; each reading method moves it on and says false, undefined or -1 where the body is not plain. */
class Scanner {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(body: Uint8Array) {
    this.#bytes = asBuffer(body);
  }

  batch(count: number): RecordBatch {
    return new ScannedBatch(this.#bytes, notes.take(count), count, AS_IT_IS);
  }

  isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Begins a map or a list; returns how many items it has, Infinity where a break tells. */
  open(kind: number): number {
    if (this.#bytes[this.#at] !== (kind | INDEFINITE)) return this.#length(kind);
    this.#at += 1;
    return Infinity;
  }

  /** Whether one more item follows. */
  goesOn(left: number): boolean {
    if (left !== Infinity) return left > 0;
    if (this.#bytes[this.#at] !== BREAK) return true;
    this.#at += 1;
    return false;
  }

  member(): number {
    const found = MEMBER_OF_HEAD[this.#bytes[this.#at] ?? 0] as number;
    const name = NAME_BYTES[found] as Buffer;
    for (let index = 1; index < name.length; index += 1) {
      if (this.#bytes[this.#at + index] !== name[index]) return UNKNOWN;
    }
    this.#at += name.length;
    return found;
  }

  /** Reads a list of records, one at least, and returns how many. */
  records(): number {
    let count = 0;
    for (let left = this.open(LIST); this.goesOn(left); left -= 1) {
      if (count === kinesisLimits.putRecordsCountMax || !this.#record(count)) return -1;
      count += 1;
    }
    return count === 0 ? -1 : count;
  }

  #record(record: number): boolean {
    notes.begin(record);
    for (let left = this.open(MAP); this.goesOn(left); left -= 1) {
      if (!this.value(this.member(), record)) return false;
    }
    return notes.isWhole(record);
  }

  /** Reads the value of a record's member that was not there before. */
  value(name: number, record: number): boolean {
    if (name === DATA) return this.#data(record);
    if (name === KEY) return this.#key(record);
    if (name === HASH_KEY) return this.#hashKey(record);
    return false;
  }

  streamName(): string | undefined {
    const length = this.#length(TEXT);
    if (length < 0) return undefined;
    this.#at += length;
    return streamNameAt(this.#bytes, this.#at - length, this.#at);
  }

  #data(record: number): boolean {
    const length = this.#length(BYTES);
    const from = this.#at;
    this.#at += length;
    return length >= 0 && notes.data(record, from, this.#at, length);
  }

  /** ASCII: it is its own UTF-8, and has as many characters as bytes. */
  #key(record: number): boolean {
    const length = this.#length(TEXT);
    const from = this.#at;
    this.#at += length;
    if (length < 0 || !notes.key(record, from, this.#at)) return false;
    for (let at = from; at < this.#at; at += 1) if ((this.#bytes[at] as number) > 0x7f) return false;
    return true;
  }

  #hashKey(record: number): boolean {
    const length = this.#length(TEXT);
    const from = this.#at;
    this.#at += length;
    return length >= 0 && notes.hashKey(record, this.#bytes, from) === this.#at;
  }

  /** Reads the head of an item of that kind; returns its length, which the body can hold. */
  #length(kind: number): number {
    const bytes = this.#bytes;
    const info = (bytes[this.#at] ?? kind ^ BREAK) ^ kind;
    const at = this.#at + 1;
    let length = -1;
    if (info < ONE_BYTE) {
      length = info;
      this.#at = at;
    } else if (info === ONE_BYTE) {
      length = bytes[at] ?? 0;
      this.#at = at + 1;
    } else if (info === TWO_BYTES) {
      length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
      this.#at = at + 2;
    } else if (info === FOUR_BYTES && at + 4 <= bytes.length) {
      length = bytes.readUInt32BE(at);
      this.#at = at + 4;
    }
    return length > bytes.length - this.#at ? -1 : length;
  }
}
