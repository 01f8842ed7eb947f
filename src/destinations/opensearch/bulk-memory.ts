import type { Batch } from '../../ports/destination.ts';
import type { BulkBounds } from './bulk-body.ts';

/** Bytes and documents of one request: what engines take well, and what is answered in a turn's time. */
const BULK_BOUNDS = { bytesMax: 10 * 1024 * 1024, documentsMax: 5000 } as const;
const BODY_BYTES_MIN = 64 * 1024;
/** Around a document: where it goes, and under which id. */
const ACTION_BYTES = 512;
/** Small records can be many in one that a producer packed. */
const DOCUMENT_BYTES = 200;
/** An answer with nothing about documents. */
const ANSWER_BYTES_MIN = 64 * 1024;
/** Of what is wrong with one document: several times of what engines say of it. */
const ANSWER_DOCUMENT_BYTES = 3300;
/** What is made of an answer, for each document. */
const VERDICT_BYTES = 1024;

/** What an attempt asks at most in one request, and takes as its answer. */
export interface AttemptBounds extends BulkBounds {
  readonly answerBytesMax: number;
}

/** Bounds of an attempt with this batch: no more than it can come to, nor than one request may hold. */
export function attemptBounds({ sizeBytes, recordCount }: Pick<Batch, 'sizeBytes' | 'recordCount'>): AttemptBounds {
  const whole = sizeBytes + recordCount * ACTION_BYTES;
  const bytesMax = Math.min(BULK_BOUNDS.bytesMax, Math.max(BODY_BYTES_MIN, whole));
  const documents = Math.max(recordCount, Math.ceil(sizeBytes / DOCUMENT_BYTES));
  const documentsMax = Math.min(BULK_BOUNDS.documentsMax, documents);
  return { bytesMax, documentsMax, answerBytesMax: ANSWER_BYTES_MIN + documentsMax * ANSWER_DOCUMENT_BYTES };
}

/** What an attempt within these bounds holds: one request and its answer, as it came and as it is read. */
export function attemptBytes({ bytesMax, documentsMax, answerBytesMax }: AttemptBounds): number {
  return bytesMax + answerBytesMax + documentsMax * VERDICT_BYTES;
}
