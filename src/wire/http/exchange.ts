import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BufferPool } from '../../kernel/bytes/buffer-pool.ts';
import type { ByteBudget } from '../../kernel/flow/byte-budget.ts';
import type { HttpAnswer, HttpHandler, HttpRequest, HttpStream } from '../../ports/http.ts';
import type { Admission } from './admission.ts';
import { checkHeaders } from './answer-head.ts';
import { bodyBytes, isStreamed, writeBody } from './answer-body.ts';
import { AnswerStream, dropStream, type StreamContext } from './answer-stream.ts';
import { BodyReader } from './body.ts';
import { errorAnswer } from './error-answer.ts';
import { HeldBytes } from './held-bytes.ts';
import { httpLimits } from './limits.ts';
import { MessageBody } from './message-body.ts';
import { plainAnswer } from './plain-answer.ts';

/** What all exchanges of a listener share, whoever parsed them. */
export interface ExchangeContext extends StreamContext {
  readonly handler: HttpHandler;
  readonly budget: ByteBudget;
  readonly bodies: BufferPool;
  readonly admission: Admission;
}

/** One request that the platform parsed, and its answer. Never rejects. */
export class Exchange {
  readonly #message: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #context: ExchangeContext;
  readonly #body: MessageBody;
  readonly #held: HeldBytes;
  readonly #headers: Readonly<Record<string, string>>;
  #gone: AbortController | undefined;
  #isGone = false;
  #stream: AnswerStream | undefined;
  readonly #id: string;

