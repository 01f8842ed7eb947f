import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { Clock } from '../../ports/environment.ts';
import { Exchange, type ExchangeContext } from './exchange.ts';
import { Http2Message, type Http2MessageContext } from './http2-message.ts';
import { httpLimits } from './limits.ts';
import { Patience } from './patience.ts';

/** How the platform is to speak HTTP/2. What is not bounded here is bounded by it: see `Patience`. */
const OPTIONS = {
  maxHeaderListPairs: httpLimits.headersMax,
  maxSettings: httpLimits.h2SettingsMax,
  // In megabytes.
  maxSessionMemory: Math.ceil(httpLimits.h2SessionBytesMax / 1_000_000),
  settings: {
    enablePush: false,
    maxConcurrentStreams: httpLimits.h2StreamsMax,
    initialWindowSize: httpLimits.h2WindowBytes,
    maxHeaderListSize: httpLimits.headerBytesMax,
  },
};

/** What the HTTP/2 connections of a listener share. */
export interface SessionContext {
  readonly exchange: ExchangeContext;
  /** From the first byte to the sender's settings. */
  readonly headersMs: number;
  /** After so long without traffic a connection is closed, unless a request waits for its answer. */
  readonly socketIdleMs: number;
  /** A sender was cut off that asked for much and wanted nothing. */
  flooded(): void;
}

