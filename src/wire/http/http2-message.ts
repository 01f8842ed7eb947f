import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { HttpAnswer } from '../../ports/http.ts';
import { isStreamed, writeBody } from './answer-body.ts';
import { dropStream } from './answer-stream.ts';
import type { Message, OutgoingAnswer } from './exchange.ts';
import { withoutRequestId } from './http1-message.ts';
import { httpLimits } from './limits.ts';
import { MessageBody } from './message-body.ts';
import { plainHeaders, refusesHeaders } from './message-headers.ts';
import { plainAnswer } from './plain-answer.ts';

/** One request of HTTP/2. */
export class Http2Message implements Message {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly remoteAddress: string;
  readonly refusal: HttpAnswer | undefined;
  readonly body: MessageBody;
  readonly #stream: ServerHttp2Stream;
  readonly #closed: Promise<void>;

  /** `rawHeaders`: names and values in turn, as they came. */
  constructor(stream: ServerHttp2Stream, given: IncomingHttpHeaders, rawHeaders: readonly string[], remote: string) {
    this.#stream = stream;
    this.#closed = new Promise((resolve) => void stream.once('close', resolve));
    this.method = given[':method'] ?? 'GET';
    this.target = given[':path'] ?? '*';
    const headers = plainHeaders(given);
    const authority = given[':authority'];
    this.refusal = refusesMessage(this.method, authority, headers['host'], rawHeaders);
    if (authority !== undefined) headers['host'] = authority;
    this.headers = headers;
    this.remoteAddress = remote;
    this.body = new MessageBody(stream, headers, () => !stream.aborted, NOTHING);
    stream.on('error', NOTHING);
    // Neither side moved a byte: a body that is not sent on, or an answer that is not read.
    stream.setTimeout(httpLimits.socketIdleMs, () => this.#reset());
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

  async send({ status, headers, body, bytes, requestId, readable, sendPieces }: OutgoingAnswer): Promise<void> {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) {
      if (isStreamed(body)) dropStream(body);
      stream.resume();
      return;
    }
    const own = { 'x-amzn-requestid': requestId, ...(bytes !== undefined && { 'content-length': String(bytes) }) };
    stream.respond({ ':status': status, ...readable, ...own, ...ofStream(headers) });
    const isHead = this.method === 'HEAD';
    let isWhole = true;
    if (isStreamed(body)) {
      isWhole = await sendPieces(body, (piece, taken) => void stream.write(piece, taken), isHead);
    } else if (!isHead) writeBody(stream, body);
    if (isWhole) this.#end();
    else this.#reset();
    await this.#closed;
  }

  /** What is left of the body is not wanted: the sender is told so behind the answer (RFC 9113, 8.1). */
  #end(): void {
    const stream = this.#stream;
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
