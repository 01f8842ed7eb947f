import { assert } from '../../kernel/assert.ts';
import { asBuffer } from '../../kernel/bytes/as-buffer.ts';
import type { Base64Memory } from '../../kernel/bytes/base64-memory.ts';
import { EntryPlace, readEntryAt } from '../../kernel/stream/packed-entries.ts';
import { SEQUENCE_NUMBER_BYTES, sequenceNumberWriter } from '../../kernel/stream/sequence-number.ts';
import type { ShardRef, StoredRun } from '../../ports/stream-store.ts';
import type { AnswerPieces } from './answer-pieces.ts';

/** Longest text in front of a record's key: names, a 56 digit number, a time. */
const FRONT_BYTES = 256;
/** Records that are looked at in one go; a multiple of three, so that pieces of one record's data fit together. */
const READ_BYTES = 96 * 1024;
/** What is written before it is taken away; behind it there is room for the worst of records. */
const WRITTEN_BYTES = 96 * 1024;
/** Bytes of one record that are written in one piece of work. */
const PIECE_BYTES = 512 * 1024;
/** What the memory's functions touch behind an end. */
const BEYOND_BYTES = 16;

/** How a form writes a record; texts have a character for each byte. */
export interface RecordWords {
  /** Bytes between two records, at the begin of each. */
  readonly separatorBytes: number;
  /** In front of the digits of the sequence number, as long for any record. */
  beforeNumber(isEncrypted: boolean): string;
  /** Between these and the partition key; `arrival` in ms. */
  afterNumber(arrival: number, isEncrypted: boolean): string;
  /** Writes a partition key in UTF-8 and what is in front of the data; returns the position after it. */
  writeKey(into: Buffer, at: number, from: Buffer, keyAt: number, keyEnd: number, dataBytes: number): number;
  /** Writes data, or a piece of it, whose length is a multiple of three but for the last; likewise. */
  writeData(memory: Base64Memory, from: number, to: number, at: number): number;
  /** Writes what is behind the data; likewise. */
  writeEnd(into: Buffer, at: number): number;
}

/**
 * Writes records of one shard as they are answered, straight from their packed form. All is put together in a memory
 * whose base64 and copies are fast, and which everybody writes in: what one call writes it takes away itself.
 */
export class RecordsWriter {
  readonly #words: RecordWords;
  readonly #shard: ShardRef;
  readonly #text: Base64Memory;
  readonly #answer: AnswerPieces;
  readonly #place = new EntryPlace();
  readonly #isEncrypted: (arrival: number) => boolean;
  /** Where things stand in the memory: what goes in front of a key, records as read, text as written. */
  readonly #frontAt: number;
  readonly #readAt: number;
  readonly #writtenAt: number;
  #frontEnd = 0;
  /** How far the text goes. */
  #at: number;
  #isFirst = true;

  /** `isEncrypted` tells what is to be said of a record by its arrival, in ms. */
  constructor(
    words: RecordWords,
    shard: ShardRef,
    text: Base64Memory,
    answer: AnswerPieces,
    isEncrypted: (arrival: number) => boolean,
  ) {
    this.#words = words;
    this.#isEncrypted = isEncrypted;
    this.#shard = shard;
    this.#text = text;
    this.#answer = answer;
    this.#frontAt = text.start;
    this.#readAt = this.#frontAt + FRONT_BYTES;
    this.#writtenAt = this.#readAt + READ_BYTES + BEYOND_BYTES;
    this.#at = this.#writtenAt;
  }

  /**
   * Adds the records' text to the answer, with a separator in front where others were written before; in pieces of work
   * where one record alone is more than a piece. All that a read gives beside is one.
   */
  *write(runs: readonly StoredRun[]): Generator<undefined, void> {
    const numberAt = this.#frontAt + this.#words.beforeNumber(false).length;
    let writeNumber = sequenceNumberWriter(this.#shard, this.#text.bytes, numberAt);
    let arrival = -1;
    for (const run of runs) {
      if (run.at !== arrival) this.#writeFront((arrival = run.at), numberAt);
      if (run.count > 1 || run.to - run.from <= PIECE_BYTES) this.#run(run, writeNumber);
      else {
        writeNumber(run.first);
        yield* this.#large(asBuffer(run.bytes), run.from, run.to);
        // Meanwhile others wrote there.
        writeNumber = sequenceNumberWriter(this.#shard, this.#text.bytes, numberAt);
        arrival = -1;
      }
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
        const large = this.#large(asBuffer(records), position, to);
        while (large.next().done !== true);
        read += this.#place.end - position;
        index += 1;
      }
      position += read - this.#readAt;
    }
  }

  /** The record at the place where it was read to. */
  #record(): void {
    const { bytes } = this.#text;
    const { dataAt, end } = this.#place;
    this.#begin(bytes);
    this.#at = this.#words.writeData(this.#text, dataAt, end, this.#at);
    this.#at = this.#words.writeEnd(bytes, this.#at);
  }

  /** A record that is longer than what is looked at in one go; when a piece is over, nothing of it is in the memory. */
  *#large(records: Buffer, position: number, to: number): Generator<undefined, void> {
    const { bytes } = this.#text;
    const place = this.#place;
    assert(readEntryAt(records, position, to, place), 'records of a run follow each other without gaps');
    this.#begin(records);
    let written = 0;
    for (let from = place.dataAt; from < place.end; from += READ_BYTES) {
      if (this.#at - this.#writtenAt > WRITTEN_BYTES) this.#takeAway();
      if (written >= PIECE_BYTES) {
        this.#takeAway();
        written = 0;
        yield;
      }
      written += READ_BYTES;
      const piece = records.subarray(from, Math.min(place.end, from + READ_BYTES));
      bytes.set(piece, this.#readAt);
      this.#at = this.#words.writeData(this.#text, this.#readAt, this.#readAt + piece.length, this.#at);
    }
    this.#at = this.#words.writeEnd(bytes, this.#at);
  }

  /** All that stands in front of the data of the record at the place, whose key is read from `records`. */
  #begin(records: Buffer): void {
    if (this.#at - this.#writtenAt > WRITTEN_BYTES) this.#takeAway();
    const { keyAt, headersAt, dataAt, end } = this.#place;
    this.#text.copy(this.#frontAt, this.#frontEnd, this.#at);
    const at = this.#at + this.#frontEnd - this.#frontAt;
    this.#at = this.#words.writeKey(this.#text.bytes, at, records, keyAt, headersAt, end - dataAt);
  }

  #takeAway(): void {
    if (this.#at === this.#writtenAt) return;
    const from = this.#isFirst ? this.#writtenAt + this.#words.separatorBytes : this.#writtenAt;
    this.#isFirst = false;
    this.#answer.add(this.#text.bytes.subarray(from, this.#at));
    this.#at = this.#writtenAt;
  }

  /** What records of one arrival have in common; their numbers are written in between. */
  #writeFront(arrival: number, numberAt: number): void {
    const { bytes } = this.#text;
    const isEncrypted = this.#isEncrypted(arrival);
    bytes.write(this.#words.beforeNumber(isEncrypted), this.#frontAt, 'latin1');
    const at = numberAt + SEQUENCE_NUMBER_BYTES;
    this.#frontEnd = at + bytes.write(this.#words.afterNumber(arrival, isEncrypted), at, 'latin1');
  }
}
