import { availableParallelism } from 'node:os';
import { BufferPool } from '../../kernel/bytes/buffer-pool.ts';
import { createByteBudget } from '../../kernel/flow/byte-budget.ts';
import type { Compute, Meter } from '../../ports/environment.ts';
import { GZIP_PIECE_BYTES, gzipMember } from '../encoding/gzip-member.ts';
import { SNAPPY_PIECE_BYTES, snappyStream } from '../encoding/snappy-stream.ts';
import { sharedMemory } from './encoding-thread.ts';
import { EncodingThreads } from './encoding-threads.ts';
import { inflateIfSmall, inflateInPieces } from './inflate.ts';
import { isSignedAtOnce, isSignedInThread, SIGNED_AT_ONCE_BYTES } from './signed.ts';

const THREADS_MAX = 3;
/** Of each thread: one that it works on and one that waits there, so that it need not. */
const PIECES_EACH = 2;
/** Pieces of one output beyond those in work: what is filled next. */
const AHEAD = 1;
/** Of the platform's four threads two are left to the disk. */
const PLATFORM_THREADS_MAX = 2;

/** With what it holds beside memory. */
export interface NodeCompute extends Compute {
  /** Ends its threads. */
  close(): Promise<void>;
}

/**
 * GZIP and Snappy in threads of our own, as many as there are cores up to three: the platform's are the disk's. What
 * comes in compressed is seldom large, and takes a millisecond of theirs at a time; a public-key signature over many
 * MiB takes one for as long as it lasts.
 */
export function createNodeCompute(meter: Meter): NodeCompute {
  const count = Math.min(THREADS_MAX, availableParallelism());
  const inWorkMax = count * PIECES_EACH;
  const threads = new EncodingThreads(count);
  const gzipPool = new BufferPool(GZIP_PIECE_BYTES, inWorkMax + AHEAD, sharedMemory);
  const snappyPool = new BufferPool(SNAPPY_PIECE_BYTES, inWorkMax + AHEAD, sharedMemory);
  const tellOf = (format: string) => (waiting: number) => meter.gauge('encoding_waiting_pieces', { format }, waiting);
  const inGzip = boundedWork(inWorkMax * GZIP_PIECE_BYTES, tellOf('gzip'));
  const inSnappy = boundedWork(inWorkMax * SNAPPY_PIECE_BYTES, tellOf('snappy'));
  const onPlatform = boundedWork(PLATFORM_THREADS_MAX, (waiting) => meter.gauge('thread_waiting_bodies', {}, waiting));
  return {
    // What is filled last has a piece beside those that are ahead.
    gzipHoldsBytes: (inWorkMax + AHEAD + 1) * GZIP_PIECE_BYTES,
    snappyHoldsBytes: (inWorkMax + AHEAD + 1) * SNAPPY_PIECE_BYTES,
    gzip: (chunks) =>
      gzipMember(chunks, {
        pool: gzipPool,
        aheadMax: inWorkMax + AHEAD,
        deflate: async (piece, dictionary) =>
          await inGzip(piece.length, async () => await threads.encode({ dictionary }, piece)),
      }),
    snappy: (chunks, framing) =>
      snappyStream(chunks, framing, {
        pool: snappyPool,
        aheadMax: inWorkMax + AHEAD,
        encode: async (how, piece) =>
          await inSnappy(piece.length, async () => await threads.encode({ framing: how }, piece)),
      }),
    inflate: async (bytes, encoding, maxBytes, room) =>
      (await inflateIfSmall(bytes, encoding, maxBytes, room)) ??
      (await onPlatform(1, async () => await inflateInPieces(bytes, encoding, maxBytes, room))),
    isSigned: async (bytes, key, signature) =>
      bytes.length <= SIGNED_AT_ONCE_BYTES
        ? isSignedAtOnce(bytes, key, signature)
        : await onPlatform(1, async () => await isSignedInThread(bytes, key, signature)),
    close: async () => await threads.close(),
  };
}

type Bounded = <T>(amount: number, work: () => Promise<T>) => Promise<T>;

/** Work on at most so much at once, whoever asks; the others wait in line, and `tell` hears how many. */
function boundedWork(amountMax: number, tell: (waiting: number) => void): Bounded {
  const budget = createByteBudget(amountMax);
  return async (amount, work) => {
    // A signal that many wait for would be warned of.
    const taking = budget.take(amount, new AbortController().signal);
    tell(budget.waiting);
    await taking;
    tell(budget.waiting);
    try {
      return await work();
    } finally {
      budget.giveBack(amount);
    }
  };
}
