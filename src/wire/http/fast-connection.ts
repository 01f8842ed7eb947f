import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { BufferPool } from '../../kernel/bytes/buffer-pool.ts';
import { Defect } from '../../kernel/errors.ts';
import type { HttpAnswer, HttpBody, HttpStream, WholeBody } from '../../ports/http.ts';
import { bodyBytes, isStreamed, writeBody } from './answer-body.ts';
import type { HeadWriter } from './answer-head.ts';
import { AnswerStream, dropStream } from './answer-stream.ts';
import { errorAnswer } from './error-answer.ts';
import type { ExchangeContext } from './exchange.ts';
import { FastBody, type BodyFlow } from './fast-body.ts';
import { FastRequest, type RequestOrigin } from './fast-request.ts';
import { firstProtocol, type Protocol } from './first-bytes.ts';
import { HeldBytes } from './held-bytes.ts';
import { httpLimits } from './limits.ts';
import { refuseRaw } from './refuse-raw.ts';
import { readHead, type RequestHead } from './request-head.ts';
import type { AwaitsHead, SlowHeads } from './slow-heads.ts';

/** What the connections of a listener share. */
export interface FastContext extends ExchangeContext {
  readonly heads: HeadWriter;
  readonly slowHeads: SlowHeads;
  /** Gives the connection to whoever speaks what came, with what came and was not answered. */
  handOver(socket: Socket, bytes: Buffer, protocol: Protocol): void;
  /** After so long without traffic a connection is closed, unless its request waits for an answer. */
  readonly socketIdleMs: number;
  /** Whether connections without TLS are served. */
  readonly isPlaintextServed: boolean;
  /** The connection is no longer one of ours. */
  forget(connection: FastConnection): void;
}

/**
 * One connection as long as its requests are usual ones: reads a head, lets it be answered, and only then looks at what
 * stands behind it. The first unusual request goes to the platform's parser, and the connection with it.
 */
export class FastConnection implements AwaitsHead, BodyFlow, RequestOrigin {
  readonly #socket: Socket;
  readonly #context: FastContext;
  /** What came and was not looked at: a part of a head, or what stands behind the request under way. */
  #rest: Buffer | undefined;
  #request: FastRequest | undefined;
  #stream: AnswerStream | undefined;
  readonly #isEncrypted: boolean;
  #isNew = true;
  #isOver = false;
  /** The answer to the request under way began. */
  #isAnswering = false;

