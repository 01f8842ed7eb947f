import { asBuffer } from '../../kernel/bytes/as-buffer.ts';
import { base64Size } from '../../kernel/bytes/base64.ts';
import type { RecordBatch } from '../../ports/records.ts';
import { kinesisLimits } from './limits.ts';
import {
  DATA_AT,
  DATA_BYTES,
  DATA_END,
  HASH_AT,
  HASH_END,
  KEY_AT,
  KEY_END,
  NOTES,
  ScannedBatch,
} from './scanned-batch.ts';

/** The input of a PutRecord or PutRecords, read from a plain body. */
export interface ScannedPut {
  readonly StreamName: string;
  /** The records as they stand in the body, which must not change meanwhile. */
  readonly batch: RecordBatch;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const ZERO = 0x30;
const STREAM_NAME = /^[a-zA-Z0-9_.-]{1,128}$/;
const PARTITION_KEY_MAX = 256;
const HASH_KEY_DIGITS_MAX = 39;

/** Members that a plain body may have, each with what stands between its first letter and the colon. */
const UNKNOWN = 0;
const STREAM = 1;
const RECORDS = 2;
const DATA = 3;
const KEY = 4;
const HASH_KEY = 5;
const NAMES = ['', 'StreamName', 'Records', 'Data', 'PartitionKey', 'ExplicitHashKey'];
const NAME_BYTES = NAMES.map((name) => new TextEncoder().encode(`${name}"`));
const MEMBER_OF_LETTER = new Uint8Array(256);
for (let member = STREAM; member <= HASH_KEY; member += 1) {
  MEMBER_OF_LETTER[(NAME_BYTES[member] as Uint8Array)[0] as number] = member;
}

/** Notes of the body being scanned, which is one at a time: a scan is over in one go and takes its own along. */
const notes = new Uint32Array(NOTES * kinesisLimits.putRecordsCountMax);

/**
 * Reads the body of a PutRecords without a JSON tree: plain members, plain texts, nothing that AWS would refuse, as far
 * as one can see without a look inside the data. Undefined for anything else, which a full parse then judges. The batch
 * says the same of data that is no strict base64; all else is what the full parse would return.
 */
export function scanPutRecords(body: Uint8Array): ScannedPut | undefined {
  const scanner = new Scanner(body);
  let count = -1;
  let stream: string | undefined;
  if (!scanner.symbol(OPEN)) return undefined;
  do {
    const member = scanner.member();
    if (member === RECORDS && count < 0) {
      if ((count = scanner.records()) < 0) return undefined;
    } else if (member !== STREAM || stream !== undefined) return undefined;
    else if ((stream = scanner.streamName()) === undefined) return undefined;
  } while (scanner.symbol(COMMA));
  if (!scanner.symbol(CLOSE) || !scanner.isAtEnd() || count < 0 || stream === undefined) return undefined;
  return { StreamName: stream, batch: scanner.batch(count) };
}

/** The same for PutRecord. */
export function scanPutRecord(body: Uint8Array): ScannedPut | undefined {
  const scanner = new Scanner(body);
  let stream: string | undefined;
  if (!scanner.symbol(OPEN)) return undefined;
  notes.fill(0, 0, NOTES);
  do {
    const member = scanner.member();
    if (member !== STREAM || stream !== undefined) {
      if (!scanner.value(member, 0)) return undefined;
    } else if ((stream = scanner.streamName()) === undefined) return undefined;
  } while (scanner.symbol(COMMA));
  if (!scanner.symbol(CLOSE) || !scanner.isAtEnd() || stream === undefined || !isWhole(0)) return undefined;
  return { StreamName: stream, batch: scanner.batch(1) };
}

function isWhole(base: number): boolean {
  return notes[base + KEY_AT] !== 0 && notes[base + DATA_AT] !== 0;
}

/** A place in a body; each reading method moves it on and says false, undefined or -1 where the body is not plain. */
class Scanner {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(body: Uint8Array) {
    this.#bytes = asBuffer(body);
  }

