import { verify } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { BufferPool } from '../../kernel/bytes/buffer-pool.ts';
import { SnappyFrameEncoder, snappyFramesBytesMax } from '../../kernel/bytes/snappy-frames.ts';
import type { Compute } from '../../ports/environment.ts';
import { deflateOptions, GZIP_PIECE_BYTES, gzipMember } from '../encoding/gzip-member.ts';
import { inflateInRoom } from '../encoding/inflate.ts';
import { SNAPPY_PIECE_BYTES, snappyStream } from '../encoding/snappy-stream.ts';

// Shared by all simulations: what is left in it changes no output.
const gzipPool = new BufferPool(GZIP_PIECE_BYTES, 1);
const snappyPool = new BufferPool(SNAPPY_PIECE_BYTES, 1);
const encoder = new SnappyFrameEncoder();
const output = new Uint8Array(snappyFramesBytesMax(SNAPPY_PIECE_BYTES));

/** Encodes on the spot, to the bytes of the real one. */
export const simulatedCompute: Compute = {
  gzipHoldsBytes: 2 * GZIP_PIECE_BYTES,
  snappyHoldsBytes: 2 * SNAPPY_PIECE_BYTES,
  gzip: (chunks) =>
    gzipMember(chunks, {
      pool: gzipPool,
      aheadMax: 1,
      deflate: async ({ memory, length }, dictionary) => {
        return { bytes: deflateRawSync(memory.subarray(0, length), deflateOptions(dictionary)), memory };
      },
    }),
  snappy: (chunks, framing) =>
    snappyStream(chunks, framing, {
      pool: snappyPool,
      aheadMax: 1,
      encode: async (how, { memory, length }) => {
        const end = encoder.encode(how, memory.subarray(0, length), output);
        return { bytes: output.slice(0, end), memory };
      },
    }),
  inflate: inflateInRoom,
  isSigned: async (bytes, key, signature) => verify(null, bytes, key, signature),
};
