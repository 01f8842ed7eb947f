import { SnappyBlockEncoder, snappyBlockBytesMax } from './snappy-block.ts';

/** How blocks are strung together: as snappy-java's SnappyOutputStream does it, or as Hadoop's codecs for blocks. */
export type SnappyFraming = 'java' | 'hadoop';

/** Bytes that one block holds, of all but the last: snappy-java's default, and what Firehose delivers (observed). */
export const SNAPPY_BLOCK_BYTES = 32_768;

/** `\x82SNAPPY\0`, version 1, readable by version 1. */
const JAVA_HEAD = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1);
const LENGTH_BYTES = 4;

/** What stands before the first block; also where there is none. */
export function snappyHead(framing: SnappyFraming): Uint8Array {
  return framing === 'java' ? JAVA_HEAD.slice() : new Uint8Array();
}

/** Bytes that the frames of `inputBytes` bytes take at most. */
export function snappyFramesBytesMax(inputBytes: number): number {
  const blocks = Math.ceil(inputBytes / SNAPPY_BLOCK_BYTES);
  return blocks * (2 * LENGTH_BYTES + snappyBlockBytesMax(SNAPPY_BLOCK_BYTES));
}

/** Strings blocks together; one is enough for a thread. */
export class SnappyFrameEncoder {
  readonly #blocks = new SnappyBlockEncoder();

  /**
   * Writes the frames of `input` into `output`, which has room for `snappyFramesBytesMax`; returns their bytes. Only
   * the last piece of an input may end within a block.
   */
  encode(framing: SnappyFraming, input: Uint8Array, output: Uint8Array): number {
    let at = 0;
    for (let from = 0; from < input.length; from += SNAPPY_BLOCK_BYTES) {
      const block = input.subarray(from, from + SNAPPY_BLOCK_BYTES);
      if (framing === 'hadoop') at = writeLength(output, at, block.length);
      const start = at + LENGTH_BYTES;
      const end = this.#blocks.encode(block, output, start);
      writeLength(output, at, end - start);
      at = end;
    }
    return at;
  }
}

/** Highest byte first; returns what is behind it. */
function writeLength(output: Uint8Array, at: number, bytes: number): number {
  for (let index = 0; index < LENGTH_BYTES; index += 1) output[at + index] = bytes >>> (8 * (3 - index));
  return at + LENGTH_BYTES;
}
