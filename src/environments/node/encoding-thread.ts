import { Worker } from 'node:worker_threads';
import type { BufferPool } from '../../kernel/bytes/buffer-pool.ts';
import type { SnappyFraming } from '../../kernel/bytes/snappy-frames.ts';
import { EnvironmentError } from '../../kernel/errors.ts';
import type { Piece } from '../encoding/pieces.ts';

/** What the thread is asked for; the memory goes there and comes back. */
export interface EncodingOrder {
  readonly id: number;
  readonly framing: SnappyFraming;
  readonly memory: ArrayBuffer;
  readonly length: number;
}

/** What it answers. */
export interface EncodingAnswer {
  readonly id: number;
  readonly memory: ArrayBuffer;
  readonly encoded: ArrayBuffer;
}

interface Waiter {
  readonly resolve: (encoded: Uint8Array) => void;
  readonly reject: (error: EnvironmentError) => void;
}

/** It holds a piece and a table: a thread that needs more is broken. */
const LIMITS = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 };

/** One thread that encodes, begun when it is needed first, and anew when it ended; it keeps no process alive. */
export class EncodingThread {
  readonly #pool: BufferPool;
  readonly #program: URL;
  readonly #waiting = new Map<number, Waiter>();
  #thread: Worker | undefined;
  #orders = 0;

  /** Gives the memory of pieces back to `pool`; `program` is what the thread runs. */
  constructor(pool: BufferPool, program = new URL('encoding-worker.js', import.meta.url)) {
    this.#pool = pool;
    this.#program = program;
  }

  /** Resolves with the frames of a piece. EnvironmentError EOTHER: the thread ended. */
  async encode(framing: SnappyFraming, { memory, length }: Piece): Promise<Uint8Array> {
    const thread = (this.#thread ??= this.#begin());
    const id = (this.#orders += 1);
    // Memory of a pool is nobody else's.
    const order: EncodingOrder = { id, framing, memory: memory.buffer as ArrayBuffer, length };
    return await new Promise<Uint8Array>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      thread.ref();
      thread.postMessage(order, [order.memory]);
    });
  }

  #begin(): Worker {
    const thread = new Worker(this.#program, { resourceLimits: LIMITS });
    let cause: unknown;
    thread.on('message', (answer: EncodingAnswer) => this.#answered(thread, answer));
    thread.on('error', (error) => (cause = error));
    thread.on('exit', () => this.#ended(thread, cause));
    return thread;
  }

  #answered(thread: Worker, { id, memory, encoded }: EncodingAnswer): void {
    this.#pool.giveBack(Buffer.from(memory));
    const waiter = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) thread.unref();
    waiter?.resolve(new Uint8Array(encoded));
  }

  #ended(thread: Worker, cause: unknown): void {
    if (this.#thread === thread) this.#thread = undefined;
    const error = new EnvironmentError('EOTHER', 'the encoding thread ended', cause);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
