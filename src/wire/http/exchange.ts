import type { IncomingMessage, ServerResponse } from 'node:http';
import { Defect, RequestError, ThrottleError } from '../../kernel/errors.ts';
import type { ByteBudget } from '../../kernel/flow/byte-budget.ts';
import type { Environment } from '../../ports/environment.ts';
import type { HttpAnswer, HttpHandler, HttpRequest } from '../../ports/http.ts';
import { announcedBytes, BodyReader } from './body.ts';
import { httpLimits } from './limits.ts';

/** What is left of a refused body is read to its end when it is no longer than this, and the connection kept. */
const REST_BYTES_MAX = 256 * 1024;

/** What all exchanges of a listener share. */
export interface ExchangeContext {
  readonly handler: HttpHandler;
  readonly environment: Environment;
  readonly budget: ByteBudget;
  /** Whether connections are to end with their answer. */
  isDraining(): boolean;
}

/** One request and its answer. Never rejects. */
export class Exchange {
  readonly #message: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #context: ExchangeContext;
  readonly #body: BodyReader;
  #gone: AbortController | undefined;
  #isGone = false;
  readonly id: string;

  /** `expectsContinue`: the sender waits for `100 Continue` before it sends the body. */
  constructor(message: IncomingMessage, response: ServerResponse, context: ExchangeContext, expectsContinue: boolean) {
    this.#message = message;
    this.#response = response;
    this.#context = context;
    this.id = context.environment.random.uuid();
    this.#body = new BodyReader(message, {
      clock: context.environment.clock,
      budget: context.budget,
      begin: () => {
        if (expectsContinue) response.writeContinue();
      },
    });
    message.on('error', () => undefined);
    response.on('error', () => undefined);
    response.once('close', () => {
      this.#isGone = !response.writableFinished;
      if (this.#isGone) this.#gone?.abort();
    });
  }

  /** Answers with what the handler says, or with `refused` when the request does not get that far. */
  async run(refused?: HttpAnswer): Promise<void> {
    // The platform tells that a request has no body only at the end of this turn.
    await Promise.resolve();
    const answer = refused ?? (await this.#handle());
    const bytes = typeof answer.body === 'string' ? Buffer.byteLength(answer.body) : answer.body.length;
    this.#context.budget.charge(bytes);
    try {
      await this.#send(answer, bytes);
    } finally {
      this.#context.budget.giveBack(bytes);
      this.#body.release();
    }
  }

  async #handle(): Promise<HttpAnswer> {
    try {
      return await this.#context.handler(this.#request());
    } catch (error) {
      return this.#answerError(error);
    }
  }

  #answerError(error: unknown): HttpAnswer {
    if (error instanceof RequestError) {
      return plainAnswer(error.status, error.code, error.message, error.headers);
    }
    if (error instanceof ThrottleError) {
      const seconds = String(Math.max(1, Math.ceil(error.retryAfterMs / 1000)));
      return plainAnswer(503, error.code, error.message, { 'retry-after': seconds });
    }
    const { log, meter } = this.#context.environment;
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log.error('http.bug', { requestId: this.id, family: error instanceof Defect ? 'Defect' : 'Error', message });
    meter.count('http_bugs_total');
    return plainAnswer(500, 'InternalFailure', `this is a bug of millrace; its log names it by ${this.id}`);
  }

  #request(): HttpRequest {
    const { method = 'GET', url = '/', socket } = this.#message;
    const target = url.startsWith('/') ? url : absoluteTarget(url);
    const mark = target.indexOf('?');
    const signal = (): AbortSignal => this.#signal();
    return {
      id: this.id,
      method,
      path: mark < 0 ? target : target.slice(0, mark),
      query: mark < 0 ? '' : target.slice(mark + 1),
      headers: plainHeaders(this.#message),
      remoteAddress: socket.remoteAddress ?? '',
      get signal() {
        return signal();
      },
      readBody: async (maxBytes) => await this.#body.read(maxBytes),
    };
  }

  /** Made when somebody asks: most requests are over before anyone could go away. */
  #signal(): AbortSignal {
    this.#gone ??= new AbortController();
    if (this.#isGone) this.#gone.abort();
    return this.#gone.signal;
  }

  async #send({ status, headers, body }: HttpAnswer, bytes: number): Promise<void> {
    const response = this.#response;
    const hasRest = !this.#message.complete;
    const isLast = this.#context.isDraining() || (hasRest && !this.#canReadRest());
    const own = {
      'x-amzn-RequestId': this.id,
      'content-length': String(bytes),
      ...(isLast && { connection: 'close' }),
    };
    const closed = new Promise<void>((resolve) => {
      response.once('close', resolve);
    });
    if (response.destroyed) return;
    response.writeHead(status, { ...own, ...withoutRequestId(headers) });
    const isHead = this.#message.method === 'HEAD';
    if (hasRest) {
      if (!isHead) response.write(body);
      await this.#linger(isLast);
      response.end();
    } else response.end(isHead ? undefined : body);
    await closed;
  }

  #canReadRest(): boolean {
    const announced = announcedBytes(this.#message);
    return announced !== undefined && announced <= REST_BYTES_MAX && this.#message.headers.expect === undefined;
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

/** An answer in our own words, for what no protocol of a capability covers. */
export function plainAnswer(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  const body = `${JSON.stringify({ error: code, message })}\n`;
  return { status, headers: { 'content-type': 'application/json', ...headers }, body };
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
