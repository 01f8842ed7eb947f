/**
 * Records that prove themselves: 1,024 bytes of data that begin, as the wire writes them, with two numbers of 12 digits,
 * the record's own and the time it was sent at, and go on with the same filler in every record. Numbers are written and
 * read where they stand.
 */
import type { Wire } from './wire.ts';

/** Of a number in a record's data, and of its key. */
export const DIGITS = 12;

/** Bytes of one record's data. */
export const recordBytes = 1024;

const ZERO = 48;

/** What follows the numbers. */
export function fillerBytes(count: number): Buffer {
  return Buffer.alloc(count, 'the rest of the record stays the same; ');
}

/** In two halves of six digits: what fits 32 bits is divided three times as fast. */
function writeNumber(into: Buffer, at: number, value: number): void {
  const high = Math.floor(value / 1e6);
  writeHalf(into, at, high);
  writeHalf(into, at + DIGITS / 2, value - high * 1e6);
}

function writeHalf(into: Buffer, at: number, value: number): void {
  let rest = value | 0;
  for (let place = at + DIGITS / 2 - 1; place >= at; place -= 1) {
    const next = (rest / 10) | 0;
    into[place] = ZERO + rest - next * 10;
    rest = next;
  }
}

/** NaN for what is no number. */
function readNumber(from: Buffer, at: number): number {
  let value = 0;
  for (let place = at; place < at + DIGITS; place += 1) {
    const digit = (from[place] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** Body of PutRecord or PutRecords whose numbers are written in place, so that sending costs the client little. */
export class PutBody {
  readonly body: Buffer;
  private readonly dataAt: readonly number[];
  /** From a record's data to its key. */
  private readonly keyAfter: number;

  /** `count` records in one request; `isSingle`: a PutRecord. */
  constructor(wire: Wire, stream: string, count: number, isSingle: boolean) {
    const { dataMark, keyMark } = wire;
    this.body = wire.putBody(stream, count, isSingle);
    const dataAt: number[] = [];
    for (let at = this.body.indexOf(dataMark); at >= 0; at = this.body.indexOf(dataMark, at + 1)) {
      dataAt.push(at + dataMark.length);
    }
    this.dataAt = dataAt;
    const [first = 0] = dataAt;
    this.keyAfter = this.body.indexOf(keyMark, first) + keyMark.length - first;
  }

  /** Numbers the records `first`, `first + 1`, ..., each its own partition key; `timeUs` is the same in all. */
  number(first: number, timeUs = 0): Buffer {
    const { body, keyAfter } = this;
    for (let index = 0; index < this.dataAt.length; index += 1) {
      const at = this.dataAt[index] ?? 0;
      writeNumber(body, at, first + index);
      if (timeUs !== 0) writeNumber(body, at + DIGITS, timeUs);
      writeNumber(body, at + keyAfter, first + index);
    }
    return body;
  }
}

/** What came back: each record must come once, whole, under its own key, and in order per writer and shard. */
export class Verdict {
  readonly problems: string[] = [];
  count = 0;
  readonly wire: Wire;
  /** Bytes of a record's data as the wire writes it. */
  private readonly dataLength: number;
  private readonly seen: Uint8Array;
  private readonly idsPerWriter: number;
  /** From the data to the key of the same record, as it was in the record before. */
  private keyGap = 0;
  /** From one record to the next, likewise. */
  private stride = 0;

  /** Ids are below `idsMax`; those of writer N begin at N times `idsPerWriter`. */
  constructor(wire: Wire, idsMax: number, idsPerWriter: number) {
    this.wire = wire;
    this.dataLength = 2 * DIGITS + wire.filler.length;
    this.seen = new Uint8Array(idsMax);
    this.idsPerWriter = idsPerWriter;
  }

  /**
   * Checks one GetRecords answer; `last` holds the newest id of each writer in this shard, -1 at first. `onTime` hears
   * when each record was sent. Returns the records in the answer.
   */
  take(body: Buffer, last: Float64Array, onTime?: (timeUs: number) => void): number {
    const { dataMark } = this.wire;
    let found = 0;
    for (let at = body.indexOf(dataMark); at >= 0; at = this.nextData(body, at)) {
      const start = at + dataMark.length;
      this.takeRecord(body, start, last);
      onTime?.(readNumber(body, start + DIGITS));
      found += 1;
    }
    this.count += found;
    return found;
  }

  /** Records of one answer mostly have the same length: looking there first is cheaper than a search. */
  private nextData(body: Buffer, at: number): number {
    const { dataMark } = this.wire;
    const guess = at + this.stride;
    if (this.stride > 0 && startsWith(body, guess, dataMark)) return guess;
    const found = body.indexOf(dataMark, at + dataMark.length + this.dataLength);
    if (found >= 0) this.stride = found - at;
    return found;
  }

  /** Whether the record came back. */
  has(id: number): boolean {
    return this.seen[id] === 1;
  }

  private takeRecord(body: Buffer, start: number, last: Float64Array): void {
    const { wire } = this;
    const end = start + this.dataLength;
    const isWhole =
      wire.isClosed(body, end) && body.compare(wire.filler, 0, wire.filler.length, start + 2 * DIGITS, end) === 0;
    const id = readNumber(body, start);
    if (!isWhole) this.problem(`corrupt ${id}`);
    if (!this.hasKey(body, start)) this.problem(`another key at ${id}`);
    if (this.seen[id] !== 0) {
      this.problem(`doubled or unknown ${id}`);
      return;
    }
    this.seen[id] = 1;
    const writer = Math.floor(id / this.idsPerWriter);
    if (id <= (last[writer] ?? 0)) this.problem(`misordered ${id}`);
    last[writer] = id;
  }

  private hasKey(body: Buffer, start: number): boolean {
    if (this.keyGap !== 0 && this.isKey(body, start)) return true;
    // Another length or order of members.
    const at = this.wire.findKey(body, start);
    if (at < 0) return false;
    this.keyGap = at - start;
    return this.isKey(body, start);
  }

  private isKey(body: Buffer, start: number): boolean {
    const at = start + this.keyGap;
    return sameDigits(body, start, at) && this.wire.isClosed(body, at + DIGITS);
  }

  private problem(text: string): void {
    if (this.problems.length < 5) this.problems.push(text);
  }
}

function startsWith(body: Buffer, at: number, text: Buffer): boolean {
  for (let place = 0; place < text.length; place += 1) if (body[at + place] !== text[place]) return false;
  return true;
}

function sameDigits(body: Buffer, one: number, other: number): boolean {
  for (let place = 0; place < DIGITS; place += 1) if (body[one + place] !== body[other + place]) return false;
  return true;
}
