/** An encoding thread: what comes is a piece, what goes back is what became of it. */
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { deflateRawSync } from 'node:zlib';
import { SnappyFrameEncoder, snappyFramesBytesMax, type SnappyFraming } from '../../kernel/bytes/snappy-frames.ts';
import { deflateOptions } from '../encoding/gzip-member.ts';
import { SNAPPY_PIECE_BYTES } from '../encoding/snappy-stream.ts';
import type { EncodingAnswer, EncodingOrder } from './encoding-thread.ts';

/** Nine tenths of a core are for the thread that serves, where there is not enough for both. */
const NICENESS = 10;

const encoder = new SnappyFrameEncoder();
let frames: Uint8Array | undefined;

/** Where a thread can have a priority of its own: Linux takes its number where others expect a process. */
function giveWay(): void {
  try {
    const number = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    setPriority(number, NICENESS);
  } catch {
    // It works as it is, and takes more of what others need.
  }
}

function snappy(framing: SnappyFraming, piece: Uint8Array): Uint8Array {
  frames ??= new Uint8Array(snappyFramesBytesMax(SNAPPY_PIECE_BYTES));
  return frames.subarray(0, encoder.encode(framing, piece, frames));
}

if (process.platform === 'linux') giveWay();
parentPort?.on('message', ({ id, encoding, memory, length }: EncodingOrder) => {
  const piece = new Uint8Array(memory, 0, length);
  const encoded =
    'framing' in encoding
      ? snappy(encoding.framing, piece)
      : deflateRawSync(piece, deflateOptions(encoding.dictionary));
  if (encoded.length <= memory.byteLength) {
    // New memory for each would be the collector's, which sees little of what it holds.
    new Uint8Array(memory).set(encoded);
    parentPort?.postMessage({ id, encoded: encoded.length } satisfies EncodingAnswer, []);
    return;
  }
  const own = new Uint8Array(encoded).buffer;
  parentPort?.postMessage({ id, encoded: own } satisfies EncodingAnswer, [own]);
});
