import { assert } from '../../kernel/assert.ts';
import { asBuffer } from '../../kernel/bytes/as-buffer.ts';
import type { Base64Memory } from '../../kernel/bytes/base64-memory.ts';
import { EntryPlace, readEntryAt } from '../../kernel/stream/packed-entries.ts';
import { SEQUENCE_NUMBER_BYTES, sequenceNumberWriter } from '../../kernel/stream/sequence-number.ts';
import type { ShardRef, StoredRun } from '../../ports/stream-store.ts';
import type { AnswerPieces } from './answer-pieces.ts';

const BEFORE_NUMBER = ',{"SequenceNumber":"';
const BEFORE_DATA = '","Data":"';
/** Longest text in front of a record's key: names, a 56 digit number, a time. */
const FRONT_BYTES = 256;
const CONSTANT_BYTES = 16;
/** Records that are looked at in one go; a multiple of three, so that pieces of one record's data fit together. */
const READ_BYTES = 96 * 1024;
/** What is written before it is taken away; behind it there is room for the worst of records. */
const WRITTEN_BYTES = 96 * 1024;
/** What the memory's functions touch behind an end. */
const BEYOND_BYTES = 16;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const CLOSE = 0x7d;

/** Bytes of data and key of some records, which limits of reads count. */
export function payloadBytes(runs: readonly StoredRun[]): number {
  const place = new EntryPlace();
  let payload = 0;
  for (const { bytes, from, to, count } of runs) {
    for (let index = 0, at = from; index < count; index += 1, at = place.end) {
      readEntryAt(bytes, at, to, place);
      payload += place.payloadBytes;
    }
  }
  return payload;
}

/**
 * Writes records of one shard as GetRecords answers them, straight from their packed form. All is put together in a
 * memory whose base64 is fast, and which everybody writes in: what one call writes it takes away itself.
 */
export class RecordsWriter {
  readonly #shard: ShardRef;
  readonly #text: Base64Memory;
  readonly #answer: AnswerPieces;
  readonly #place = new EntryPlace();
  readonly #isEncrypted: (arrival: number) => boolean;
  /** Where things stand in the memory: what goes in front of a key and behind it, records as read, text as written. */
  readonly #frontAt: number;
  readonly #beforeDataAt: number;
  readonly #readAt: number;
  readonly #writtenAt: number;
  #frontEnd = 0;
  /** How far the text goes. */
  #at: number;
  #isFirst = true;

  /** `isEncrypted` tells what is to be said of a record by its arrival, in ms. */
  constructor(shard: ShardRef, text: Base64Memory, answer: AnswerPieces, isEncrypted: (arrival: number) => boolean) {
    this.#isEncrypted = isEncrypted;
    this.#shard = shard;
    this.#text = text;
    this.#answer = answer;
    this.#frontAt = text.start;
    this.#beforeDataAt = this.#frontAt + FRONT_BYTES;
    this.#readAt = this.#beforeDataAt + CONSTANT_BYTES;
    this.#writtenAt = this.#readAt + READ_BYTES + BEYOND_BYTES;
    this.#at = this.#writtenAt;
  }

