import { createByteBudget } from '../../kernel/flow/byte-budget.ts';
import type { Batch } from '../../ports/destination.ts';
import type { Environment } from '../../ports/environment.ts';
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
/** Of the requests of all deliveries with their answers. */
const HELD_TOGETHER_BYTES_MAX = 128 * 1024 * 1024;

const budget = createByteBudget(HELD_TOGETHER_BYTES_MAX);

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

/**
 * Does what holds a request and its answer within these bounds; waits while other deliveries hold too much. Undefined:
 * `signal` aborted first, and nothing was done.
 */
export async function withBulkMemory<T>(
  { bytesMax, answerBytesMax }: AttemptBounds,
  { meter }: Pick<Environment, 'meter'>,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T | undefined> {
  const bytes = bytesMax + answerBytesMax;
  const measure = (): void => meter.gauge('opensearch_held_bytes', {}, budget.usedBytes);
  if (!(await budget.take(bytes, signal))) return undefined;
  measure();
  try {
    return await work();
  } finally {
    budget.giveBack(bytes);
    measure();
  }
}