/** All HTTP/2 connections of a listener. */
export class Http2Sessions {
  readonly #context: SessionContext;
  readonly #open = new Set<Session>();

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** Speaks HTTP/2 over a connection of which nothing was read, or what was read was put back. */
  serve(socket: Socket): void {
    const session = new Session(socket, this.#context, () => void this.#open.delete(session));
    this.#open.add(session);
    if (this.#context.exchange.isDraining()) session.close();
  }

  /** Says that no more requests are taken; each ends with its last answer. */
  drain(): void {
    for (const session of this.#open) session.close();
  }

  destroy(): void {
    for (const session of this.#open) session.destroy();
  }
}

/** One connection. */
class Session {
  readonly #session: ServerHttp2Session;
  readonly #context: SessionContext;
  readonly #clock: Clock;
  readonly #socket: Socket;
  readonly #patience: Patience;
  #streams = 0;
  /** Requests that a handler sees, until their streams are closed. */
  readonly #messages = new Set<Http2Message>();
  #isWide = false;
  /** It was cut off: nothing of it is served any more. */
  #isOver = false;
  #isProbed = false;
  /** Bytes of the connection that had come when its sender answered the last look. */
  #seen = 0;
  #isLookedAt = false;
  #cancelIdle = (): void => undefined;
  #cancelLook = (): void => undefined;
  #cancelEnd = (): void => undefined;

  constructor(socket: Socket, context: SessionContext, closed: () => void) {
    const { clock } = context.exchange.environment;
    this.#context = context;
    this.#clock = clock;
    this.#patience = new Patience(() => clock.monotonic());
    socket.on('error', () => undefined);
    this.#socket = socket;
    const session = performServerHandshake(socket, OPTIONS);
    this.#session = session;
    this.#idle();
    session.on('error', () => undefined);
    session.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: string[]) =>
      this.#take(stream, headers, raw),
    );
    session.on('ping', () => this.#bear());
    // Who speaks HTTP/2 begins with its settings.
    const cancelSlow = clock.timer(context.headersMs, () => this.#end());
    session.on('remoteSettings', () => {
      cancelSlow();
      this.#bear();
    });
    session.setTimeout(context.socketIdleMs);
    // Between a whole request and its answer it means nothing that nothing comes or goes.
    session.on('timeout', () => {
      if (![...this.#messages].some(({ isAwaited }) => isAwaited)) this.#end();
    });
    session.once('close', () => {
      this.#isOver = true;
      cancelSlow();
      this.#cancelIdle();
      this.#cancelLook();
      this.#cancelEnd();
      closed();
    });
  }

  close(): void {
    if (!this.#session.closed) this.#session.close();
  }

  /** At once: the platform would first send what waits, for as long as its receiver likes. */
  destroy(): void {
    this.#socket.destroy();
  }

  #take(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: string[]): void {
    let message: Http2Message | undefined;
    this.#cancelIdle();
    this.#cancelLook();
    this.#streams += 1;
    stream.on('error', () => undefined);
    stream.once('close', () => {
      this.#streams -= 1;
      if (message !== undefined) this.#messages.delete(message);
      if (this.#streams === 0) this.#idle();
      if (message?.isAnswered !== true) this.#bear();
    });
    // Behind all that came with it: what is taken back in the same breath is not even looked at.
    this.#clock.soon(() => {
      if (this.#isOver || stream.closed) return;
      message = new Http2Message(stream, headers, raw, this.#messageContext);
      this.#messages.add(message);
      if ((message.body.announced ?? 0) > httpLimits.h2FirstWindowBytes) this.#widen();
      // An exchange never rejects; should it, the process must say so rather than hide it.
      void new Exchange(message, this.#context.exchange).run();
    });
  }

  get #messageContext(): Http2MessageContext {
    const { remoteAddress = '' } = this.#socket;
    return { remoteAddress, clock: this.#clock, stalled: () => this.#probe() };
  }

  /** A large body shall not wait for its sender after each 64 KiB; who sends none needs no room for one. */
  #widen(): void {
    if (this.#isWide) return;
    this.#isWide = true;
    this.#session.setLocalWindowSize(httpLimits.h2WindowBytes);
  }

  /** Without a request the connection ends after a while, whatever else is said over it. */
  #idle(): void {
    if (this.#isOver) return;
    this.#look();
    this.#cancelIdle = this.#clock.timer(httpLimits.keepAliveMs, () => {
      this.close();
      this.#linger();
    });
  }

  /**
   * Who breaks the protocol is told so by the platform, which then reads and writes nothing more and tells nobody: what
   * it is to say next stays with it. Only while there is no request: then it does not wait for a slow receiver.
   */
  #look(): void {
    this.#cancelLook = this.#clock.timer(httpLimits.h2LookMs, () => {
      if (this.#session.destroyed) return;
      if (this.#isLookedAt && (this.#session.state.outboundQueueSize ?? 0) > 0) return this.#end();
      this.#ask();
      this.#look();
    });
  }

  /** Once for all that came since the last answer; who never answers is not asked again. */
  #ask(): void {
    if (this.#isLookedAt || this.#socket.bytesRead === this.#seen) return;
    this.#isLookedAt = true;
    this.#session.ping((error) => {
      if (error !== null) return;
      this.#isLookedAt = false;
      this.#seen = this.#socket.bytesRead;
    });
  }

  #end(reason?: Error, code: number = constants.NGHTTP2_NO_ERROR): void {
    this.#session.destroy(reason, code);
    this.#linger();
  }

  /** Who takes nothing any more would keep a connection that the platform ends for ever. */
  #linger(): void {
    this.#cancelEnd();
    this.#cancelEnd = this.#clock.timer(httpLimits.lingerMs, () => this.#socket.destroy());
  }

  /** An answer is not taken: is that one not read, or none at all? Then what waits for the socket must not stay. */
  #probe(): void {
    if (this.#isProbed || this.#session.destroyed) return;
    this.#isProbed = true;
    const cancel = this.#clock.timer(httpLimits.socketIdleMs, () => this.#socket.destroy());
    this.#session.ping(() => {
      this.#isProbed = false;
      cancel();
    });
  }

  #bear(): void {
    if (this.#isOver || this.#session.destroyed || this.#patience.bears()) return;
    this.#isOver = true;
    this.#context.flooded();
    // Before the platform has its own limit, behind which nothing is told any more, nor ended.
    this.#session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    // Not in the middle of what was read: an assertion of the platform's may end the process there (seen in 20.20).
    this.#clock.soon(() => this.#end(new Error('flood'), constants.NGHTTP2_ENHANCE_YOUR_CALM));
  }
}
