import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { EnvironmentError } from '../../kernel/errors.ts';
import { createByteBudget, type ByteBudget } from '../../kernel/flow/byte-budget.ts';
import type { Environment } from '../../ports/environment.ts';
import type { HttpAnswer, HttpHandler } from '../../ports/http.ts';
import { Exchange, plainAnswer, type ExchangeContext } from './exchange.ts';
import { httpLimits } from './limits.ts';
import { refusesCaller, type PrivateAccess } from './private-access.ts';

/** What a listener is made of. */
export interface ListenerOptions {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly handler: HttpHandler;
  /** Absent: everybody may call. */
  readonly private?: PrivateAccess;
  /** Shared by the listeners of a node; one of its own when absent. */
  readonly budget?: ByteBudget;
  /** Times for tests; `httpLimits` when absent. */
  readonly headersMs?: number;
}

/** An open listener. */
export interface Listener {
  /** Without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Accepts no more, answers what is under way, then closes; after `withinMs` connections are cut. */
  drain(withinMs: number): Promise<void>;
  /** Cuts all connections. */
  close(): Promise<void>;
}

/** The bytes that bodies and answers of all listeners of a node may take together. */
export function createInFlightBudget(): ByteBudget {
  return createByteBudget(httpLimits.inFlightBytesMax);
}

/** Listens for HTTP/1.1. Rejects with EnvironmentError EADDRINUSE or EACCES. */
export async function openListener(options: ListenerOptions, environment: Environment): Promise<Listener> {
  const open = new OpenListener(options, environment);
  await open.listen();
  return open;
}

class OpenListener implements Listener {
  readonly #options: ListenerOptions;
  readonly #environment: Environment;
  readonly #context: ExchangeContext;
  readonly #server: Server;
  /** Connections without a request so far, which the platform counts as busy. */
  readonly #fresh = new Set<Socket>();
  #requests = 0;
  #draining = false;
  #closed: Promise<void> | undefined;

  constructor(options: ListenerOptions, environment: Environment) {
    this.#options = options;
    this.#environment = environment;
    this.#context = {
      handler: options.handler,
      environment,
      budget: options.budget ?? createInFlightBudget(),
      isDraining: () => this.#draining,
    };
    this.#server = createServer({
      headersTimeout: options.headersMs ?? httpLimits.headersMs,
      // Bodies have their own clock: they are read only when an operation asks for them.
      requestTimeout: 0,
      keepAliveTimeout: httpLimits.keepAliveMs,
      connectionsCheckingInterval: Math.min(httpLimits.slowLookMs, options.headersMs ?? httpLimits.slowLookMs),
      maxHeaderSize: httpLimits.headerBytesMax,
      insecureHTTPParser: false,
      noDelay: true,
    });
    this.#server.maxHeadersCount = httpLimits.headersMax;
    this.#server.maxConnections = httpLimits.connectionsMax;
    this.#server.timeout = httpLimits.socketIdleMs;
    this.#server.on('connection', (socket: Socket) => {
      this.#fresh.add(socket);
      socket.once('close', () => this.#fresh.delete(socket));
    });
    this.#server.on('request', (message, response) => this.#serve(message, response, false));
    this.#server.on('checkContinue', (message, response) => this.#serve(message, response, true));
    this.#server.on('checkExpectation', (_message, response: ServerResponse) => {
      response.writeHead(417, { 'content-length': '0', connection: 'close' }).end();
    });
    this.#server.on('connect', (_message, socket) => refuseRaw(socket, 405, 'MethodNotAllowed', 'no tunnels here'));
    this.#server.on('clientError', answerBrokenRequest);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? this.#options.port;
  }

  get url(): string {
    const { host } = this.#options;
    const name = host === '0.0.0.0' || host === '' ? '127.0.0.1' : host === '::' ? '::1' : host;
    return `http://${name.includes(':') ? `[${name}]` : name}:${this.port}`;
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

  async drain(withinMs: number): Promise<void> {
    this.#draining = true;
    const cancel = this.#environment.clock.timer(withinMs, () => this.#server.closeAllConnections());
    this.#closed ??= closeServer(this.#server);
    for (const socket of this.#fresh) if (socket.bytesRead === 0) socket.destroy();
    await this.#closed;
    cancel();
  }

  async close(): Promise<void> {
    this.#draining = true;
    this.#closed ??= closeServer(this.#server);
    this.#server.closeAllConnections();
    await this.#closed;
  }

  #serve(message: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    this.#fresh.delete(message.socket);
    const exchange = new Exchange(message, response, this.#context, expectsContinue);
    const refused = this.#refusal(message);
    if (refused === undefined) this.#cors(message, response);
    this.#requests += 1;
    // An exchange never rejects; should it, the process must say so rather than hide it.
    void exchange.run(refused).finally(() => {
      this.#requests -= 1;
      // Idle connections that finish their last answer while draining are not closed by the platform.
      if (this.#draining) this.#server.closeIdleConnections();
    });
  }

  #refusal(message: IncomingMessage): HttpAnswer | undefined {
    if (this.#requests >= httpLimits.requestsMax) {
      return plainAnswer(503, 'ServiceUnavailable', 'too many requests are under way', { 'retry-after': '1' });
    }
    const malformed = refusesHeaders(message);
    if (malformed !== undefined) return malformed;
    const access = this.#options.private;
    if (access === undefined) return undefined;
    const { origin } = message.headers;
    const reason = refusesCaller({ host: calledHost(message), origin }, this.#options.host, access);
    if (reason !== undefined) return plainAnswer(403, 'Forbidden', reason);
    const isPreflight = message.method === 'OPTIONS' && message.headers['access-control-request-method'] !== undefined;
    return isPreflight && origin !== undefined ? preflight(message, origin) : undefined;
  }

  /** A page that may call must also be let read the answer. */
  #cors(message: IncomingMessage, response: ServerResponse): void {
    const { origin } = message.headers;
    if (origin === undefined || this.#options.private?.origins.includes(origin) !== true) return;
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('access-control-expose-headers', 'x-amzn-requestid, x-amz-id-2');
    response.setHeader('vary', 'origin');
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

/** An absolute target names the host, whatever the header says (RFC 9112, 3.2.2). */
function calledHost({ url = '/', headers }: IncomingMessage): string | undefined {
  return /^https?:\/\/([^/?#]*)/i.exec(url)?.[1] ?? headers.host;
}

function preflight(message: IncomingMessage, origin: string): HttpAnswer {
  const wanted = message.headers['access-control-request-headers'];
  return {
    status: 204,
    headers: {
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'GET, HEAD, POST, DELETE',
      ...(wanted !== undefined && { 'access-control-allow-headers': wanted }),
      'access-control-max-age': '600',
      vary: 'origin',
    },
    body: '',
  };
}

async function closeServer(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}

/** What the parser could not read gets a plain answer; most of these senders never look at it. */
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

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

function refuseRaw(socket: Duplex, status: number, code: string, message: string): void {
  socket.on('error', () => undefined);
  const body = plainAnswer(status, code, message).body as string;
  const head = `HTTP/1.1 ${status} ${REASONS[status]}\r\ncontent-type: application/json\r\nconnection: close\r\n`;
  socket.end(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`, () => socket.destroy());
}
