import { availableParallelism } from 'node:os';
import { BufferPool } from '../../kernel/bytes/buffer-pool.ts';
import { createByteBudget } from '../../kernel/flow/byte-budget.ts';
import type { Compute, Meter } from '../../ports/environment.ts';
import { GZIP_PIECE_BYTES, gzipMember } from '../encoding/gzip-member.ts';
import { SNAPPY_PIECE_BYTES, snappyStream } from '../encoding/snappy-stream.ts';
import { sharedMemory } from './encoding-thread.ts';
import { EncodingThreads } from './encoding-threads.ts';

const THREADS_MAX = 3;
/** Of each thread: one that it works on and one that waits there, so that it need not. */
const PIECES_EACH = 2;
/** Pieces of one output beyond those in work: what is filled next. */
const AHEAD = 1;

/** With what it holds beside memory. */
export interface NodeCompute extends Compute {
  /** Ends its threads. */
  close(): Promise<void>;
}

/** GZIP and Snappy in threads of our own, as many as there are cores up to three: the platform's are the disk's. */
export function createNodeCompute(meter: Meter): NodeCompute {
  const count = Math.min(THREADS_MAX, availableParallelism());
  const inWorkMax = count * PIECES_EACH;
  const threads = new EncodingThreads(count);
  const gzipPool = new BufferPool(GZIP_PIECE_BYTES, inWorkMax + AHEAD, sharedMemory);
  const snappyPool = new BufferPool(SNAPPY_PIECE_BYTES, inWorkMax + AHEAD, sharedMemory);
  const inGzip = boundedWork(inWorkMax * GZIP_PIECE_BYTES, 'gzip', meter);
  const inSnappy = boundedWork(inWorkMax * SNAPPY_PIECE_BYTES, 'snappy', meter);
  return {
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
    close: async () => await threads.close(),
  };
}

type Bounded = <T>(bytes: number, work: () => Promise<T>) => Promise<T>;

/** Work on at most so many bytes at once, whoever asks; the others wait in line, and a gauge tells how many. */
function boundedWork(bytesMax: number, format: string, meter: Meter): Bounded {
  const budget = createByteBudget(bytesMax);
  const tell = (): void => meter.gauge('encoding_waiting_pieces', { format }, budget.waiting);
  return async (bytes, work) => {
    // A signal that many wait for would be warned of.
    const taking = budget.take(bytes, new AbortController().signal);
    tell();
    await taking;
    tell();
    try {
      return await work();
    } finally {
      budget.giveBack(bytes);
    }
  };
}
