/** The encoding thread: what comes is a piece, what goes back are its frames and its memory. */
import { parentPort } from 'node:worker_threads';
import { SnappyFrameEncoder, snappyFramesBytesMax } from '../../kernel/bytes/snappy-frames.ts';
import { SNAPPY_PIECE_BYTES } from '../encoding/snappy-stream.ts';
import type { EncodingAnswer, EncodingOrder } from './encoding-thread.ts';

const encoder = new SnappyFrameEncoder();
const output = new Uint8Array(snappyFramesBytesMax(SNAPPY_PIECE_BYTES));

parentPort?.on('message', ({ id, framing, memory, length }: EncodingOrder) => {
  const end = encoder.encode(framing, new Uint8Array(memory, 0, length), output);
  const answer: EncodingAnswer = { id, memory, encoded: output.buffer.slice(0, end) };
  parentPort?.postMessage(answer, [answer.memory, answer.encoded]);
});
