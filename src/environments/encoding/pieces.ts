import type { BufferPool } from '../../kernel/bytes/buffer-pool.ts';

/** A part of what is encoded: the first `length` bytes of memory out of a pool. */
export interface Piece {
  readonly memory: Buffer;
  readonly length: number;
}

/** All chunks in pieces of the pool's size, of which only the last may be shorter: where they are cut says nothing. */
export async function* piecesOf(chunks: AsyncIterable<Uint8Array>, pool: BufferPool): AsyncGenerator<Piece> {
  let memory = pool.take();
  let length = 0;
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length;) {
      const taken = chunk.subarray(from, from + pool.pieceBytes - length);
      memory.set(taken, length);
      from += taken.length;
      length += taken.length;
      if (length < pool.pieceBytes) break;
      yield { memory, length };
      memory = pool.take();
      length = 0;
    }
  }
  if (length > 0) yield { memory, length };
  else pool.giveBack(memory);
}

/**
 * What becomes of the pieces, in their order, while `work` is done on up to `aheadMax` of them at once. `work` is
 * called in their order.
 */
export async function* inOrder(
  pieces: AsyncIterable<Piece>,
  aheadMax: number,
  work: (piece: Piece) => Promise<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const begun: Promise<Uint8Array>[] = [];
  for await (const piece of pieces) {
    const done = work(piece);
    // Whoever is in front may fail first: then nobody asks for this one.
    done.catch(() => undefined);
    begun.push(done);
    if (begun.length >= aheadMax) yield await (begun.shift() as Promise<Uint8Array>);
  }
  for (const done of begun) yield await done;
}
