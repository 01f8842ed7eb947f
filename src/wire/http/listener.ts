import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { EnvironmentError } from '../../kernel/errors.ts';
import { assert } from '../../kernel/assert.ts';
import { BufferPool } from '../../kernel/bytes/buffer-pool.ts';
import { createByteBudget, type ByteBudget } from '../../kernel/flow/byte-budget.ts';
import type { Environment } from '../../ports/environment.ts';
import type { HttpHandler } from '../../ports/http.ts';
import { Admission } from './admission.ts';
import { HeadWriter } from './answer-head.ts';
import { Exchange, type ExchangeContext } from './exchange.ts';
import { FastConnection, type FastContext } from './fast-connection.ts';
import type { Certificate } from './certificate.ts';
import type { Protocol } from './first-bytes.ts';
import { Http1Message } from './http1-message.ts';
import { Http2Sessions } from './http2-sessions.ts';
import { httpLimits } from './limits.ts';
import type { PrivateAccess } from './private-access.ts';
import { refuseRaw } from './refuse-raw.ts';
import { SlowHeads } from './slow-heads.ts';
import { TlsDoor } from './tls-door.ts';

/** What a listener is made of. */
export interface ListenerOptions {
  /** In metrics. */
  readonly name: string;
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly handler: HttpHandler;
  /** Absent: everybody may call. */
  readonly private?: PrivateAccess;
  /** For TLS; absent: none is spoken. */
  readonly certificate?: Certificate;
  /** False: connections without TLS are refused. */
  readonly plaintext?: boolean;
  /** Shared by the listeners of a node; one of its own when absent. */
  readonly budget?: ByteBudget;
  /** Connections at once; more are closed as they come. `httpLimits` when absent. */
  readonly connectionsMax?: number;
  /** Times for tests; `httpLimits` when absent. */
  readonly headersMs?: number;
  readonly socketIdleMs?: number;
  /** Who reads requests, for tests: `platform` takes even the usual ones from our own parser. */
  readonly parser?: 'own' | 'platform';
}

/** An open listener. */
export interface Listener {
  /** Without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Shows another certificate to whoever comes from now on. Throws what is wrong with it, and keeps the old one. */
  showCertificate(certificate: Certificate): void;
  /** Open connections, known once the system has counted them. */
  connections(): Promise<number>;
  /** Accepts no more, answers what is under way, then closes; after `withinMs` connections are cut. */
  drain(withinMs: number): Promise<void>;
  /** Cuts all connections. */
  close(): Promise<void>;
}

/** The bytes that bodies and answers of all listeners of a node may take together. */
export function createInFlightBudget(maxBytes: number = httpLimits.inFlightBytesMax): ByteBudget {
  return createByteBudget(maxBytes);
}

/**
 * Listens for HTTP/1.1 and HTTP/2, over TLS or not, told apart by the first bytes of a connection. Rejects with
 * EnvironmentError EADDRINUSE or EACCES.
 */
export async function openListener(options: ListenerOptions, environment: Environment): Promise<Listener> {
  const open = new OpenListener(options, environment);
  await open.listen();
  return open;
}

class OpenListener implements Listener {
  readonly #options: ListenerOptions;
  readonly #environment: Environment;
  readonly #context: FastContext;
  readonly #server: Server;
  /** The platform's way to serve a connection. */
  readonly #platform: (socket: Socket) => void;
  /** Connections that our own parser reads. */
  readonly #fast = new Set<FastConnection>();
  readonly #http2: Http2Sessions;
  readonly #tls: TlsDoor | undefined;
  #draining = false;
  #closed: Promise<void> | undefined;

