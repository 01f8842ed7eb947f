import type { BufferPool } from '../../kernel/bytes/buffer-pool.ts';

/** A part of what is encoded: the first `length` bytes of memory out of a pool. */
export interface Piece {
  readonly memory: Buffer;
  readonly length: number;
}

/** What became of a piece, and the memory of it, in which that may stand. */
export interface Encoded {
  readonly bytes: Uint8Array;
  readonly memory: Buffer;
}

/** All chunks in pieces of the pool's size, of which only the last may be shorter: where they are cut says nothing. */
async function* piecesOf(chunks: AsyncIterable<Uint8Array>, pool: BufferPool): AsyncGenerator<Piece> {
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
 * What becomes of the pieces, in their order, while `work` is done on up to `aheadMax` of them: also while nobody asks
 * for more. `work` is called in their order. What is handed out is gone when more is asked for.
 */
export async function* inOrder(
  chunks: AsyncIterable<Uint8Array>,
  { pool, aheadMax }: { readonly pool: BufferPool; readonly aheadMax: number },
  work: (piece: Piece) => Promise<Encoded>,
): AsyncGenerator<Uint8Array> {
  const source = piecesOf(chunks, pool);
  const makeNext = async (): Promise<Encoded | undefined> => {
    const next = await source.next();
    return next.done === true ? undefined : await work(next.value);
  };
  const begun: Promise<Encoded | undefined>[] = [];
  const begin = (): void => {
    const made = makeNext();
    // Whoever is in front may fail first: then nobody asks for this one.
    made.catch(() => undefined);
    begun.push(made);
  };
  try {
    while (begun.length < aheadMax) begin();
    for (let made = await begun.shift(); made !== undefined; made = await begun.shift()) {
      begin();
      yield made.bytes;
      // Who leaves earlier may look at them still.
      pool.giveBack(made.memory);
    }
  } finally {
    await source.return(undefined);
  }
}
