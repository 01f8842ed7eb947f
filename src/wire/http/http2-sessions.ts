import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import { Exchange, type ExchangeContext } from './exchange.ts';
import { Http2Message } from './http2-message.ts';
import { httpLimits } from './limits.ts';

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
const SECOND_MS = 1000;

/** What the HTTP/2 connections of a listener share. */
export interface SessionContext {
  readonly exchange: ExchangeContext;
  /** From the first byte to the sender's settings. */
  readonly headersMs: number;
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
  readonly #socket: Socket;
  readonly #patience: Patience;
  #streams = 0;
  #isWide = false;
  #cancelIdle: () => void;

  constructor(socket: Socket, context: SessionContext, closed: () => void) {
    const { clock } = context.exchange.environment;
    this.#context = context;
    const { remoteAddress = '' } = socket;
    this.#patience = new Patience(() => clock.monotonic());
    socket.on('error', () => undefined);
    this.#socket = socket;
    const session = performServerHandshake(socket, OPTIONS);
    this.#session = session;
    this.#cancelIdle = this.#idle();
    session.on('error', () => undefined);
    session.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: string[]) => {
      this.#serve(stream, new Http2Message(stream, headers, raw, remoteAddress));
    });
    session.on('ping', () => this.#bear());
    // Who speaks HTTP/2 begins with its settings.
    const cancelSlow = clock.timer(context.headersMs, () => session.destroy());
    session.on('remoteSettings', () => {
      cancelSlow();
      this.#bear();
    });
    session.setTimeout(httpLimits.socketIdleMs, () => session.destroy());
    session.once('close', () => {
      cancelSlow();
      this.#cancelIdle();
      closed();
    });
  }

  close(): void {
    if (!this.#session.closed) this.#session.close();
  }

  destroy(): void {
    this.#session.destroy();
  }

  #serve(stream: ServerHttp2Stream, message: Http2Message): void {
    this.#cancelIdle();
    this.#streams += 1;
    if ((message.body.announced ?? 0) > httpLimits.h2FirstWindowBytes) this.#widen();
    stream.once('close', () => {
      this.#streams -= 1;
      if (this.#streams === 0 && !this.#session.destroyed) this.#cancelIdle = this.#idle();
      if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) this.#bear();
    });
    // An exchange never rejects; should it, the process must say so rather than hide it.
    void new Exchange(message, this.#context.exchange).run();
  }

  /** A large body shall not wait for its sender after each 64 KiB; who sends none needs no room for one. */
  #widen(): void {
    if (this.#isWide) return;
    this.#isWide = true;
    this.#session.setLocalWindowSize(httpLimits.h2WindowBytes);
  }

  /** Without a request the connection ends after a while, whatever else is said over it. */
  #idle(): () => void {
    return this.#context.exchange.environment.clock.timer(httpLimits.keepAliveMs, () => this.close());
  }

  #bear(): void {
    if (this.#socket.destroyed || this.#patience.bears()) return;
    this.#context.flooded();
    // Without a farewell: what comes behind one can end the process in an assertion of the platform's (seen in 20.20).
    this.#socket.destroy();
  }
}

/**
 * How much a sender may ask for that costs us work and comes to nothing: pings, settings, requests that are taken back
 * (CVE-2019-9512, -9515, CVE-2023-44487). What is used is forgotten at an even rate.
 */
class Patience {
  readonly #now: () => number;
  #left: number = httpLimits.h2NuisancesMax;
  #at: number;

  constructor(now: () => number) {
    this.#now = now;
    this.#at = now();
  }

  /** Counts one; false when it was one too many. */
  bears(): boolean {
    const now = this.#now();
    const forgotten = ((now - this.#at) / SECOND_MS) * httpLimits.h2NuisancesPerSecond;
    this.#at = now;
    this.#left = Math.min(httpLimits.h2NuisancesMax, this.#left + forgotten) - 1;
    return this.#left >= 0;
  }
}
