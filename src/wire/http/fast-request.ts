import type { BufferPool } from '../../kernel/bytes/buffer-pool.ts';
import type { Environment } from '../../ports/environment.ts';
import type { HeaderLine, HttpRequest } from '../../ports/http.ts';
import { BodyReader, checkAnnounced } from './body.ts';
import type { FastBody } from './fast-body.ts';
import type { HeldBytes } from './held-bytes.ts';
import { httpLimits } from './limits.ts';
import { fieldLines, type RequestHead } from './request-head.ts';

/** What a request needs to know of its connection. */
export interface RequestOrigin {
  readonly bodies: BufferPool;
  readonly environment: Environment;
  readonly remoteAddress: string;
}

/** A request that came over a connection of ours; what nobody asks for is not made. */
export class FastRequest implements HttpRequest {
  readonly id: string;
  readonly head: RequestHead;
  readonly body: FastBody;
  readonly held: HeldBytes;
  readonly path: string;
  readonly query: string;
  readonly #origin: RequestOrigin;
  #gone: AbortController | undefined;
  #isGone = false;
  #reader: BodyReader | undefined;

  constructor(head: RequestHead, body: FastBody, held: HeldBytes, origin: RequestOrigin) {
    this.id = origin.environment.random.uuid();
    this.head = head;
    this.body = body;
    this.held = held;
    this.#origin = origin;
    const { target } = head;
    const mark = target.indexOf('?');
    this.path = mark < 0 ? target : target.slice(0, mark);
    this.query = mark < 0 ? '' : target.slice(mark + 1);
  }

  get method(): string {
    return this.head.method;
  }

  get headers(): Readonly<Record<string, string>> {
    return this.head.headers;
  }

  headerList(): readonly HeaderLine[] {
    return fieldLines(this.head.fields);
  }

  get remoteAddress(): string {
    return this.#origin.remoteAddress;
  }

  get signal(): AbortSignal {
    this.#gone ??= new AbortController();
    if (this.#isGone) this.#gone.abort();
    return this.#gone.signal;
  }

  async readBody(maxBytes: number, seen?: (piece: Uint8Array) => void): Promise<Uint8Array> {
    const { body, held } = this;
    checkAnnounced(body, maxBytes);
    if (body.isWhole && held.takeNow(body.announced * httpLimits.bytesHeldPerByte)) {
      const whole = body.takeWhole();
      seen?.(whole);
      return whole;
    }
    this.#reader = new BodyReader(body, held, this.#origin.environment.clock, this.#origin.bodies);
    return await this.#reader.read(maxBytes, seen);
  }

  recycleBody(): void {
    this.#reader?.recycle();
  }

  async hold(bytes: number): Promise<void> {
    await this.held.hold(bytes);
  }

  giveBack(bytes: number): void {
    this.held.giveBack(bytes);
  }

  /** The sender went away before its answer was sent. */
  leave(): void {
    this.#isGone = true;
    this.#gone?.abort();
  }
}
