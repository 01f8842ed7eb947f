import type { BufferPool } from '../../kernel/bytes/buffer-pool.ts';
import { RequestError } from '../../kernel/errors.ts';
import type { Clock } from '../../ports/environment.ts';
import { BodyPace } from './body-pace.ts';
import { noRoom, type HeldBytes } from './held-bytes.ts';
import { httpLimits } from './limits.ts';

const EMPTY = Buffer.alloc(0);
/** Once this part of a body is there, memory for all of it is taken. */
const WHOLE_FROM = 1 / 4;

/** Who takes a body's bytes as they come. */
export interface BodySink {
  take(chunk: Buffer): void;
  /** The body is whole. */
  end(): void;
  /** No more will come, and some is missing. */
  cut(): void;
}

/** Where a body's bytes come from. */
export interface BodySource {
  /** Bytes that Content-Length announces; undefined when it is absent. */
  readonly announced: number | undefined;
  /** Hands over what came already and what comes. */
  listen(sink: BodySink): void;
  pause(): void;
  resume(): void;
  /** Hands over nothing more, and reads nothing more. */
  leave(): void;
}

/**
 * Reads a whole body as it comes. Rejects with RequestError 413 `RequestEntityTooLarge`, 408 `RequestTimeout`, 400
 * `IncompleteBody`, and ThrottleError `ServiceUnavailable` when there is no room for it in memory, or when it is slow
 * while others wait for room.
 * Every chunk counts when it came, not the announced length: who announces much and sends little holds little.
 */
export class BodyReader implements BodySink {
  readonly #source: BodySource;
  readonly #held: HeldBytes;
  readonly #clock: Clock;
  readonly #pool: BufferPool;
  #isPooled = false;
  /** The first chunk as it came; from the second one on, all of them together. */
  #whole: Buffer = EMPTY;
  #bytes = 0;
  #maxBytes = 0;
  #done: ((error?: Error) => void) | undefined;
  #seen: ((piece: Uint8Array) => void) | undefined;
  #areClocksOn = false;
  /** Chunks that wait for room. */
  #waiting = 0;
  #isWhole = false;
  #cancelDeadline = (): void => undefined;
  #cancelIdle = (): void => undefined;
  #cancelLook = (): void => undefined;
  readonly #pace = new BodyPace();

  constructor(source: BodySource, held: HeldBytes, clock: Clock, pool: BufferPool) {
    this.#source = source;
    this.#held = held;
    this.#clock = clock;
    this.#pool = pool;
  }

  /** Nobody looks at the body any more: its memory is free for another one. */
  recycle(): void {
    if (this.#isPooled) this.#pool.giveBack(this.#whole);
    this.#isPooled = false;
    this.#whole = EMPTY;
  }

  async read(maxBytes: number, seen?: (piece: Uint8Array) => void): Promise<Uint8Array> {
    checkAnnounced(this.#source, maxBytes);
    this.#maxBytes = maxBytes;
    this.#seen = seen;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#done = (error) => {
          // Only the first word counts; what the source says after its end is not even looked at.
          this.#done = undefined;
          if (error === undefined) resolve();
          else reject(error);
        };
        this.#source.listen(this);
        // A body that came with its headers is over before any clock is wound up.
        this.#clock.soon(() => this.#startClocks());
      });
    } catch (error) {
      this.#leave();
      this.recycle();
      this.#held.dropBody();
      throw error;
    }
    this.#leave();
    return this.#whole.subarray(0, this.#bytes);
  }

  take(chunk: Buffer): void {
    if (this.#done === undefined) return;
    if (this.#bytes + chunk.length > this.#maxBytes) return this.#done(tooLarge(this.#maxBytes));
    this.#seen?.(chunk);
    this.#keep(chunk);
    this.#restartIdle();
    const bytes = chunk.length * httpLimits.bytesHeldPerByte;
    if (!this.#held.takeNow(bytes)) void this.#waitForRoom(bytes);
    return undefined;
  }

  /**
   * Chunks are copied as they come: kept until the end they would outlive the collector's quick rounds, and then only
   * its long ones free them.
   */
  #keep(chunk: Buffer): void {
    const bytes = this.#bytes;
    this.#bytes += chunk.length;
    if (bytes === 0) {
      this.#whole = chunk;
      return;
    }
    const isOwn = this.#whole.length > bytes;
    if (!isOwn || this.#bytes > this.#whole.length) this.#makeRoom(bytes);
    chunk.copy(this.#whole, bytes);
  }

  #makeRoom(kept: number): void {
    const { pieceBytes } = this.#pool;
    const isPooled = this.#bytes <= pieceBytes && !this.#isPooled;
    const { announced = Infinity } = this.#source;
    // Who announces much and sends little gets little. Who sent a quarter gets all: to copy once more takes long.
    const usual = kept >= announced * WHOLE_FROM ? announced : 2 * kept;
    const room = Math.max(this.#bytes, Math.min(announced, this.#maxBytes, Math.max(pieceBytes, usual)));
    const larger = isPooled ? this.#pool.take() : Buffer.allocUnsafeSlow(room);
    const former = this.#whole;
    former.copy(larger, 0, 0, kept);
    if (this.#isPooled) this.#pool.giveBack(former);
    this.#isPooled = isPooled;
    this.#whole = larger;
  }

  end(): void {
    this.#isWhole = true;
    // Who still waits for room ends when it is there.
    if (this.#waiting === 0) this.#done?.();
  }

  cut(): void {
    this.#done?.(incomplete());
  }

  #startClocks(): void {
    if (this.#done === undefined) return;
    this.#cancelDeadline = this.#clock.timer(httpLimits.bodyMs, () => this.#done?.(tooSlow()));
    this.#areClocksOn = true;
    // While room is waited for, it is not the sender who is slow.
    if (this.#waiting === 0) this.#restartIdle();
    this.#lookAgain();
  }

  #lookAgain(): void {
    this.#cancelLook = this.#clock.timer(httpLimits.bodyLookMs, () => {
      const isInTheWay = this.#pace.look(this.#bytes, this.#waiting > 0, this.#held.waitingInFront);
      if (isInTheWay) this.#done?.(noRoom());
      else this.#lookAgain();
    });
  }

  #leave(): void {
    this.#cancelDeadline();
    this.#cancelIdle();
    this.#cancelLook();
    if (this.#waiting > 0) this.#held.stopWaiting();
    this.#source.leave();
    this.#done = undefined;
  }

  /** While others hold the memory, the source is not read. */
  async #waitForRoom(bytes: number): Promise<void> {
    this.#source.pause();
    this.#pace.rest();
    this.#cancelIdle();
    this.#waiting += 1;
    const isTaken = await this.#held.take(bytes);
    this.#waiting -= 1;
    if (this.#done === undefined) return;
    if (!isTaken) return this.#done(noRoom());
    if (this.#waiting > 0) return;
    if (this.#isWhole) return this.#done();
    this.#restartIdle();
    this.#source.resume();
  }

  #restartIdle(): void {
    if (!this.#areClocksOn) return;
    this.#cancelIdle();
    this.#cancelIdle = this.#clock.timer(httpLimits.bodyIdleMs, () => this.#done?.(tooSlow()));
  }
}

/** Throws RequestError `RequestEntityTooLarge` for a body that says itself that it is too long. */
export function checkAnnounced({ announced }: Pick<BodySource, 'announced'>, maxBytes: number): void {
  if (announced !== undefined && announced > maxBytes) throw tooLarge(maxBytes);
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
