import { asBuffer } from '../../kernel/bytes/as-buffer.ts';
import { base64Size, decodeBase64Piece } from '../../kernel/bytes/base64.ts';
import type { RecordBatch } from '../../ports/records.ts';
import { kinesisLimits } from './limits.ts';
import { PutNotes } from './put-notes.ts';
import { member, NAMES, streamNameAt, type PutScan } from './put-scan.ts';
import { ScannedBatch, type DataWords } from './scanned-batch.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** Of each member what stands between its first letter and the colon. */
const NAME_BYTES = NAMES.map((name) => new TextEncoder().encode(`${name}"`));
const MEMBER_OF_LETTER = new Uint8Array(256);
for (let index = 1; index < NAMES.length; index += 1) {
  MEMBER_OF_LETTER[(NAME_BYTES[index] as Uint8Array)[0] as number] = index;
}

const BASE64: DataWords = { bytesOfThree: 4, write: decodeBase64Piece };

// Constants of this file are faster than members of an object.
const { unknown: UNKNOWN, stream: STREAM, records: RECORDS, data: DATA, key: KEY, hashKey: HASH_KEY } = member;

const notes = new PutNotes();

/** Scans bodies in JSON. */
export const jsonPutScan: PutScan = {
  one(body) {
    const scanner = new Scanner(body);
    let stream: string | undefined;
    if (!scanner.symbol(OPEN)) return undefined;
    notes.begin(0);
    do {
      const name = scanner.member();
      if (name !== STREAM || stream !== undefined) {
        if (!scanner.value(name, 0)) return undefined;
      } else if ((stream = scanner.streamName()) === undefined) return undefined;
    } while (scanner.symbol(COMMA));
    if (!scanner.symbol(CLOSE) || !scanner.isAtEnd() || stream === undefined || !notes.isWhole(0)) return undefined;
    return { StreamName: stream, batch: scanner.batch(1) };
  },
  many(body) {
    const scanner = new Scanner(body);
    let count = -1;
    let stream: string | undefined;
    if (!scanner.symbol(OPEN)) return undefined;
    do {
      const name = scanner.member();
      if (name === RECORDS && count < 0) {
        if ((count = scanner.records()) < 0) return undefined;
      } else if (name !== STREAM || stream !== undefined) return undefined;
      else if ((stream = scanner.streamName()) === undefined) return undefined;
    } while (scanner.symbol(COMMA));
    if (!scanner.symbol(CLOSE) || !scanner.isAtEnd() || count < 0 || stream === undefined) return undefined;
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
    return new ScannedBatch(this.#bytes, notes.take(count), count, BASE64);
  }

  isAtEnd(): boolean {
    this.#skipBlanks();
    return this.#at === this.#bytes.length;
  }

  /** Whether the next byte that is no blank is this one; goes on behind it when it is. */
  symbol(byte: number): boolean {
    if (this.#bytes[this.#at] !== byte) {
      this.#skipBlanks();
      if (this.#bytes[this.#at] !== byte) return false;
    }
    this.#at += 1;
    return true;
  }

  /** Reads a name and its colon. */
  member(): number {
    if (!this.symbol(QUOTE)) return UNKNOWN;
    const found = MEMBER_OF_LETTER[this.#bytes[this.#at] ?? 0] as number;
    const name = NAME_BYTES[found] as Uint8Array;
    for (let index = 0; index < name.length; index += 1) {
      if (this.#bytes[this.#at + index] !== name[index]) return UNKNOWN;
    }
    this.#at += name.length;
    return this.symbol(COLON) ? found : UNKNOWN;
  }

  /** Reads a list of records, one at least, and returns how many. */
  records(): number {
    if (!this.symbol(OPEN_LIST)) return -1;
    let count = 0;
    do {
      if (count === kinesisLimits.putRecordsCountMax || !this.#record(count)) return -1;
      count += 1;
    } while (this.symbol(COMMA));
    return this.symbol(CLOSE_LIST) ? count : -1;
  }

  #record(record: number): boolean {
    if (!this.symbol(OPEN)) return false;
    notes.begin(record);
    do {
      if (!this.value(this.member(), record)) return false;
    } while (this.symbol(COMMA));
    return this.symbol(CLOSE) && notes.isWhole(record);
  }

  /** Reads the value of a record's member that was not there before. */
  value(name: number, record: number): boolean {
    if (name === DATA) return this.symbol(QUOTE) && this.#data(record);
    if (name === KEY) return this.symbol(QUOTE) && this.#key(record);
    if (name === HASH_KEY) return this.symbol(QUOTE) && this.#hashKey(record);
    return false;
  }

  streamName(): string | undefined {
    if (!this.symbol(QUOTE)) return undefined;
    const from = this.#at;
    const end = this.#bytes.indexOf(QUOTE, from);
    this.#at = end + 1;
    return end < 0 ? undefined : streamNameAt(this.#bytes, from, end);
  }

  /** What is not plain in it is no base64 either, and turns out to be none when it is decoded. */
  #data(record: number): boolean {
    const from = this.#at;
    const end = this.#bytes.indexOf(QUOTE, from);
    this.#at = end + 1;
    return end >= 0 && notes.data(record, from, end, base64Size(this.#bytes, from, end));
  }

  /** Printable ASCII without quote and backslash: a text that stands for itself. */
  #key(record: number): boolean {
    const bytes = this.#bytes;
    const from = this.#at;
    let at = from;
    for (let byte = bytes[at] as number; byte !== QUOTE; byte = bytes[at] as number) {
      if (!(byte >= 0x20 && byte <= 0x7e) || byte === BACKSLASH) return false;
      at += 1;
    }
    this.#at = at + 1;
    return notes.key(record, from, at);
  }

  #hashKey(record: number): boolean {
    const end = notes.hashKey(record, this.#bytes, this.#at);
    this.#at = end + 1;
    return end >= 0 && this.#bytes[end] === QUOTE;
  }

  #skipBlanks(): void {
    for (let byte = this.#bytes[this.#at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;) {
      this.#at += 1;
      byte = this.#bytes[this.#at];
    }
  }
}
