import type { BufferPool } from '../../kernel/bytes/buffer-pool.ts';
import type { ByteBudget } from '../../kernel/flow/byte-budget.ts';
import type { HttpAnswer, HttpHandler, HttpRequest, HttpStream } from '../../ports/http.ts';
import type { Admission, AskedRequest } from './admission.ts';
import { checkHeaders } from './answer-head.ts';
import { AnswerStream, type StreamContext, type StreamSink } from './answer-stream.ts';
import { bodyBytes, isStreamed } from './answer-body.ts';
import { BodyReader, type BodySource } from './body.ts';
import { errorAnswer } from './error-answer.ts';
import { HeldBytes } from './held-bytes.ts';
import { headerLines } from './message-headers.ts';

/** What all exchanges of a listener share, whoever parsed them. */
export interface ExchangeContext extends StreamContext {
  readonly handler: HttpHandler;
  readonly budget: ByteBudget;
  readonly bodies: BufferPool;
  readonly admission: Admission;
}

/** An answer on its way to a message. */
export interface OutgoingAnswer extends HttpAnswer {
  readonly requestId: string;
  /** Of the body; undefined when it is made while it is sent. */
  readonly bytes: number | undefined;
  /** Headers for the page that asked. */
  readonly readable: Readonly<Record<string, string>> | undefined;
  /** Sends the pieces of a streamed body; false when they ended in an error. `isUnheard`: nobody is there to hear. */
  readonly sendPieces: (body: HttpStream, write: StreamSink['write'], isUnheard: boolean) => Promise<boolean>;
}

/** One message that the platform parsed, of whatever version of HTTP. */
export interface Message extends AskedRequest {
  readonly body: BodySource;
  readonly remoteAddress: string;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  /** The answer to a message that no handler may see. */
  readonly refusal: HttpAnswer | undefined;
  /** Calls `gone` when the sender goes away before its answer was sent. */
  whenGone(gone: () => void): void;
  /** Resolves when the answer was sent, or nobody is there to hear it. Never rejects. */
  send(answer: OutgoingAnswer): Promise<void>;
}

/** One request that the platform parsed, and its answer. Never rejects. */
export class Exchange {
  readonly #message: Message;
  readonly #context: ExchangeContext;
  readonly #held: HeldBytes;
  readonly #id: string;
  #gone: AbortController | undefined;
  #isGone = false;
  #stream: AnswerStream | undefined;

  constructor(message: Message, context: ExchangeContext) {
    this.#message = message;
    this.#context = context;
    this.#id = context.environment.random.uuid();
    this.#held = new HeldBytes(context.budget, context.environment.clock);
    message.whenGone(() => {
      this.#leave();
      this.#stream?.stop();
    });
  }

  async run(): Promise<void> {
    const { admission } = this.#context;
    const message = this.#message;
    admission.enter();
    const refused = message.refusal ?? admission.refusal(message);
    // The platform tells that a request has no body only at the end of this turn.
    await Promise.resolve();
    const answer = refused ?? (await this.#handle());
    const bytes = isStreamed(answer.body) ? undefined : bodyBytes(answer.body);
    this.#held.answer(bytes ?? 0);
    try {
      await message.send({
        ...answer,
        requestId: this.#id,
        bytes,
        readable: refused === undefined ? admission.readable(message) : undefined,
        sendPieces: async (body, write, isUnheard) => await this.#sendPieces(body, write, isUnheard),
      });
      if (!this.#isGone) answer.sent?.();
    } finally {
      this.#held.release();
      admission.leave();
    }
  }

  async #handle(): Promise<HttpAnswer> {
    try {
      const answer = await this.#context.handler(this.#request());
      checkHeaders(answer.headers, answer.cookies);
      return answer;
    } catch (error) {
      return errorAnswer(error, this.#id, this.#context.environment);
    }
  }

  #request(): HttpRequest {
    const { method, target: sent, headers, rawHeaders, remoteAddress, body } = this.#message;
    const target = sent.startsWith('/') ? sent : absoluteTarget(sent);
    const mark = target.indexOf('?');
    const signal = (): AbortSignal => this.#signal();
    const { environment, bodies } = this.#context;
    const reader = new BodyReader(body, this.#held, environment.clock, bodies);
    return {
      id: this.#id,
      method,
      path: mark < 0 ? target : target.slice(0, mark),
      query: mark < 0 ? '' : target.slice(mark + 1),
      headers,
      headerList: () => headerLines(rawHeaders),
      remoteAddress,
      get signal() {
        return signal();
      },
      readBody: async (maxBytes, seen) => await reader.read(maxBytes, seen),
      recycleBody: () => reader.recycle(),
      hold: async (bytes) => await this.#held.hold(bytes),
      giveBack: (bytes) => this.#held.giveBack(bytes),
    };
  }

  #leave(): void {
    this.#isGone = true;
    this.#gone?.abort();
  }

  /** Made when somebody asks: most requests are over before anyone could go away. */
  #signal(): AbortSignal {
    this.#gone ??= new AbortController();
    if (this.#isGone) this.#gone.abort();
    return this.#gone.signal;
  }

  async #sendPieces(body: HttpStream, write: StreamSink['write'], isUnheard: boolean): Promise<boolean> {
    const sink: StreamSink = { requestId: this.#id, held: this.#held, write, abort: () => this.#leave() };
    const stream = new AnswerStream(body, sink, this.#context);
    this.#stream = stream;
    if (isUnheard || this.#isGone) stream.stop();
    return await stream.run();
  }
}

/** `http://host/path`, as proxies are asked; anything else is a path that fits nothing. */
function absoluteTarget(url: string): string {
  const path = /^https?:\/\/[^/?#]*([^#]*)/i.exec(url)?.[1];
  return path === undefined ? '/*' : path.startsWith('/') ? path : `/${path}`;
}
