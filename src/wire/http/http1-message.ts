import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../ports/environment.ts';
import type { HttpAnswer } from '../../ports/http.ts';
import { isStreamed, writeBody } from './answer-body.ts';
import { dropStream } from './answer-stream.ts';
import type { Message, OutgoingAnswer } from './exchange.ts';
import { httpLimits } from './limits.ts';
import { MessageBody } from './message-body.ts';
import { plainHeaders, refusesHeaders } from './message-headers.ts';

/** What a message needs to know of its listener. */
export interface MessageContext {
  readonly clock: Clock;
  /** Whether connections are to end with their answer. */
  readonly isDraining: () => boolean;
}

/** One request of HTTP/1.0 or 1.1 that the platform parsed. */
export class Http1Message implements Message {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly remoteAddress: string;
  readonly rawHeaders: readonly string[];
  readonly refusal: HttpAnswer | undefined;
  readonly body: MessageBody;
  readonly #message: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #context: MessageContext;

  /** `expectsContinue`: the sender waits for `100 Continue` before it sends the body. */
  constructor(message: IncomingMessage, response: ServerResponse, context: MessageContext, expectsContinue: boolean) {
    this.#message = message;
    this.#response = response;
    this.#context = context;
    this.method = message.method ?? 'GET';
    this.target = message.url ?? '/';
    this.headers = plainHeaders(message.headers);
    this.remoteAddress = message.socket.remoteAddress ?? '';
    this.rawHeaders = message.rawHeaders;
    this.refusal = refusesHeaders(message.rawHeaders);
    this.body = new MessageBody(
      message,
      this.headers,
      () => message.complete,
      () => {
        if (expectsContinue) response.writeContinue();
      },
    );
    message.on('error', () => undefined);
    response.on('error', () => undefined);
    // Between a whole request and its answer it means nothing that nothing comes or goes.
    response.on('timeout', () => {
      if (!message.complete || response.headersSent) message.socket.destroy();
    });
  }

  whenGone(gone: () => void): void {
    const response = this.#response;
    response.once('close', () => {
      // The platform also calls finished what it dropped with the connection.
      if (!response.writableFinished || this.#message.socket.destroyed) gone();
    });
  }

  async send({
    status,
    headers,
    cookies,
    body,
    bytes,
    requestId,
    readable,
    sendPieces,
  }: OutgoingAnswer): Promise<void> {
    const response = this.#response;
    const hasRest = !this.#message.complete;
    const isLast = this.#context.isDraining() || (hasRest && !this.#canReadRest());
    const own = {
      'x-amzn-RequestId': requestId,
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
    const more = cookies === undefined ? {} : { 'set-cookie': [...cookies] };
    response.writeHead(status, { ...readable, ...own, ...withoutRequestId(headers), ...more });
    const isHead = this.method === 'HEAD';
    // Without a body the answer would wait for the rest as well; a streamed one may come late.
    if (hasRest || isStreamed(body)) response.flushHeaders();
    if (isStreamed(body)) {
      const isWhole = await sendPieces(body, (piece, taken) => void response.write(piece, taken), isHead);
      if (!isWhole) response.destroy();
    } else if (!isHead) writeBody(response, body);
    if (hasRest) await this.#linger(isLast);
    response.end();
    await closed;
  }

  #canReadRest(): boolean {
    const { announced } = this.body;
    return announced !== undefined && announced <= httpLimits.restBytesMax && this.headers['expect'] === undefined;
  }

  /** Closing while bytes are on their way would reset the connection, and the sender would not see the answer. */
  async #linger(isLast: boolean): Promise<void> {
    const message = this.#message;
    if (message.destroyed || message.complete) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#context.clock.timer(httpLimits.lingerMs, () => {
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

/** The id is already there, in the spelling AWS uses. */
export function withoutRequestId(headers: Readonly<Record<string, string>>): Record<string, string> {
  const { 'x-amzn-requestid': _, ...rest } = headers;
  return rest;
}
