import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { ContentEncoding, Inflated, Room } from '../../ports/environment.ts';
import { inflateInRoom, inflateProblem } from '../encoding/inflate.ts';

/** Up to here the way to another thread costs more than what it takes over: about a millisecond at most. */
const AT_ONCE_BYTES_MAX = 64 * 1024;
const AT_ONCE_INFLATED_MAX = 256 * 1024;
/** What a thread inflates before it comes back, and what is copied in one turn of the loop. */
const PIECE_BYTES = 256 * 1024;
const COPIED_PER_TURN = 1024 * 1024;

const STREAMS = { gzip: createGunzip, deflate: createInflate, br: createBrotliDecompress } as const;

/** Inflates what is small at once; undefined for what is not: by what came, or by what comes out. */
export async function inflateIfSmall(
  bytes: Uint8Array,
  encoding: ContentEncoding,
  maxBytes: number,
  room: Room | undefined,
): Promise<Inflated | undefined> {
  if (bytes.length > AT_ONCE_BYTES_MAX) return undefined;
  const inflated = await inflateInRoom(bytes, encoding, Math.min(maxBytes, AT_ONCE_INFLATED_MAX), room);
  return inflated === 'too large' && maxBytes > AT_ONCE_INFLATED_MAX ? undefined : inflated;
}

/**
 * Inflates in the platform's threads, piece by piece; whoever waits for the loop has a turn after each. It ends with
 * the piece that is beyond the bound.
 */
export async function inflateInPieces(
  bytes: Uint8Array,
  encoding: ContentEncoding,
  maxBytes: number,
  room: Room | undefined,
): Promise<Inflated> {
  const stream = STREAMS[encoding]({ chunkSize: PIECE_BYTES });
  const pieces: Uint8Array[] = [];
  let length = 0;
  stream.end(bytes);
  try {
    for await (const piece of stream as AsyncIterable<Uint8Array>) {
      length += piece.length;
      // What is left here destroys the stream.
      if (length > maxBytes) return 'too large';
      await room?.hold(piece.length);
      pieces.push(piece);
    }
  } catch (error) {
    return inflateProblem(error);
  } finally {
    if (!stream.closed) await once(stream, 'close');
  }
  return await joined(pieces, length);
}

/** One after the other is let go of: hardly more is held than comes out. */
async function joined(pieces: (Uint8Array | undefined)[], length: number): Promise<Uint8Array> {
  const all = Buffer.allocUnsafe(length);
  let [at, copied] = [0, 0];
  for (const [index, piece] of pieces.entries()) {
    if (piece === undefined) continue;
    all.set(piece, at);
    at += piece.length;
    copied += piece.length;
    pieces[index] = undefined;
    if (copied < COPIED_PER_TURN) continue;
    copied = 0;
    await nextTurn();
  }
  return all;
}
