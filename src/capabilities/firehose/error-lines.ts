import { asBuffer } from '../../kernel/bytes/as-buffer.ts';
import { shardId } from '../../kernel/names.ts';
import { encodeSequenceNumber } from '../../kernel/stream/sequence-number.ts';
import type { Json } from '../../ports/catalog.ts';
import type { OutgoingRecord } from '../../ports/destination.ts';
import { countOf, type Gap } from './model.ts';

/** The word in keys and of lines for records that were gone before they were delivered; AWS has none for it. */
export const GONE = 'retention-exceeded';

/** The word in keys and of lines for records that a function could not process (AWS's). */
export const UNPROCESSED = 'processing-failed';

/** Why a record was given up. */
export interface Failure {
  /** AWS's error code, such as `HttpEndpoint.DestinationException`. */
  readonly code: string;
  readonly message: string;
  /** Attempts made with it. */
  readonly attempts: number;
  /** When the last one ended, in ms. */
  readonly at: number;
  /** What was to process it, as it was given; absent: it failed at its destination. */
  readonly lambdaArn?: string;
}

/** AWS's line for a record that was given up, with what only its destination has; ends with a line end. */
export function failedLine(
  record: OutgoingRecord,
  { code, message, attempts, at }: Failure,
  own: Readonly<Record<string, Json>>,
): Buffer {
  const line = {
    attemptsMade: attempts,
    arrivalTimestamp: record.at,
    errorCode: code,
    errorMessage: message,
    attemptEndingTimestamp: at,
    rawData: asBuffer(record.data).toString('base64'),
    ...own,
  };
  return Buffer.from(`${JSON.stringify(line)}\n`);
}

/** The line for records that were gone: how many numbers, from which to which, if known; ends with a line end. */
export function goneLine({ cause, isOpen, ...range }: Gap): Buffer {
  const isKnown = isOpen !== true;
  const line = {
    errorCode: cause,
    errorMessage: isKnown ? SENTENCES[cause] : UNCOUNTED,
    shardId: shardId(range.ordinal),
    fromSequenceNumber: encodeSequenceNumber(range, range.from),
    toSequenceNumber: isKnown ? encodeSequenceNumber(range, range.to - 1n) : null,
    records: isKnown ? countOf(range) : null,
  };
  return Buffer.from(`${JSON.stringify(line)}\n`);
}

const UNCOUNTED =
  'The stream was deleted while it was not being delivered: how many records it held from there on, nobody knows.';

const SENTENCES: Readonly<Record<Gap['cause'], string>> = {
  RetentionExceeded: 'Retention removed the records before they were delivered.',
  StreamDeleted: 'The stream was deleted before the records were delivered.',
  LogDamaged: 'The log does not hold what was written there.',
};