  constructor(socket: Socket, context: FastContext) {
    this.#socket = socket;
    this.#context = context;
    this.#isEncrypted = socket instanceof TLSSocket;
    socket.setTimeout(context.socketIdleMs);
    socket.on('data', this.#take);
    socket.on('end', this.#end);
    socket.on('error', ignore);
    socket.on('timeout', this.#cut);
    socket.on('close', this.#closed);
    context.slowHeads.add(this);
  }

  get environment(): ExchangeContext['environment'] {
    return this.#context.environment;
  }

  get bodies(): BufferPool {
    return this.#context.bodies;
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? '';
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  refuseSlow(): void {
    this.#refuse(408, 'RequestTimeout', 'the request took too long');
  }

  /** Ends it now unless a request is under way, or the head of one. */
  closeIdle(): void {
    if (this.#request === undefined && this.#rest === undefined) this.#socket.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  readonly #take = (chunk: Buffer): void => {
    if (this.#isOver) return;
    const rest = this.#rest;
    if (this.#request === undefined) return this.#look(rest === undefined ? chunk : Buffer.concat([rest, chunk]));
    const behind = this.#request.body.incoming(chunk);
    if (behind === undefined) return;
    this.#rest = rest === undefined ? behind : Buffer.concat([rest, behind]);
    // One request at a time: what stands behind it waits in the system's buffers.
    this.#socket.pause();
    // The end of a body that was dropped ends its request at once.
    if (this.#request === undefined) this.#context.environment.clock.soon(this.#goOn);
  };

  /** The sender sends nothing more. As with the platform's parser, who does so in mid-request wants no answer. */
  readonly #end = (): void => {
    if (this.#isOver) return undefined;
    const request = this.#request;
    if (request !== undefined && request.body.missing > 0) return request.body.cut();
    const isCut = request === undefined && this.#rest !== undefined && this.#isPartial(this.#rest);
    if (isCut) return this.#refuse(400, 'BadRequest', 'this is not HTTP/1.1');
    if (request === undefined) this.#isOver = true;
    this.#socket.end();
    return undefined;
  };

  #isPartial(bytes: Buffer): boolean {
    return readHead(bytes) === 'partial' || (this.#isNew && firstProtocol(bytes) === 'partial');
  }

  /** Nothing came or went for a while. Between a whole request and its answer that means nothing. */
  readonly #cut = (): void => {
    const isAwaited = this.#request?.body.missing === 0 && !this.#isAnswering;
    if (!isAwaited) this.#socket.destroy();
  };

  readonly #closed = (): void => {
    this.#context.slowHeads.delete(this);
    this.#context.forget(this);
    this.#request?.body.cut();
    this.#request?.leave();
    this.#stream?.stop();
  };

  /** `bytes` is everything that came and was not looked at. */
  #look(bytes: Buffer): void {
    this.#rest = undefined;
    if (this.#isNew) {
      const protocol = firstProtocol(bytes);
      if (protocol === 'partial') return this.#await(bytes);
      if (protocol === 'tls') return this.#handOver(bytes, this.#isEncrypted ? 'other' : 'tls');
      if (!this.#isEncrypted && !this.#context.isPlaintextServed) return this.#refusePlaintext();
      if (protocol !== 'http/1.1') return this.#handOver(bytes, protocol);
    }
    const head = readHead(bytes);
    if (head === 'partial') this.#await(bytes);
    else if (head === 'unusual') this.#handOver(bytes);
    else this.#begin(head, bytes);
    return undefined;
  }

  /** More is needed to tell what these are. */
  #await(bytes: Buffer): void {
    this.#rest = bytes;
    this.#context.slowHeads.add(this);
  }

  #refusePlaintext(): void {
    this.#refuse(400, 'BadRequest', 'this listener speaks TLS only; server.tls.plaintext: true lets plain HTTP in');
  }

  #handOver(bytes: Buffer, protocol: Protocol = 'other'): void {
    const socket = this.#socket;
    this.#isOver = true;
    this.#context.slowHeads.delete(this);
    this.#context.forget(this);
    socket.off('data', this.#take);
    socket.off('end', this.#end);
    socket.off('error', ignore);
    socket.off('timeout', this.#cut);
    socket.off('close', this.#closed);
    this.#context.handOver(socket, bytes, protocol);
  }

  #refuse(status: number, code: string, message: string): void {
    this.#isOver = true;
    refuseRaw(this.#socket, status, code, message);
  }

  #begin(head: RequestHead, bytes: Buffer): void {
    const end = head.length + head.contentLength;
    // What follows a last request means something else to everybody.
    if (!head.isKept && bytes.length > end) return this.#handOver(bytes);
    this.#context.slowHeads.delete(this);
    this.#isNew = false;
    const { environment, budget, admission } = this.#context;
    const body = new FastBody(head.contentLength, bytes.subarray(head.length, end), this);
    const request = new FastRequest(head, body, new HeldBytes(budget, environment.clock), this);
    this.#request = request;
    this.#isAnswering = false;
    if (bytes.length > end) this.#rest = bytes.subarray(end);
    admission.enter();
    const refused = admission.refusal(head);
    // A refusal, too, is sent in a turn of its own: a thousand of them in one chunk must not pile up.
    const answer = refused === undefined ? this.#ask(request) : Promise.resolve(refused);
    void answer.then(
      (given) => this.#answer(request, given, refused === undefined),
      (error: unknown) => this.#answer(request, errorAnswer(error, request.id, environment), true),
    );
    return undefined;
  }

  /** What a handler throws before its first promise is its error like any other. */
  #ask(request: FastRequest): Promise<HttpAnswer> {
    try {
      return this.#context.handler(request);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #answer(request: FastRequest, answer: HttpAnswer, isAdmitted: boolean): void {
    const socket = this.#socket;
    const { body, head } = request;
    this.#isAnswering = true;
    // Who ended its side, or is gone, hears nothing more.
    if (!socket.writable) {
      if (isStreamed(answer.body)) dropStream(answer.body);
      return this.#finish(request, true);
    }
    const hasRest = body.missing > 0 && !body.isCut;
    const isLast = this.#context.isDraining() || body.isCut || (hasRest && body.announced > httpLimits.restBytesMax);
    const sent = this.#send(request, answer, isLast, isAdmitted);
    const ends = isLast || !head.isKept || sent.endsConnection;
    if (isStreamed(sent.body)) {
      void this.#sendPieces(request, sent.body, ends || hasRest);
      return undefined;
    }
    const isTaken = socket.writableLength === 0;
    if (isTaken && !socket.destroyed) sent.done?.();
    if (!hasRest && isTaken) return this.#finish(request, ends);
    request.held.answer(sent.bytes);
    if (hasRest) return this.#linger(request, ends);
    socket.write('', (error) => {
      // What became of the rest is not known when the receiver went away in the middle.
      if (error === null || error === undefined) sent.done?.();
      this.#finish(request, ends);
    });
    return undefined;
  }

  #send(request: FastRequest, answer: HttpAnswer, isLast: boolean, isAdmitted: boolean): Sent {
    const { environment, admission, heads } = this.#context;
    const { head, id: requestId } = request;
    const { status, headers, cookies, body } = answer;
    const bytes = isStreamed(body) ? 0 : bodyBytes(body);
    const length = isStreamed(body) ? (hasBody(head, status) ? 'chunked' : 'unknown') : bytes;
    const readable = isAdmitted ? admission.readable(head) : undefined;
    let text: string;
    try {
      text = heads.write({ requestId, status, length, readable, headers, cookies, isLast, isKept: head.isKept });
    } catch (error) {
      if (!(error instanceof Defect)) throw error;
      if (isStreamed(body)) dropStream(body);
      return this.#send(request, errorAnswer(error, requestId, environment), isLast, isAdmitted);
    }
    const endsConnection = /\bclose\b/i.test(headers['connection'] ?? '');
    if (isStreamed(body)) this.#socket.write(text, 'latin1');
    else writeAnswer(this.#socket, text, hasBody(head, status) ? body : '', bytes);
    return { bytes, body, endsConnection, done: answer.sent };
  }

  async #sendPieces(request: FastRequest, body: HttpStream, ends: boolean): Promise<void> {
    const socket = this.#socket;
    const stream = new AnswerStream(
      body,
      {
        requestId: request.id,
        held: request.held,
        write: (piece, taken) => writeChunk(socket, piece, taken),
        abort: () => request.leave(),
      },
      this.#context,
    );
    this.#stream = stream;
    if (request.method === 'HEAD') stream.stop();
    // Were it not read, nobody would notice that the sender went away.
    request.body.drop(ignore);
    const isWhole = await stream.run();
    this.#stream = undefined;
    if (!isWhole) socket.destroy();
    else if (request.method !== 'HEAD' && socket.writable) socket.write(LAST_CHUNK, 'latin1');
    this.#finish(request, ends || !isWhole);
  }

  /** Closing while bytes are on their way would reset the connection, and the sender would not see the answer. */
  #linger(request: FastRequest, ends: boolean): void {
    const { body } = request;
    let isDone = false;
    const done = (): void => {
      if (isDone) return;
      isDone = true;
      cancel();
      this.#finish(request, ends || body.missing > 0);
    };
    const cancel = this.#context.environment.clock.timer(httpLimits.lingerMs, done);
    body.drop(done);
  }

  /** The answer was sent, or nobody is there to hear it. */
  #finish(request: FastRequest, ends: boolean): void {
    request.held.release();
    this.#request = undefined;
    const { admission, environment, isDraining } = this.#context;
    admission.leave();
    if (ends) {
      this.#isOver = true;
      this.#socket.destroySoon();
    } else if (this.#rest !== undefined) environment.clock.soon(this.#goOn);
    else if (isDraining()) this.#socket.destroy();
    else this.#socket.resume();
  }

  /** Looks at what came behind the last request; others had their turn meanwhile. */
  readonly #goOn = (): void => {
    if (this.#isOver || this.#socket.destroyed || this.#request !== undefined || this.#rest === undefined) return;
    this.#look(this.#rest);
    if (!this.#isOver && (this.#request === undefined || this.#rest === undefined)) this.#socket.resume();
  };
}

/** What became of an answer. */
interface Sent {
  /** Of its body, in bytes; 0 for one that is still to be sent. */
  readonly bytes: number;
  readonly body: HttpBody;
  readonly endsConnection: boolean;
  /** As HttpAnswer's `sent`. */
  readonly done: (() => void) | undefined;
}

const LAST_CHUNK = '0\r\n\r\n';

const ignore = (): void => undefined;

function hasBody({ method }: RequestHead, status: number): boolean {
  return method !== 'HEAD' && status !== 204 && status !== 304;
}

/** Head and body in one write; `length` is the body's in bytes. */
function writeAnswer(socket: Socket, head: string, body: WholeBody, length: number): void {
  if (body.length === 0) socket.write(head, 'latin1');
  // As many bytes as characters: the text is ASCII.
  else if (typeof body === 'string' && body.length === length) socket.write(head + body, 'latin1');
  else {
    socket.cork();
    socket.write(head, 'latin1');
    writeBody(socket, body);
    socket.uncork();
  }
}

/** One chunk of a body whose length nobody knows (RFC 9112, 7.1). */
function writeChunk(socket: Socket, piece: Uint8Array, taken: (error?: Error | null) => void): void {
  socket.cork();
  socket.write(`${piece.length.toString(16)}\r\n`, 'latin1');
  socket.write(piece);
  socket.write('\r\n', 'latin1', taken);
  socket.uncork();
}
