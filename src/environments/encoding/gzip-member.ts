import { constants, crc32, type ZlibOptions } from 'node:zlib';
import type { BufferPool } from '../../kernel/bytes/buffer-pool.ts';
import { inOrder, piecesOf } from './pieces.ts';

/** A piece costs more than its way to a thread and back, and several fit in memory. */
export const GZIP_PIECE_BYTES = 512 * 1024;

/** As far back as deflate looks: what a piece is given of the one before, so that cutting costs no ratio. */
const WINDOW_BYTES = 32 * 1024;
/** Level 1 makes event JSON some 8 % larger than 3, at two thirds of the work (measured). */
const LEVEL = 1;
/** Deflate, no name, no time, fastest level, Unix. */
const HEAD = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 3];
/** The last block of a deflate stream, with nothing in it. */
const LAST_BLOCK = [3, 0];

/** Deflates a piece so that the next one can follow at a byte's edge. */
export type Deflate = (piece: Uint8Array, options: ZlibOptions) => Promise<Uint8Array>;

/** Where a member's pieces are made. */
export interface GzipParts {
  /** Of `GZIP_PIECE_BYTES`. */
  readonly pool: BufferPool;
  /** Pieces of one member in work at once. */
  readonly aheadMax: number;
  readonly deflate: Deflate;
}

/**
 * One gzip member (RFC 1952) made of pieces that are deflated each for itself, several at once, with the end of the
 * one before as a dictionary: one member can be made on several cores.
 */
export async function* gzipMember(chunks: AsyncIterable<Uint8Array>, parts: GzipParts): AsyncGenerator<Uint8Array> {
  const { pool, aheadMax, deflate } = parts;
  let checksum = 0;
  let sizeBytes = 0;
  let window: Buffer | undefined;
  yield Uint8Array.from(HEAD);
  yield* inOrder(piecesOf(chunks, pool), aheadMax, async ({ memory, length }) => {
    const piece = memory.subarray(0, length);
    const options = optionsBehind(window);
    checksum = crc32(piece, checksum);
    sizeBytes += length;
    window = Buffer.from(piece.subarray(-WINDOW_BYTES));
    try {
      return await deflate(piece, options);
    } finally {
      pool.giveBack(memory);
    }
  });
  yield tail(checksum, sizeBytes);
}

function optionsBehind(dictionary: Buffer | undefined): ZlibOptions {
  return {
    level: LEVEL,
    finishFlush: constants.Z_SYNC_FLUSH,
    // Most pieces shrink to less, and are one round to the thread that deflates.
    chunkSize: GZIP_PIECE_BYTES / 2,
    ...(dictionary !== undefined && { dictionary }),
  };
}

function tail(checksum: number, sizeBytes: number): Uint8Array {
  const bytes = Buffer.from([...LAST_BLOCK, 0, 0, 0, 0, 0, 0, 0, 0]);
  bytes.writeUInt32LE(checksum, LAST_BLOCK.length);
  bytes.writeUInt32LE(sizeBytes % 2 ** 32, LAST_BLOCK.length + 4);
  return bytes;
}