  constructor(options: ListenerOptions, environment: Environment) {
    this.#options = options;
    this.#environment = environment;
    const headersMs = options.headersMs ?? httpLimits.headersMs;
    const socketIdleMs = options.socketIdleMs ?? httpLimits.socketIdleMs;
    const slowLookMs = Math.min(httpLimits.slowLookMs, headersMs);
    this.#server = createServer({
      headersTimeout: headersMs,
      // Bodies have their own clock: they are read only when an operation asks for them.
      requestTimeout: 0,
      keepAliveTimeout: httpLimits.keepAliveMs,
      connectionsCheckingInterval: slowLookMs,
      maxHeaderSize: httpLimits.headerBytesMax,
      insecureHTTPParser: false,
      noDelay: true,
    });
    const exchange: ExchangeContext = {
      handler: options.handler,
      environment,
      budget: options.budget ?? createInFlightBudget(),
      bodies: new BufferPool(httpLimits.pooledBodyBytes, httpLimits.pooledBodies),
      admission: new Admission(options.host, options.private),
      isDraining: () => this.#draining,
      streams: new Set(),
    };
    this.#context = {
      ...exchange,
      heads: new HeadWriter(environment.clock),
      slowHeads: new SlowHeads(environment.clock, headersMs, slowLookMs),
      handOver: (socket, bytes, protocol) => this.#handOver(socket, bytes, protocol),
      socketIdleMs,
      isPlaintextServed: options.plaintext ?? true,
      forget: (connection) => void this.#fast.delete(connection),
    };
    const { meter } = environment;
    const listener = options.name;
    this.#http2 = new Http2Sessions({
      exchange,
      headersMs,
      socketIdleMs,
      flooded: () => meter.count('http_floods_total', { listener }),
    });
    if (options.certificate !== undefined) {
      this.#tls = new TlsDoor({
        certificate: options.certificate,
        handshakeMs: headersMs,
        secured: (socket) => this.#read(socket),
        failed: () => meter.count('http_handshakes_failed_total', { listener }),
      });
    }
    this.#platform = this.#configure();
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? this.#options.port;
  }

  get url(): string {
    const { host } = this.#options;
    const name = host === '0.0.0.0' || host === '' ? '127.0.0.1' : host === '::' ? '::1' : host;
    const scheme = this.#options.plaintext === false ? 'https' : 'http';
    return `${scheme}://${name.includes(':') ? `[${name}]` : name}:${this.port}`;
  }

  async listen(): Promise<void> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        const code = error.code === 'EADDRINUSE' || error.code === 'EACCES' ? error.code : 'EOTHER';
        reject(new EnvironmentError(code, `cannot listen on ${host}:${port}: ${error.message}`, error));
      });
      this.#server.listen(port, host, resolve);
    });
    this.#server.removeAllListeners('error');
    this.#server.on('error', (error) => this.#environment.log.warn('http.listener', { message: error.message }));
  }

  showCertificate(certificate: Certificate): void {
    this.#tls?.show(certificate);
  }

  async connections(): Promise<number> {
    return await new Promise((resolve) => {
      this.#server.getConnections((_error, count) => resolve(count));
    });
  }

  async drain(withinMs: number): Promise<void> {
    this.#draining = true;
    const cancel = this.#environment.clock.timer(withinMs, () => this.#cutAll());
    this.#closed ??= closeServer(this.#server);
    for (const connection of this.#fast) connection.closeIdle();
    for (const stream of this.#context.streams) stream.stop();
    this.#http2.drain();
    this.#tls?.destroy();
    await this.#closed;
    cancel();
    this.#context.slowHeads.close();
  }

  async close(): Promise<void> {
    this.#draining = true;
    this.#closed ??= closeServer(this.#server);
    this.#cutAll();
    await this.#closed;
    this.#context.slowHeads.close();
  }

  #cutAll(): void {
    for (const connection of this.#fast) connection.destroy();
    this.#http2.destroy();
    this.#tls?.destroy();
    this.#server.closeAllConnections();
  }

  /** Sets the server up, and returns what the platform itself would do with a connection. */
  #configure(): (socket: Socket) => void {
    const server = this.#server;
    const { name, connectionsMax = httpLimits.connectionsMax, parser = 'own' } = this.#options;
    const [platform] = server.listeners('connection') as ((this: Server, socket: Socket) => void)[];
    assert(platform !== undefined, 'the platform serves connections by a listener');
    server.maxHeadersCount = httpLimits.headersMax;
    server.maxConnections = connectionsMax;
    server.timeout = this.#context.socketIdleMs;
    if (parser === 'own') {
      server.removeAllListeners('connection');
      server.on('connection', (socket: Socket) => this.#read(socket));
    }
    const { meter } = this.#environment;
    server.on('drop', () => meter.count('http_connections_refused_total', { listener: name }));
    server.on('request', (message, response) => this.#serve(message, response, false));
    server.on('checkContinue', (message, response) => this.#serve(message, response, true));
    server.on('checkExpectation', (_message, response: ServerResponse) => {
      response.writeHead(417, { 'content-length': '0', connection: 'close' }).end();
    });
    server.on('connect', (_message, socket) => refuseRaw(socket, 405, 'MethodNotAllowed', 'no tunnels here'));
    server.on('clientError', answerBrokenRequest);
    return (socket) => platform.call(server, socket);
  }

  #read(socket: Socket): void {
    this.#fast.add(new FastConnection(socket, this.#context));
  }

  #handOver(socket: Socket, bytes: Buffer, protocol: Protocol): void {
    const tls = this.#tls;
    const serve =
      protocol === 'tls' && tls !== undefined
        ? () => tls.serve(socket)
        : protocol === 'h2'
          ? () => this.#http2.serve(socket)
          : undefined;
    if (serve === undefined) {
      this.#environment.meter.count('http_handed_over_total', { listener: this.#options.name });
    }
    // Nothing may be read between the two parsers.
    socket.pause();
    socket.unshift(bytes);
    if (serve !== undefined) {
      socket.setTimeout(0);
      // Neither protocol knows a sender that listens on after its own end.
      socket.allowHalfOpen = false;
      serve();
      return;
    }
    this.#platform(socket);
    socket.resume();
  }

  #serve(message: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const { environment, isDraining } = this.#context;
    const clock = environment.clock;
    const request = new Http1Message(message, response, { clock, isDraining }, expectsContinue);
    const exchange = new Exchange(request, this.#context);
    // An exchange never rejects; should it, the process must say so rather than hide it.
    void exchange.run().finally(() => {
      // Idle connections that finish their last answer while draining are not closed by the platform.
      if (this.#draining) this.#server.closeIdleConnections();
    });
  }
}

async function closeServer(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}

/** What the platform's parser could not read gets a plain answer; most of these senders never look at it. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  if (error.code === 'HPE_HEADER_OVERFLOW') {
    refuseRaw(socket, 431, 'RequestHeaderFieldsTooLarge', `headers take at most ${httpLimits.headerBytesMax} bytes`);
  } else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    refuseRaw(socket, 408, 'RequestTimeout', 'the request took too long');
  } else refuseRaw(socket, 400, 'BadRequest', 'this is not HTTP/1.1');
}
