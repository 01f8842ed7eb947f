import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EnvironmentError } from '../../kernel/errors.ts';
import { runtimeLimits } from './limits.ts';

/** What is handed to the process that asks for its next event. */
export interface Handover {
  readonly requestId: string;
  readonly event: Uint8Array;
  readonly deadlineMs: number;
  readonly arn: string;
  readonly traceId: string;
}

/** What a process tells through its runtime API. */
export interface RuntimeTold {
  /** It asked for an event: for the first time, that it has loaded its code. */
  asked(): void;
  /** Its answer to the event; undefined: larger than the bound. */
  answered(payload: Uint8Array | undefined): void;
  /** Its error about the event, or about loading its code. */
  failed(payload: Uint8Array, type: string | undefined): void;
  initFailed(payload: Uint8Array, type: string | undefined): void;
}

const PREFIX = '/2018-06-01/runtime';
const INVOCATION = /^\/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/;
const JSON_TYPE = 'application/json';
/** Nothing of ours looks at idle connections: a hundred idle handlers cost nothing. */
const NEVER_MS = 2 ** 31 - 1;

/**
 * The runtime API of Lambda for one process, on a port of its own: whoever runs in another process cannot take its
 * events by its own address.
 */
export class RuntimeApi {
  readonly #server: Server;
  readonly #told: RuntimeTold;
  #parked: ServerResponse | undefined;
  #next: Handover | undefined;
  /** The event that is to be answered. */
  #current: string | undefined;
  /** Who answered its event, and does not know yet that this was heard. */
  #unconfirmed: ServerResponse | undefined;

  constructor(told: RuntimeTold) {
    this.#told = told;
    this.#server = createServer({
      keepAlive: false,
      requestTimeout: 0,
      headersTimeout: 0,
      keepAliveTimeout: 0,
      connectionsCheckingInterval: NEVER_MS,
      noDelay: true,
    });
    this.#server.timeout = 0;
    this.#server.on('request', (request, response) => this.#serve(request, response));
    this.#server.on('clientError', (_error, socket) => socket.destroy());
    this.#server.on('connection', (socket) => socket.unref());
  }

  /** Resolves with `host:port`. Rejects with EnvironmentError. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) =>
        reject(new EnvironmentError('EOTHER', `no port for a handler: ${error.message}`, error)),
      );
      this.#server.listen(0, '127.0.0.1', () => resolve());
    });
    // A connection that there is no file left for fails its handler, not the node.
    this.#server.on('error', () => undefined);
    this.#server.unref();
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The event goes to the process as soon as it asks. */
  hand(next: Handover): void {
    this.#next = next;
    this.#answerNext();
  }

  /** Whether an event is still here that the process has not asked for. */
  get holdsEvent(): boolean {
    return this.#next !== undefined;
  }

  /** Whether the process has an event that it has not answered. */
  get isAtWork(): boolean {
    return this.#current !== undefined;
  }

  /** An event that the process has not asked for is not to be run any more. */
  withdraw(): void {
    this.#next = undefined;
  }

  /**
   * Tells the process that its answer was heard. Who waits for that answer has it first: told at once, the process
   * would ask for its next event in between.
   */
  confirm(): void {
    if (this.#unconfirmed !== undefined) accept(this.#unconfirmed);
    this.#unconfirmed = undefined;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    response.on('error', () => undefined);
    const path = request.url ?? '';
    if (request.method === 'GET' && path === `${PREFIX}/invocation/next`) return this.#serveNext(request, response);
    const [, id, what] = INVOCATION.exec(path) ?? [];
    const type = request.headers['lambda-runtime-function-error-type'];
    const errorType = typeof type === 'string' ? type : undefined;
    if (request.method === 'POST' && path === `${PREFIX}/init/error`) {
      return void this.#take(request, response, (body) => {
        if (body !== undefined) accept(response);
        this.#told.initFailed(body ?? EMPTY, errorType);
      });
    }
    if (request.method !== 'POST' || id === undefined) {
      request.resume();
      return refuse(response, 404, 'NotFound', `nothing is served at ${path.slice(0, 200)}`);
    }
    if (id !== this.#current) {
      request.resume();
      return refuse(response, 400, 'InvalidRequestID', 'Invalid request ID');
    }
    return void this.#take(request, response, (body) => {
      // Two answers to one event: the first one counts.
      if (this.#current !== id) return body === undefined ? undefined : accept(response);
      this.#current = undefined;
      if (body !== undefined) this.#unconfirmed = response;
      if (what === 'response') this.#told.answered(body);
      else this.#told.failed(body ?? EMPTY, errorType);
    });
  }

  #serveNext(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    if (this.#current !== undefined) {
      const sentence = 'State transition from Running to Ready failed: the event is not answered';
      return refuse(response, 403, 'InvalidStateTransition', sentence);
    }
    if (this.#parked !== undefined) {
      const sentence = 'State transition from Ready to Ready failed: the next event is waited for already';
      return refuse(response, 403, 'InvalidStateTransition', sentence);
    }
    this.#parked = response;
    response.on('close', () => {
      if (this.#parked === response) this.#parked = undefined;
    });
    this.#told.asked();
    this.#answerNext();
  }

  #answerNext(): void {
    const [parked, next] = [this.#parked, this.#next];
    if (parked === undefined || next === undefined) return;
    this.#parked = undefined;
    this.#next = undefined;
    this.#current = next.requestId;
    parked.writeHead(200, {
      'content-type': JSON_TYPE,
      'content-length': next.event.length,
      'lambda-runtime-aws-request-id': next.requestId,
      'lambda-runtime-deadline-ms': String(next.deadlineMs),
      'lambda-runtime-invoked-function-arn': next.arn,
      'lambda-runtime-trace-id': next.traceId,
    });
    parked.end(next.event);
  }

  /** Reads the whole body; undefined when it is larger than an answer may be, which the process is told here. */
  async #take(
    request: IncomingMessage,
    response: ServerResponse,
    taken: (body: Buffer | undefined) => void,
  ): Promise<void> {
    try {
      const pieces: Buffer[] = [];
      let size = 0;
      for await (const piece of request as AsyncIterable<Buffer>) {
        size += piece.length;
        if (size > runtimeLimits.bodyBytesMax) break;
        if (size <= runtimeLimits.responseBytesMax) pieces.push(piece);
        else pieces.length = 0;
      }
      const isTooLarge = size > runtimeLimits.responseBytesMax;
      if (isTooLarge) {
        const sentence = `Exceeded maximum allowed payload size (${runtimeLimits.responseBytesMax} bytes).`;
        refuse(response, 413, 'RequestEntityTooLarge', sentence);
      }
      taken(isTooLarge ? undefined : pieces.length === 1 ? pieces[0] : Buffer.concat(pieces));
    } catch {
      // Cut in the middle: the process is about to end, or the time of its event is.
      response.destroy();
    }
  }
}

const EMPTY = Buffer.alloc(0);
const ACCEPTED = '{"status":"OK"}\n';

function accept(response: ServerResponse): void {
  response.writeHead(202, { 'content-type': JSON_TYPE, 'content-length': ACCEPTED.length });
  response.end(ACCEPTED);
}

function refuse(response: ServerResponse, status: number, errorType: string, errorMessage: string): void {
  const body = `${JSON.stringify({ errorMessage, errorType })}\n`;
  response.writeHead(status, { 'content-type': JSON_TYPE, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
