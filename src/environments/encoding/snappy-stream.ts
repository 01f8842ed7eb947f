import type { BufferPool } from '../../kernel/bytes/buffer-pool.ts';
import { SNAPPY_BLOCK_BYTES, snappyHead, type SnappyFraming } from '../../kernel/bytes/snappy-frames.ts';
import { inOrder, type Encoded, type Piece } from './pieces.ts';

/** A whole number of blocks; encoding one takes a millisecond or two. */
export const SNAPPY_PIECE_BYTES = 8 * SNAPPY_BLOCK_BYTES;

/** Where the frames of a stream are made. */
export interface SnappyParts {
  /** Of `SNAPPY_PIECE_BYTES`. */
  readonly pool: BufferPool;
  /** Pieces of one stream in work at once. */
  readonly aheadMax: number;
  /** The frames of a piece. */
  readonly encode: (framing: SnappyFraming, piece: Piece) => Promise<Encoded>;
}

/** All chunks as a stream of Snappy blocks. */
export async function* snappyStream(
  chunks: AsyncIterable<Uint8Array>,
  framing: SnappyFraming,
  parts: SnappyParts,
): AsyncGenerator<Uint8Array> {
  const head = snappyHead(framing);
  if (head.length > 0) yield head;
  yield* inOrder(chunks, parts, async (piece) => await parts.encode(framing, piece));
}
