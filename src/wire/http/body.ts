import type { IncomingMessage } from 'node:http';
import { RequestError, ThrottleError } from '../../kernel/errors.ts';
import type { ByteBudget } from '../../kernel/flow/byte-budget.ts';
import type { Clock } from '../../ports/environment.ts';
import { httpLimits } from './limits.ts';

/** What reading a body needs beside the message. */
export interface BodyContext {
  readonly clock: Clock;
  readonly budget: ByteBudget;
  /** Called before the first byte is read: lets the sender go on who waits for `100 Continue`. */
  begin(): void;
}

/** Bytes that Content-Length announces; undefined when it is absent (chunked, or no body). */
export function announcedBytes(message: IncomingMessage): number | undefined {
  const text = message.headers['content-length'];
  return text === undefined ? undefined : Number(text);
}

/**
 * The whole body. Rejects with RequestError 413 `RequestEntityTooLarge`, 408 `RequestTimeout`, 400 `IncompleteBody`,
 * and ThrottleError `ServiceUnavailable` when there is no room for it in memory.
 * What it takes of the memory is held until `release`.
 */
export class BodyReader {
  readonly #message: IncomingMessage;
  readonly #context: BodyContext;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #maxBytes = 0;
  #done: ((error?: Error) => void) | undefined;
  #areClocksOn = false;
  #cancelDeadline = (): void => undefined;
  #cancelIdle = (): void => undefined;
  #waiting: AbortController | undefined;
  #taken = 0;
  /** Whether this is the one body that may go past the bound, so that it comes to its end. */
  #isOverdrawing = false;
  #isReleased = false;

  constructor(message: IncomingMessage, context: BodyContext) {
    this.#message = message;
    this.#context = context;
  }

  /** Gives back what the body took; once, when nobody looks at it any more. */
  release(): void {
    const { budget } = this.#context;
    if (this.#isOverdrawing) budget.endOverdraft();
    budget.giveBack(this.#taken);
    this.#isReleased = true;
  }

  async read(maxBytes: number): Promise<Uint8Array> {
    const announced = announcedBytes(this.#message);
    if (announced !== undefined && announced > maxBytes) throw tooLarge(maxBytes);
    this.#maxBytes = maxBytes;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#done = (error) => {
          // Only the first word counts; what the stream says after its end is not even looked at.
          this.#done = undefined;
          if (error === undefined) resolve();
          else reject(error);
        };
        this.#listen();
        this.#context.begin();
        // A body that came with its headers is over before any clock is wound up.
        this.#context.clock.soon(() => this.#startClocks());
      });
    } finally {
      this.#leave();
    }
    const [only] = this.#chunks;
    return this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks, this.#bytes);
  }

  #listen(): void {
    const message = this.#message;
    if (message.readableAborted || message.destroyed) return this.#done?.(incomplete());
    message.on('data', this.#take);
    message.once('end', this.#end);
    message.once('aborted', this.#cut);
    message.once('error', this.#cut);
    message.once('close', this.#cut);
  }

  #startClocks(): void {
    if (this.#done === undefined) return;
    this.#cancelDeadline = this.#context.clock.timer(httpLimits.bodyMs, () => this.#done?.(tooSlow()));
    this.#areClocksOn = true;
    // While room is waited for, it is not the sender who is slow.
    if (this.#waiting === undefined) this.#restartIdle();
  }

  #leave(): void {
    this.#cancelDeadline();
    this.#cancelIdle();
    this.#waiting?.abort();
    const message = this.#message;
    message.off('data', this.#take);
    message.off('end', this.#end);
    message.off('aborted', this.#cut);
    message.off('close', this.#cut);
    // A later error of the connection must find a listener: the one of `cut` stays and does nothing any more.
    this.#done = undefined;
    message.pause();
  }

  readonly #end = (): void => this.#done?.(this.#message.complete ? undefined : incomplete());
  readonly #cut = (): void => this.#done?.(incomplete());

  readonly #take = (chunk: Buffer): void => {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#maxBytes) return this.#done?.(tooLarge(this.#maxBytes));
    this.#chunks.push(chunk);
    this.#restartIdle();
    const bytes = chunk.length * httpLimits.bytesHeldPerByte;
    const { budget } = this.#context;
    if (budget.tryTake(bytes)) this.#taken += bytes;
    else if (this.#isOverdrawing || budget.tryOverdraw()) {
      this.#isOverdrawing = true;
      budget.charge(bytes);
      this.#taken += bytes;
    } else void this.#waitForRoom(bytes);
    return undefined;
  };

  /** While others hold the memory, the socket is not read. */
  async #waitForRoom(bytes: number): Promise<void> {
    const { clock, budget } = this.#context;
    this.#message.pause();
    this.#cancelIdle();
    const waiting = new AbortController();
    this.#waiting = waiting;
    const cancel = clock.timer(httpLimits.budgetWaitMs, () => waiting.abort());
    const isTaken = await budget.take(bytes, waiting.signal);
    cancel();
    this.#waiting = undefined;
    if (isTaken && this.#isReleased) budget.giveBack(bytes);
    else if (isTaken) this.#taken += bytes;
    if (this.#done === undefined) return;
    if (!isTaken) return this.#done(new ThrottleError('ServiceUnavailable', 'too many bytes are in flight'));
    this.#restartIdle();
    this.#message.resume();
  }

  #restartIdle(): void {
    if (!this.#areClocksOn) return;
    this.#cancelIdle();
    this.#cancelIdle = this.#context.clock.timer(httpLimits.bodyIdleMs, () => this.#done?.(tooSlow()));
  }
}

function tooLarge(maxBytes: number): RequestError {
  return new RequestError('RequestEntityTooLarge', `the body is larger than ${maxBytes} bytes`, 413);
}

function tooSlow(): RequestError {
  return new RequestError('RequestTimeout', 'the body took too long', 408);
}

function incomplete(): RequestError {
  return new RequestError('IncompleteBody', 'the body ended early', 400);
}
