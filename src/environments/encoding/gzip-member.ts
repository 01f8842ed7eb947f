import { constants, crc32, type ZlibOptions } from 'node:zlib';
import type { BufferPool } from '../../kernel/bytes/buffer-pool.ts';
import { inOrder, type Encoded, type Piece } from './pieces.ts';

/** A piece costs far more than what a deflater costs before it begins, and several fit in memory. */
export const GZIP_PIECE_BYTES = 1024 * 1024;

/** As far back as deflate looks: what a piece is given of the one before, so that cutting costs no ratio. */
const WINDOW_BYTES = 32 * 1024;
/** Level 1 makes event JSON some 8 % larger than 3, at two thirds of the work (measured). */
const LEVEL = 1;
/** Deflate, no name, no time, fastest level, Unix. */
const HEAD = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 3];
/** The last block of a deflate stream, with nothing in it. */
const LAST_BLOCK = [3, 0];

/** Where a member's pieces are made. */
export interface GzipParts {
  /** Of `GZIP_PIECE_BYTES`. */
  readonly pool: BufferPool;
  /** Pieces of one member in work at once. */
  readonly aheadMax: number;
  /** A piece by `deflateOptions`. */
  readonly deflate: (piece: Piece, dictionary: Uint8Array | undefined) => Promise<Encoded>;
}

/**
 * One gzip member (RFC 1952) made of pieces that are deflated each for itself, several at once, with the end of the
 * one before as a dictionary: one member can be made on several cores.
 */
export async function* gzipMember(chunks: AsyncIterable<Uint8Array>, parts: GzipParts): AsyncGenerator<Uint8Array> {
  let checksum = 0;
  let sizeBytes = 0;
  const windows = new Windows(parts.aheadMax + 2);
  let window: Buffer | undefined;
  yield Uint8Array.from(HEAD);
  yield* inOrder(chunks, parts, async (piece) => {
    const bytes = piece.memory.subarray(0, piece.length);
    const dictionary = window;
    checksum = crc32(bytes, checksum);
    sizeBytes += piece.length;
    window = windows.copy(bytes);
    return await parts.deflate(piece, dictionary);
  });
  yield tail(checksum, sizeBytes);
}

/** Ends of pieces, each in memory that is used again when `count` others came after it. */
class Windows {
  readonly #count: number;
  readonly #kept: Buffer[] = [];
  #copied = 0;

  /** `count`: as many as the pieces in work look at, and the one that is copied. */
  constructor(count: number) {
    this.#count = count;
  }

  copy(bytes: Buffer): Buffer {
    const into = (this.#kept[this.#copied % this.#count] ??= Buffer.allocUnsafeSlow(WINDOW_BYTES));
    this.#copied += 1;
    return into.subarray(0, bytes.copy(into, 0, Math.max(0, bytes.length - WINDOW_BYTES)));
  }
}

/** How a piece is deflated so that the next one can follow at a byte's edge. */
export function deflateOptions(dictionary: Uint8Array | undefined): ZlibOptions {
  return {
    level: LEVEL,
    finishFlush: constants.Z_SYNC_FLUSH,
    // Most pieces shrink to less.
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
