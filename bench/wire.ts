import { cbor } from './wires/cbor.ts';
import { json } from './wires/json.ts';

/** Where an answer of GetRecords says to go on. */
export interface ReadPlace {
  readonly iterator: string;
  /** Nothing is behind it. */
  readonly isAtTip: boolean;
}

/**
 * How requests are written and answers searched, so that the client never parses one. A record's data begins with two
 * numbers of `DIGITS` digits and ends with the filler; both make 1,024 bytes.
 */
export interface Wire {
  readonly name: WireName;
  readonly contentType: string;
  /** Stands in front of a record's data. */
  readonly dataMark: Buffer;
  /** Stands in front of a partition key of `DIGITS` digits. */
  readonly keyMark: Buffer;
  readonly filler: Buffer;
  /** Whether data or key that was as long as it should be ends here. */
  isClosed(body: Buffer, at: number): boolean;
  /** Where the key of the record begins whose data begins at `start`; -1 where it has none. */
  findKey(body: Buffer, start: number): number;
  /** Body of a PutRecords of `count` records, all numbers zero; `isSingle`: of a PutRecord. */
  putBody(stream: string, count: number, isSingle: boolean): Buffer;
  /** Any input, as plain values. */
  input(value: object): Buffer;
  /** Whether an answer of PutRecords says that all were stored. */
  isStored(body: Buffer): boolean;
  /** Undefined when an answer of GetRecords does not say. */
  readPlace(body: Buffer): ReadPlace | undefined;
}

/** For `--wire`. */
export type WireName = 'json' | 'cbor';

/** All of them by name. */
export const wires: Readonly<Record<WireName, Wire>> = { json, cbor };
