import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { deflateRaw, type ZlibOptions } from 'node:zlib';
import { BufferPool } from '../../kernel/bytes/buffer-pool.ts';
import { createByteBudget } from '../../kernel/flow/byte-budget.ts';
import type { Compute, Meter } from '../../ports/environment.ts';
import { GZIP_PIECE_BYTES, gzipMember, type Deflate } from '../encoding/gzip-member.ts';
import { SNAPPY_PIECE_BYTES, snappyStream } from '../encoding/snappy-stream.ts';
import { EncodingThread } from './encoding-thread.ts';

/** Of the platform's four threads one at least stays free for the disk. */
const DEFLATING_MAX = 3;
/** Pieces that wait in the encoding thread, so that it need not. */
const ENCODING_MAX = 4;
/** Pieces of one output beyond those in work: what is filled next. */
const AHEAD = 1;

const deflateInPool = promisify<Uint8Array, ZlibOptions, Buffer>(deflateRaw);

/** GZIP in the platform's thread pool, on as many cores as there are up to three; Snappy in a thread of its own. */
export function createNodeCompute(meter: Meter): Compute {
  const deflating = Math.min(DEFLATING_MAX, availableParallelism());
  const gzipPool = new BufferPool(GZIP_PIECE_BYTES, deflating + AHEAD);
  const snappyPool = new BufferPool(SNAPPY_PIECE_BYTES, ENCODING_MAX);
  const thread = new EncodingThread(snappyPool);
  const inGzip = boundedWork(deflating * GZIP_PIECE_BYTES, 'gzip', meter);
  const inSnappy = boundedWork(ENCODING_MAX * SNAPPY_PIECE_BYTES, 'snappy', meter);
  const deflate: Deflate = async (piece, options) =>
    await inGzip(piece.length, async () => await deflateInPool(piece, options));
  return {
    gzip: (chunks) => gzipMember(chunks, { pool: gzipPool, aheadMax: deflating + AHEAD, deflate }),
    snappy: (chunks, framing) =>
      snappyStream(chunks, framing, {
        pool: snappyPool,
        aheadMax: AHEAD + 1,
        encode: async (how, piece) => await inSnappy(piece.length, async () => await thread.encode(how, piece)),
      }),
  };
}

type Bounded = (bytes: number, work: () => Promise<Uint8Array>) => Promise<Uint8Array>;

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