  /** `expectsContinue`: the sender waits for `100 Continue` before it sends the body. */
  constructor(message: IncomingMessage, response: ServerResponse, context: ExchangeContext, expectsContinue: boolean) {
    this.#message = message;
    this.#response = response;
    this.#context = context;
    this.#id = context.environment.random.uuid();
    this.#headers = plainHeaders(message);
    this.#held = new HeldBytes(context.budget, context.environment.clock);
    this.#body = new MessageBody(message, () => {
      if (expectsContinue) response.writeContinue();
    });
    message.on('error', () => undefined);
    response.on('error', () => undefined);
    response.once('close', () => {
      if (!response.writableFinished) this.#leave();
      if (this.#isGone) this.#stream?.stop();
    });
  }

  async run(): Promise<void> {
    const { admission } = this.#context;
    admission.enter();
    const { method = 'GET', url = '/' } = this.#message;
    const asked = { method, target: url, headers: this.#headers };
    const refused = refusesHeaders(this.#message) ?? admission.refusal(asked);
    // The platform tells that a request has no body only at the end of this turn.
    await Promise.resolve();
    const answer = refused ?? (await this.#handle(asked));
    const bytes = isStreamed(answer.body) ? undefined : bodyBytes(answer.body);
    this.#held.answer(bytes ?? 0);
    try {
      await this.#send(answer, bytes, refused === undefined ? admission.readable(asked) : undefined);
      if (this.#response.writableFinished) answer.sent?.();
    } finally {
      this.#held.release();
      admission.leave();
    }
  }

  async #handle(asked: { readonly method: string; readonly target: string }): Promise<HttpAnswer> {
    try {
      const answer = await this.#context.handler(this.#request(asked));
      checkHeaders(answer.headers);
      return answer;
    } catch (error) {
      return errorAnswer(error, this.#id, this.#context.environment);
    }
  }

  #request({ method, target: sent }: { readonly method: string; readonly target: string }): HttpRequest {
    const target = sent.startsWith('/') ? sent : absoluteTarget(sent);
    const mark = target.indexOf('?');
    const signal = (): AbortSignal => this.#signal();
    const { environment, bodies } = this.#context;
    const reader = new BodyReader(this.#body, this.#held, environment.clock, bodies);
    return {
      id: this.#id,
      method,
      path: mark < 0 ? target : target.slice(0, mark),
      query: mark < 0 ? '' : target.slice(mark + 1),
      headers: this.#headers,
      remoteAddress: this.#message.socket.remoteAddress ?? '',
      get signal() {
        return signal();
      },
      readBody: async (maxBytes) => await reader.read(maxBytes),
      recycleBody: () => reader.recycle(),
      hold: async (bytes) => await this.#held.hold(bytes),
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

  async #send(
    { status, headers, body }: HttpAnswer,
    bytes: number | undefined,
    readable: Readonly<Record<string, string>> | undefined,
  ): Promise<void> {
    const response = this.#response;
    const hasRest = !this.#message.complete;
    const isLast = this.#context.isDraining() || (hasRest && !this.#canReadRest());
    const own = {
      'x-amzn-RequestId': this.#id,
      ...(bytes !== undefined && { 'content-length': String(bytes) }),
      ...(isLast && { connection: 'close' }),
    };
    const closed = new Promise<void>((resolve) => {
      response.once('close', resolve);
    });
    if (response.destroyed) {
      if (isStreamed(body)) dropStream(body);
      return;
    }
    response.writeHead(status, { ...readable, ...own, ...withoutRequestId(headers) });
    const isHead = this.#message.method === 'HEAD';
    // Without a body the answer would wait for the rest as well.
    if (hasRest) response.flushHeaders();
    if (isStreamed(body)) {
      if (!(await this.#sendPieces(body, isHead))) response.destroy();
    } else if (!isHead) writeBody(response, body);
    if (hasRest) await this.#linger(isLast);
    response.end();
    await closed;
  }

  /** False when they ended in an error. */
  async #sendPieces(body: HttpStream, isHead: boolean): Promise<boolean> {
    const response = this.#response;
    const stream = new AnswerStream(
      body,
      {
        requestId: this.#id,
        held: this.#held,
        write: (piece, taken) => void response.write(piece, taken),
        abort: () => this.#leave(),
      },
      this.#context,
    );
    this.#stream = stream;
    if (isHead) stream.stop();
    response.flushHeaders();
    return await stream.run();
  }

  #canReadRest(): boolean {
    const { announced } = this.#body;
    return announced !== undefined && announced <= httpLimits.restBytesMax && this.#headers['expect'] === undefined;
  }

  /** Closing while bytes are on their way would reset the connection, and the sender would not see the answer. */
  async #linger(isLast: boolean): Promise<void> {
    const message = this.#message;
    if (message.destroyed || message.complete) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#context.environment.clock.timer(httpLimits.lingerMs, () => {
        if (!isLast) this.#response.shouldKeepAlive = false;
        resolve();
      });
      for (const event of ['end', 'close', 'error']) {
        message.once(event, () => {
          cancel();
          resolve();
        });
      }
      message.resume();
    });
    if (!message.complete) this.#response.once('finish', () => message.destroy());
  }
}

/**
 * The platform hides what is doubled and what is too much, and so keeps from our checks what others may have gone by:
 * a second Host, or an Origin behind the last header that it looks at.
 */
function refusesHeaders({ rawHeaders }: IncomingMessage): HttpAnswer | undefined {
  if (rawHeaders.length > 2 * httpLimits.headersMax) {
    return plainAnswer(431, 'RequestHeaderFieldsTooLarge', `a request has at most ${httpLimits.headersMax} headers`);
  }
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts > 1 ? plainAnswer(400, 'BadRequest', 'a request has one Host') : undefined;
}

/** `http://host/path`, as proxies are asked; anything else is a path that fits nothing. */
function absoluteTarget(url: string): string {
  const path = /^https?:\/\/[^/?#]*([^#]*)/i.exec(url)?.[1];
  return path === undefined ? '/*' : path.startsWith('/') ? path : `/${path}`;
}

function plainHeaders(message: IncomingMessage): Readonly<Record<string, string>> {
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(message.headers)) {
    if (value !== undefined) headers[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return headers;
}

/** The id is already there, in the spelling AWS uses. */
function withoutRequestId(headers: Readonly<Record<string, string>>): Record<string, string> {
  const { 'x-amzn-requestid': _, ...rest } = headers;
  return rest;
}
