import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Clock } from '../../ports/environment.ts';
import type { HttpAnswer, WholeBody } from '../../ports/http.ts';
import { bodySlices, isStreamed } from './answer-body.ts';
import { dropStream } from './answer-stream.ts';
import type { Message, OutgoingAnswer } from './exchange.ts';
import { withoutRequestId } from './http1-message.ts';
import { httpLimits } from './limits.ts';
import { MessageBody } from './message-body.ts';
import { plainHeaders, refusesHeaders } from './message-headers.ts';
import { plainAnswer } from './plain-answer.ts';

/** What a message needs to know of its connection. */
export interface Http2MessageContext {
  readonly remoteAddress: string;
  readonly clock: Clock;
  /** Nothing of an answer was taken for `socketIdleMs`; it was broken off. */
  readonly stalled: () => void;
}

/** One request of HTTP/2. */
export class Http2Message implements Message {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly remoteAddress: string;
  readonly rawHeaders: readonly string[];
  readonly refusal: HttpAnswer | undefined;
  readonly body: MessageBody;
  readonly #stream: ServerHttp2Stream;
  readonly #context: Http2MessageContext;
  readonly #closed: Promise<void>;
  #isEnded = false;
  #cancelStall = NOTHING;

  /** `rawHeaders`: names and values in turn, as they came. */
  constructor(
    stream: ServerHttp2Stream,
    given: IncomingHttpHeaders,
    rawHeaders: readonly string[],
    context: Http2MessageContext,
  ) {
    this.#stream = stream;
    this.#context = context;
    this.#closed = new Promise((resolve) => void stream.once('close', resolve));
    this.method = given[':method'] ?? 'GET';
    this.target = given[':path'] ?? '*';
    const headers = plainHeaders(given);
    const authority = given[':authority'];
    this.refusal = refusesMessage(this.method, authority, headers['host'], rawHeaders);
    const isNamed = authority !== undefined && headers['host'] === undefined;
    this.rawHeaders = isNamed ? ['host', authority, ...rawHeaders] : rawHeaders;
    if (authority !== undefined) headers['host'] = authority;
    this.headers = headers;
    this.remoteAddress = context.remoteAddress;
    this.body = new MessageBody(stream, headers, () => !stream.aborted, NOTHING);
    stream.once('close', () => this.#cancelStall());
  }

  /** At its end: whether it had an answer, and nobody broke that off or let it lie. */
  get isAnswered(): boolean {
    return this.#isEnded && this.#stream.rstCode === constants.NGHTTP2_NO_ERROR;
  }

  /** Whether all of it came, and its answer did not begin. */
  get isAwaited(): boolean {
    const { closed, headersSent, state } = this.#stream;
    return !closed && !headersSent && state.state === constants.NGHTTP2_STREAM_STATE_HALF_CLOSED_REMOTE;
  }

  whenGone(gone: () => void): void {
    const stream = this.#stream;
    // What is left of a body keeps the stream from its end: that comes only when somebody reads, or drops, it.
    stream.once('aborted', gone);
    stream.once('close', () => {
      // The platform ends a stream itself that its sender takes back without an error.
      if (stream.aborted || !stream.writableFinished || stream.rstCode !== constants.NGHTTP2_NO_ERROR) gone();
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
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) {
      if (isStreamed(body)) dropStream(body);
      stream.resume();
      return;
    }
    const own = { 'x-amzn-requestid': requestId, ...(bytes !== undefined && { 'content-length': String(bytes) }) };
    const more = cookies === undefined ? {} : { 'set-cookie': [...cookies] };
    stream.respond({ ':status': status, ...readable, ...own, ...ofStream(headers), ...more });
    const isHead = this.method === 'HEAD';
    let isWhole = true;
    if (isStreamed(body)) isWhole = await sendPieces(body, (piece, taken) => this.#write(piece, taken), isHead);
    else if (!isHead) await this.#sendWhole(body, bytes ?? 0);
    if (isWhole) this.#end();
    else this.#reset();
    await this.#closed;
  }

  /** Only so much at once: what the connection has taken is held for as long as its receiver likes. */
  async #sendWhole(body: WholeBody, bytes: number): Promise<void> {
    const stream = this.#stream;
    let left = bytes;
    let onWay = 0;
    for (const slice of bodySlices(body, httpLimits.h2SliceBytes)) {
      left -= slice.length;
      onWay += slice.length;
      if (left === 0 || onWay < httpLimits.h2SliceBytes) stream.write(slice);
      else {
        await new Promise<void>((resolve) => this.#write(slice, () => resolve()));
        onWay = 0;
      }
      if (stream.closed) return;
    }
  }

  #write(piece: Uint8Array, taken: (error?: Error | null) => void): void {
    this.#watch();
    this.#stream.write(piece, (error) => {
      this.#cancelStall();
      // Of a streamed answer that was stopped, its end waits now.
      if (this.#isEnded && !this.#stream.destroyed) this.#watch();
      taken(error);
    });
  }

  /**
   * What goes out now must be taken in time, as over HTTP/1.1. By a clock of our own: the platform's takes anything
   * that moves on the connection, the answer to a ping, for a sign of life.
   */
  #watch(waitedMs = 0): void {
    this.#cancelStall();
    const { clock, stalled } = this.#context;
    this.#cancelStall = clock.timer(httpLimits.slowLookMs, () => {
      const soFar = waitedMs + httpLimits.slowLookMs;
      const isStalled = soFar >= httpLimits.socketIdleMs;
      // The platform says nothing of a stream that is taken back without an error while it waits to be taken.
      if (!isStalled && !this.#stream.closed) return this.#watch(soFar);
      this.#isEnded = false;
      this.#reset();
      if (isStalled) stalled();
    });
  }

  /** What is left of the body is not wanted: the sender is told so behind the answer (RFC 9113, 8.1). */
  #end(): void {
    const stream = this.#stream;
    if (stream.closed) {
      // Its sender took it back; without an error it still waits for somebody to read.
      stream.resume();
      return;
    }
    this.#watch();
    this.#isEnded = true;
    stream.end(() => {
      if (stream.readableEnded) return;
      stream.close(constants.NGHTTP2_NO_ERROR);
      // What came already is dropped: the stream ends only behind it.
      stream.resume();
    });
  }

  /** Not by `close`: that sends the end of the answer first, and a part would pass for the whole. */
  #reset(): void {
    this.#stream.destroy(new Error('reset'));
  }
}

const NOTHING = (): void => undefined;

function refusesMessage(
  method: string,
  authority: string | undefined,
  host: string | undefined,
  rawHeaders: readonly string[],
): HttpAnswer | undefined {
  if (method === 'CONNECT') return plainAnswer(405, 'MethodNotAllowed', 'no tunnels here');
  if (authority !== undefined && host !== undefined && authority !== host) {
    return plainAnswer(400, 'BadRequest', 'a request has one Host');
  }
  return refusesHeaders(rawHeaders);
}

/** Without what HTTP/2 has no use for: the connection is not one answer's to end. */
function ofStream(headers: Readonly<Record<string, string>>): Record<string, string> {
  const { connection: _, 'keep-alive': __, 'transfer-encoding': ___, ...rest } = withoutRequestId(headers);
  return rest;
}
