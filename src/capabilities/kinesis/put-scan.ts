import { decodeBase64, openArena, type Base64Arena } from '../../kernel/bytes/base64.ts';
import { kinesisLimits } from './limits.ts';

/** One record, read from a plain body. */
export interface ScannedData {
  readonly Data: Uint8Array;
  readonly PartitionKey: string;
  readonly ExplicitHashKey?: string;
}

/** PutRecords' input, read from a plain body. */
export interface ScannedBatch {
  readonly Records: readonly ScannedData[];
  readonly StreamName: string;
}

/** PutRecord's input, read from a plain body. */
export interface ScannedRecord extends ScannedData {
  readonly StreamName: string;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN = 0x7b;
const CLOSE = 0x7d;
/** Printable ASCII without quote and backslash: a text that stands for itself. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
const STREAM_NAME = /^[a-zA-Z0-9_.-]{1,128}$/;
const HASH_KEY = /^(?:0|[1-9]\d{0,38})$/;
const PARTITION_KEY_MAX = 256;

/**
 * Reads the body of a PutRecords without a JSON tree: plain members, plain texts, strict base64, nothing that AWS would
 * refuse. Undefined for anything else, which a full parse then judges: what it returns is what that would return.
 */
export function scanPutRecords(body: Uint8Array): ScannedBatch | undefined {
  const scanner = new Scanner(body);
  let records: readonly ScannedData[] | undefined;
  let stream: string | undefined;
  const isWhole = scanner.members((name) => {
    if (name === 'Records' && records === undefined) return (records = scanner.records()) !== undefined;
    if (name === 'StreamName' && stream === undefined) return (stream = scanner.text(STREAM_NAME)) !== undefined;
    return false;
  });
  if (!isWhole || !scanner.isAtEnd() || records === undefined || stream === undefined) return undefined;
  return { Records: records, StreamName: stream };
}

/** The same for PutRecord. */
export function scanPutRecord(body: Uint8Array): ScannedRecord | undefined {
  const scanner = new Scanner(body);
  const entry = new ScannedEntry();
  let stream: string | undefined;
  const isWhole = scanner.members((name) => {
    if (name === 'StreamName' && stream === undefined) return (stream = scanner.text(STREAM_NAME)) !== undefined;
    return scanner.entryMember(entry, name);
  });
  if (!isWhole || !scanner.isAtEnd() || stream === undefined || !entry.isWhole()) return undefined;
  return { ...entry.done(), StreamName: stream };
}

/** One record while its members are read. */
class ScannedEntry {
  data: Uint8Array | undefined;
  key: string | undefined;
  hashKey: string | undefined;

  isWhole(): boolean {
    return this.data !== undefined && this.key !== undefined;
  }

  done(): ScannedData {
    const entry = { Data: this.data as Uint8Array, PartitionKey: this.key as string };
    return this.hashKey === undefined ? entry : { ...entry, ExplicitHashKey: this.hashKey };
  }
}

/** A place in a body; each reading method moves it on and says undefined or false where the body is not plain. */
class Scanner {
  readonly #bytes: Buffer;
  readonly #arena: Base64Arena | undefined;
  #at = 0;

  constructor(body: Uint8Array) {
    this.#bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
    this.#arena = openArena(body.length);
  }

  isAtEnd(): boolean {
    this.#skipBlanks();
    return this.#at === this.#bytes.length;
  }

  /** Reads an object with at least one member; `take` reads the value of each. */
  members(take: (name: string) => boolean): boolean {
    if (!this.#symbol(OPEN)) return false;
    for (;;) {
      const name = this.text(PLAIN);
      if (name === undefined || !this.#symbol(COLON) || !take(name)) return false;
      if (this.#symbol(COMMA)) continue;
      return this.#symbol(CLOSE);
    }
  }

  records(): readonly ScannedData[] | undefined {
    if (!this.#symbol(OPEN_LIST)) return undefined;
    const records: ScannedData[] = [];
    do {
      const entry = new ScannedEntry();
      const isWhole = this.members((name) => this.entryMember(entry, name)) && entry.isWhole();
      if (!isWhole || records.length === kinesisLimits.putRecordsCountMax) return undefined;
      records.push(entry.done());
    } while (this.#symbol(COMMA));
    return this.#symbol(CLOSE_LIST) ? records : undefined;
  }

  entryMember(entry: ScannedEntry, name: string): boolean {
    if (name === 'Data' && entry.data === undefined) return (entry.data = this.#data()) !== undefined;
    if (name === 'PartitionKey' && entry.key === undefined) {
      entry.key = this.text(PLAIN);
      return entry.key !== undefined && entry.key.length > 0 && entry.key.length <= PARTITION_KEY_MAX;
    }
    if (name === 'ExplicitHashKey' && entry.hashKey === undefined) {
      return (entry.hashKey = this.text(HASH_KEY)) !== undefined;
    }
    return false;
  }

  /** A text without escapes that the pattern, which takes no quote and no backslash, fits. */
  text(pattern: RegExp): string | undefined {
    const text = this.#quoted();
    return text !== undefined && pattern.test(text) ? text : undefined;
  }

  #data(): Uint8Array | undefined {
    const text = this.#quoted();
    if (text === undefined) return undefined;
    const bytes = decodeBase64(text, this.#arena);
    return bytes !== undefined && bytes.length <= kinesisLimits.recordBytesMax ? bytes : undefined;
  }

  /** What stands between two quotes. A backslash in it fits neither base64 nor a pattern of ours. */
  #quoted(): string | undefined {
    if (!this.#symbol(QUOTE)) return undefined;
    const end = this.#bytes.indexOf(QUOTE, this.#at);
    if (end < 0) return undefined;
    const text = this.#bytes.toString('latin1', this.#at, end);
    this.#at = end + 1;
    return text;
  }

  /** Whether the next byte that is no blank is this one; goes on behind it when it is. */
  #symbol(byte: number): boolean {
    this.#skipBlanks();
    if (this.#bytes[this.#at] !== byte) return false;
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
