import type { RecordBatch } from '../../ports/records.ts';

/** The input of a PutRecord or PutRecords, read from a plain body. */
export interface ScannedPut {
  readonly StreamName: string;
  /** The records as they stand in the body, which must not change meanwhile. */
  readonly batch: RecordBatch;
}

/**
 * Reads the bodies of puts without making objects of them: plain members, plain texts, nothing that AWS would refuse,
 * as far as one can see without a look inside the data. Undefined for anything else, which a full parse then judges.
 * The batch says the same of data that turns out to be malformed; all else is what the full parse would return.
 */
export interface PutScan {
  /** Of PutRecord. */
  one(body: Uint8Array): ScannedPut | undefined;
  /** Of PutRecords. */
  many(body: Uint8Array): ScannedPut | undefined;
}

/** Members that a plain body may have, by their place in NAMES. */
export const member = { unknown: 0, stream: 1, records: 2, data: 3, key: 4, hashKey: 5 } as const;

/** The names of `member`. */
export const NAMES = ['', 'StreamName', 'Records', 'Data', 'PartitionKey', 'ExplicitHashKey'] as const;

const STREAM_NAME = /^[a-zA-Z0-9_.-]{1,128}$/;

/** What stands there, when it can be the name of a stream. */
export function streamNameAt(bytes: Buffer, from: number, to: number): string | undefined {
  const text = bytes.toString('latin1', from, to);
  return STREAM_NAME.test(text) ? text : undefined;
}