  /** Adds the records' JSON in UTF-8 to the answer, with a comma in front where others were written before. */
  write(runs: readonly StoredRun[]): void {
    const { bytes } = this.#text;
    bytes.write(BEFORE_NUMBER, this.#frontAt, 'latin1');
    bytes.write(BEFORE_DATA, this.#beforeDataAt, 'latin1');
    const writeNumber = sequenceNumberWriter(this.#shard, bytes, this.#frontAt + BEFORE_NUMBER.length);
    let arrival = -1;
    for (const run of runs) {
      if (run.at !== arrival) this.#writeArrival((arrival = run.at));
      this.#run(run, writeNumber);
    }
    this.#takeAway();
  }

  #run({ bytes: records, from, to, first, count }: StoredRun, writeNumber: (offset: number) => void): void {
    const { bytes } = this.#text;
    const place = this.#place;
    for (let index = 0, position = from; index < count;) {
      const end = Math.min(to, position + READ_BYTES);
      bytes.set(records.subarray(position, end), this.#readAt);
      const readEnd = this.#readAt + end - position;
      let read = this.#readAt;
      for (; index < count && readEntryAt(bytes, read, readEnd, place); index += 1, read = place.end) {
        writeNumber(first + index);
        this.#record();
      }
      if (read === this.#readAt) {
        writeNumber(first + index);
        read += this.#large(asBuffer(records), position, to);
        index += 1;
      }
      position += read - this.#readAt;
    }
  }

  /** The record at the place where it was read to. */
  #record(): void {
    const text = this.#text;
    const { keyAt, headersAt, dataAt, end } = this.#place;
    this.#front();
    this.#key(text.bytes, keyAt, headersAt);
    this.#at = text.encode(dataAt, end, this.#at);
    this.#end();
  }

  /** A record that is longer than what is looked at in one go; returns its length in packed form. */
  #large(records: Buffer, position: number, to: number): number {
    const { bytes } = this.#text;
    const place = this.#place;
    assert(readEntryAt(records, position, to, place), 'records of a run follow each other without gaps');
    this.#front();
    this.#key(records, place.keyAt, place.headersAt);
    for (let from = place.dataAt; from < place.end; from += READ_BYTES) {
      if (this.#at - this.#writtenAt > WRITTEN_BYTES) this.#takeAway();
      const piece = records.subarray(from, Math.min(place.end, from + READ_BYTES));
      bytes.set(piece, this.#readAt);
      this.#at = this.#text.encode(this.#readAt, this.#readAt + piece.length, this.#at);
    }
    this.#end();
    return place.end - position;
  }

  #front(): void {
    if (this.#at - this.#writtenAt > WRITTEN_BYTES) this.#takeAway();
    this.#text.copy(this.#frontAt, this.#frontEnd, this.#at);
    this.#at += this.#frontEnd - this.#frontAt;
  }

  /** Printable ASCII without quote and backslash stands for itself; any other key is escaped as JSON wants. */
  #key(from: Buffer, keyAt: number, keyEnd: number): void {
    const { bytes } = this.#text;
    const at = this.#at;
    for (let index = keyAt; index < keyEnd; index += 1) {
      const byte = from[index] as number;
      if (byte < 0x20 || byte > 0x7e || byte === QUOTE || byte === BACKSLASH) {
        this.#at = at + bytes.write(JSON.stringify(from.toString('utf8', keyAt, keyEnd)).slice(1, -1), at);
        break;
      }
      bytes[at + index - keyAt] = byte;
      this.#at += 1;
    }
    this.#text.copy(this.#beforeDataAt, this.#beforeDataAt + BEFORE_DATA.length, this.#at);
    this.#at += BEFORE_DATA.length;
  }

  #end(): void {
    const { bytes } = this.#text;
    bytes[this.#at] = QUOTE;
    bytes[this.#at + 1] = CLOSE;
    this.#at += 2;
  }

  #takeAway(): void {
    if (this.#at === this.#writtenAt) return;
    const from = this.#isFirst ? this.#writtenAt + 1 : this.#writtenAt;
    this.#isFirst = false;
    this.#answer.add(this.#text.bytes.subarray(from, this.#at));
    this.#at = this.#writtenAt;
  }

  #writeArrival(arrival: number): void {
    const encryption = this.#isEncrypted(arrival) ? '","EncryptionType":"KMS' : '';
    const text = `${encryption}","ApproximateArrivalTimestamp":${arrival / 1000},"PartitionKey":"`;
    const at = this.#frontAt + BEFORE_NUMBER.length + SEQUENCE_NUMBER_BYTES;
    this.#frontEnd = at + this.#text.bytes.write(text, at, 'latin1');
  }
}