  batch(count: number): RecordBatch {
    return new ScannedBatch(this.#bytes, notes.slice(0, count * NOTES), count);
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
    const member = MEMBER_OF_LETTER[this.#bytes[this.#at] ?? 0] as number;
    const name = NAME_BYTES[member] as Uint8Array;
    for (let index = 0; index < name.length; index += 1) {
      if (this.#bytes[this.#at + index] !== name[index]) return UNKNOWN;
    }
    this.#at += name.length;
    return this.symbol(COLON) ? member : UNKNOWN;
  }

  /** Reads a list of records, one at least, and returns how many. */
  records(): number {
    if (!this.symbol(OPEN_LIST)) return -1;
    let count = 0;
    do {
      if (count === kinesisLimits.putRecordsCountMax || !this.#record(count * NOTES)) return -1;
      count += 1;
    } while (this.symbol(COMMA));
    return this.symbol(CLOSE_LIST) ? count : -1;
  }

  #record(base: number): boolean {
    if (!this.symbol(OPEN)) return false;
    notes.fill(0, base, base + NOTES);
    do {
      if (!this.value(this.member(), base)) return false;
    } while (this.symbol(COMMA));
    return this.symbol(CLOSE) && isWhole(base);
  }

  /** Reads the value of a record's member that was not there before. */
  value(member: number, base: number): boolean {
    if (member === DATA) return notes[base + DATA_AT] === 0 && this.symbol(QUOTE) && this.#data(base);
    if (member === KEY) return notes[base + KEY_AT] === 0 && this.symbol(QUOTE) && this.#key(base);
    if (member === HASH_KEY) return notes[base + HASH_AT] === 0 && this.symbol(QUOTE) && this.#hashKey(base);
    return false;
  }

  streamName(): string | undefined {
    if (!this.symbol(QUOTE)) return undefined;
    const from = this.#at;
    const end = this.#bytes.indexOf(QUOTE, from);
    const text = end < 0 ? '' : this.#bytes.toString('latin1', from, end);
    this.#at = end + 1;
    return STREAM_NAME.test(text) ? text : undefined;
  }

  /** What is not plain in it is no base64 either, and turns out to be none when it is decoded. */
  #data(base: number): boolean {
    const from = this.#at;
    const end = this.#bytes.indexOf(QUOTE, from);
    const size = end < 0 ? -1 : base64Size(this.#bytes, from, end);
    if (size < 0 || size > kinesisLimits.recordBytesMax) return false;
    notes[base + DATA_AT] = from;
    notes[base + DATA_END] = end;
    notes[base + DATA_BYTES] = size;
    this.#at = end + 1;
    return true;
  }

  /** Printable ASCII without quote and backslash: a text that stands for itself. */
  #key(base: number): boolean {
    const bytes = this.#bytes;
    let at = this.#at;
    notes[base + KEY_AT] = at;
    for (let byte = bytes[at] as number; byte !== QUOTE; byte = bytes[at] as number) {
      if (!(byte >= 0x20 && byte <= 0x7e) || byte === BACKSLASH) return false;
      at += 1;
    }
    notes[base + KEY_END] = at;
    const length = at - this.#at;
    this.#at = at + 1;
    return length > 0 && length <= PARTITION_KEY_MAX;
  }

  /** `0`, or up to 39 digits that do not begin with 0. */
  #hashKey(base: number): boolean {
    const bytes = this.#bytes;
    const from = this.#at;
    let at = from;
    for (let byte = bytes[at] as number; byte >= ZERO && byte <= ZERO + 9; byte = bytes[at] as number) at += 1;
    notes[base + HASH_AT] = from;
    notes[base + HASH_END] = at;
    this.#at = at;
    const length = at - from;
    if (length === 0 || length > HASH_KEY_DIGITS_MAX || (length > 1 && bytes[from] === ZERO)) return false;
    if (bytes[at] !== QUOTE) return false;
    this.#at += 1;
    return true;
  }

  #skipBlanks(): void {
    for (let byte = this.#bytes[this.#at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;) {
      this.#at += 1;
      byte = this.#bytes[this.#at];
    }
  }
}
