import { Worker } from 'node:worker_threads';
import type { SnappyFraming } from '../../kernel/bytes/snappy-frames.ts';
import { assert } from '../../kernel/assert.ts';
import { EnvironmentError } from '../../kernel/errors.ts';
import type { Encoded, Piece } from '../encoding/pieces.ts';

/** What becomes of a piece: frames of Snappy, or a part of a deflate stream. */
export type Encoding = { readonly framing: SnappyFraming } | { readonly dictionary: Uint8Array | undefined };

/** What the thread is asked for. */
export interface EncodingOrder {
  readonly id: number;
  readonly encoding: Encoding;
  readonly memory: SharedArrayBuffer;
  readonly length: number;
}

/** What it answers. */
export interface EncodingAnswer {
  readonly id: number;
  /** What became of the piece; bytes that stand at the memory's begin where they fit there. */
  readonly encoded: ArrayBuffer | number;
}

interface Waiter {
  readonly memory: Buffer;
  readonly resolve: (encoded: Encoded) => void;
  readonly reject: (error: EnvironmentError) => void;
}

/** It holds a piece and a table: a thread that needs more is broken. */
const LIMITS = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 };

/**
 * Memory that a thread works on where it stands. Were it handed over and back, each time would be new memory to the
 * collector, which would go through all objects several times a second.
 */
export function sharedMemory(bytes: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(bytes));
}

/** One thread that encodes, begun when it is needed first, and anew when it ended; it keeps no process alive. */
export class EncodingThread {
  readonly #program: URL;
  readonly #waiting = new Map<number, Waiter>();
  #thread: Worker | undefined;
  #orders = 0;

  /** `program` is what the thread runs. */
  constructor(program = new URL('encoding-worker.js', import.meta.url)) {
    this.#program = program;
  }

  /** Pieces that it has. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Resolves with what became of a piece. EnvironmentError ENOTENCODED: the thread ended. */
  async encode(encoding: Encoding, { memory, length }: Piece): Promise<Encoded> {
    const thread = (this.#thread ??= this.#begin());
    const id = (this.#orders += 1);
    assert(memory.buffer instanceof SharedArrayBuffer && memory.byteOffset === 0, 'a piece stands in shared memory');
    const order: EncodingOrder = { id, encoding, memory: memory.buffer, length };
    return await new Promise<Encoded>((resolve, reject) => {
      this.#waiting.set(id, { memory, resolve, reject });
      thread.ref();
      thread.postMessage(order, []);
    });
  }

  /** Ends it; what it has is rejected. It would begin anew with the next piece. */
  async close(): Promise<void> {
    await this.#thread?.terminate();
  }

  #begin(): Worker {
    const thread = new Worker(this.#program, { resourceLimits: LIMITS });
    let cause: unknown;
    thread.on('message', (answer: EncodingAnswer) => this.#answered(thread, answer));
    thread.on('error', (error) => (cause = error));
    thread.on('exit', () => this.#ended(thread, cause));
    return thread;
  }

  #answered(thread: Worker, { id, encoded }: EncodingAnswer): void {
    const waiter = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) thread.unref();
    if (waiter === undefined) return;
    const { memory, resolve } = waiter;
    resolve({ bytes: typeof encoded === 'number' ? memory.subarray(0, encoded) : new Uint8Array(encoded), memory });
  }

  #ended(thread: Worker, cause: unknown): void {
    if (this.#thread === thread) this.#thread = undefined;
    const error = new EnvironmentError('ENOTENCODED', 'the encoding thread ended', cause);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
