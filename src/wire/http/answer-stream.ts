import type { Environment } from '../../ports/environment.ts';
import type { HttpStream } from '../../ports/http.ts';
import { reportBug } from './error-answer.ts';
import type { HeldBytes } from './held-bytes.ts';

/** Where a streamed answer goes. */
export interface StreamSink {
  readonly requestId: string;
  readonly held: HeldBytes;
  /** Sends a piece at once; calls `taken` when there is room for the next, with an error when nobody hears any more. */
  write(piece: Uint8Array, taken: (error?: Error | null) => void): void;
  /** The handler is to stop: aborts the request's signal. */
  abort(): void;
}

/** What the streamed answers of a listener share. */
export interface StreamContext {
  readonly environment: Environment;
  /** Those under way. */
  readonly streams: Set<AnswerStream>;
  /** Whether connections are to end with their answer. */
  readonly isDraining: () => boolean;
}

/** Nobody will hear this answer: its handler is told. */
export function dropStream({ pieces }: HttpStream): void {
  void pieces[Symbol.asyncIterator]()
    .return?.()
    .catch(() => undefined);
}

/** One answer that is made while it is sent. */
export class AnswerStream {
  readonly #pieces: AsyncIterator<Uint8Array>;
  readonly #sink: StreamSink;
  readonly #context: StreamContext;
  #isStopped = false;
  #isCut = false;
  /** Ends the wait for what is awaited now. */
  #wake = (): void => undefined;

  constructor({ pieces, cut }: HttpStream, sink: StreamSink, context: StreamContext) {
    this.#pieces = pieces[Symbol.asyncIterator]();
    this.#sink = sink;
    this.#context = context;
    if (context.isDraining()) this.stop();
    if (cut?.aborted === true) this.#cut();
    cut?.addEventListener('abort', () => this.#cut(), { once: true });
  }

  #cut(): void {
    this.#isCut = true;
    this.stop();
  }

  /** Nothing more is asked for: the client is gone, or the listener drains. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#sink.abort();
    this.#wake();
  }

  /** Sends piece after piece; false when it was cut, or the pieces ended in an error, which was logged. */
  async run(): Promise<boolean> {
    const { held, requestId } = this.#sink;
    const { streams, environment } = this.#context;
    held.stream();
    streams.add(this);
    try {
      while (await this.#step());
      return !this.#isCut;
    } catch (error) {
      if (this.#isStopped) return !this.#isCut;
      reportBug(error, requestId, environment);
      return false;
    } finally {
      streams.delete(this);
      held.piece(0);
    }
  }

  /** One piece; false at the end. */
  async #step(): Promise<boolean> {
    const next = this.#isStopped ? undefined : await this.#unlessStopped(this.#pieces.next());
    if (next === undefined) {
      // Not waited for: it ends when what it waits for does.
      void this.#pieces.return?.().catch(() => undefined);
      return false;
    }
    if (next.done === true) return false;
    // An empty chunk would be the end of the body.
    if (next.value.length > 0) await this.#send(next.value);
    return true;
  }

  async #send(piece: Uint8Array): Promise<void> {
    const { held } = this.#sink;
    const { clock } = this.#context.environment;
    held.piece(piece.length);
    const taken = new Promise<void>((resolve) => {
      this.#sink.write(piece, (error) => {
        // Before the connection itself says so: else pieces would be made for nobody.
        if (error) this.stop();
        // The system may take a piece in the same turn: others have theirs.
        clock.soon(resolve);
      });
    });
    await this.#unlessStopped(taken);
    held.piece(0);
  }

  /** By hand, since every race against one promise that does not come would be kept until it does. */
  async #unlessStopped<T>(awaited: Promise<T>): Promise<T | undefined> {
    return await new Promise<T | undefined>((resolve, reject) => {
      this.#wake = () => resolve(undefined);
      awaited.then(resolve, reject);
    });
  }
}
