import { openBase64Memory, type Base64Memory } from '../../kernel/bytes/base64-memory.ts';
import { BufferPool } from '../../kernel/bytes/buffer-pool.ts';

const PIECE_BYTES = 1024 * 1024;
/** Pieces kept for reads: a GetRecords uses two, or more where other shards' records lie between. */
const READS_KEPT = 16;
/** Pieces kept for answers: some four of full size. */
const ANSWERS_KEPT = 48;

/** Memory that GetRecords uses again and again. */
export interface AnswerMemory {
  /** For what comes from the log. */
  readonly reads: BufferPool;
  /** For answers until they are sent. */
  readonly answers: BufferPool;
  /** For a part of an answer, as long as it is written: within one turn of the loop. */
  readonly text: Base64Memory;
}

/** Bytes of `text`, in pages of 64 KiB. */
const TEXT_PAGES = 16;

/** Memory for all of a node's GetRecords. */
export function openAnswerMemory(): AnswerMemory {
  return {
    reads: new BufferPool(PIECE_BYTES, READS_KEPT),
    answers: new BufferPool(PIECE_BYTES, ANSWERS_KEPT),
    text: openBase64Memory(TEXT_PAGES),
  };
}
