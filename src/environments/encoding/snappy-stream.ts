import type { BufferPool } from '../../kernel/bytes/buffer-pool.ts';
import { SNAPPY_BLOCK_BYTES, snappyHead, type SnappyFraming } from '../../kernel/bytes/snappy-frames.ts';
import { inOrder, piecesOf, type Piece } from './pieces.ts';

/** A whole number of blocks; encoding one takes a millisecond or two. */
export const SNAPPY_PIECE_BYTES = 8 * SNAPPY_BLOCK_BYTES;

/** Where the frames of a stream are made. */
export interface SnappyParts {
  /** Of `SNAPPY_PIECE_BYTES`. */
  readonly pool: BufferPool;
  /** Pieces of one stream in work at once. */
  readonly aheadMax: number;
  /** The frames of a piece; whoever does it gives its memory back to the pool. */
  readonly encode: (framing: SnappyFraming, piece: Piece) => Promise<Uint8Array>;
}

/** All chunks as a stream of Snappy blocks. */
export async function* snappyStream(
  chunks: AsyncIterable<Uint8Array>,
  framing: SnappyFraming,
  { pool, aheadMax, encode }: SnappyParts,
): AsyncGenerator<Uint8Array> {
  const head = snappyHead(framing);
  if (head.length > 0) yield head;
  yield* inOrder(piecesOf(chunks, pool), aheadMax, async (piece) => await encode(framing, piece));
}
