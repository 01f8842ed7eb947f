import type { LookupAddress } from 'node:dns';
import { request as plainRequest, type Agent, type ClientRequest as Outgoing, type IncomingMessage } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { LookupFunction, Socket } from 'node:net';
import { EnvironmentError, type EnvironmentCode } from '../../kernel/errors.ts';
import type { UrlTarget } from '../../kernel/net/outgoing-rules.ts';
import type { ClientAnswer, ClientRequest } from '../../ports/http-client.ts';

/** Until a connection stands, with its TLS. */
const CONNECT_MS_MAX = 10_000;
/** One after the other, each but the last one for 2 s; the types do not know these. */
const ALL_ADDRESSES = { autoSelectFamily: true, autoSelectFamilyAttemptTimeout: 2000 };
const HEAD_BYTES_MAX = 64 * 1024;

/** How a request finds its connection. */
export interface ExchangeDoors {
  readonly agent: Agent;
  /** The addresses that may be connected to. Rejects with EnvironmentErrors. */
  readonly lookup: (host: string) => Promise<readonly LookupAddress[]>;
}

/** Sends a request and resolves with the head of its answer. */
export async function exchange(request: ClientRequest, target: UrlTarget, doors: ExchangeDoors): Promise<ClientAnswer> {
  return await new Exchange(request, open(request, target, doors)).answer();
}

function open({ url, method, headers, body }: ClientRequest, target: UrlTarget, doors: ExchangeDoors): Outgoing {
  const { pathname, search } = new URL(url);
  const begin = target.isSecure ? secureRequest : plainRequest;
  const length = body instanceof Uint8Array && { 'content-length': String(body.length) };
  return begin({
    host: target.host,
    port: target.port,
    path: pathname + search,
    method,
    headers: { ...headers, ...length },
    agent: doors.agent,
    lookup: lookupFor(doors.lookup),
    maxHeaderSize: HEAD_BYTES_MAX,
    ...ALL_ADDRESSES,
  });
}

/** As sockets ask for addresses. */
function lookupFor(lookup: ExchangeDoors['lookup']): LookupFunction {
  return (host, options, done) => {
    lookup(host).then(
      (found) => {
        const [first] = found;
        if (options.all === true) done(null, [...found]);
        else if (first === undefined) done(new EnvironmentError('ENOTFOUND', `no address of ${host}`), '', 4);
        else done(null, first.address, first.family);
      },
      (error: Error) => done(error, '', 4),
    );
  };
}

/** How far a request is: what an error means depends on it. */
type Phase = 'connecting' | 'securing' | 'open';

const CODES: Readonly<Record<Phase, EnvironmentCode>> = {
  connecting: 'ECONNREFUSED',
  securing: 'ETLS',
  open: 'ECONNRESET',
};

class Exchange {
  readonly #request: ClientRequest;
  readonly #outgoing: Outgoing;
  #phase: Phase = 'connecting';
  /** What ended it before anything else did. */
  #cause: Error | undefined;
  #incoming: IncomingMessage | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #abort = (): void => this.#end(new EnvironmentError('EOTHER', 'the request was ended'));

  constructor(request: ClientRequest, outgoing: Outgoing) {
    this.#request = request;
    this.#outgoing = outgoing;
    const { timeoutMs, signal } = request;
    const late = (): void => this.#end(new EnvironmentError('ETIMEDOUT', `no answer within ${timeoutMs} ms`));
    this.#timer = timeoutMs === 0 ? undefined : setTimeout(late, timeoutMs).unref();
    signal?.addEventListener('abort', this.#abort, { once: true });
    if (signal?.aborted === true) this.#abort();
    outgoing.on('socket', (socket) => this.#connect(socket));
    outgoing.on('close', () => this.#settle());
  }

  async answer(): Promise<ClientAnswer> {
    const headed = new Promise<IncomingMessage>((resolve, reject) => {
      this.#outgoing.on('response', (incoming) => {
        this.#incoming = incoming;
        resolve(incoming);
      });
      // Stays: what comes after the answer's head is told by the answer.
      this.#outgoing.on('error', (error) => reject(this.#failure(error)));
      this.#outgoing.on('close', () => reject(this.#failure(undefined)));
    });
    // Who sends the body may be told first.
    headed.catch(() => undefined);
    await this.#send();
    return this.#answerOf(await headed);
  }

  /** Until the body is sent, or an answer or an error makes that pointless. */
  async #send(): Promise<void> {
    const { body } = this.#request;
    if (body === undefined || body instanceof Uint8Array) {
      this.#outgoing.end(body);
      return;
    }
    try {
      for await (const piece of body) {
        if (this.#isOver()) return;
        await this.#write(piece);
        // A refusal is only seen when the loop turns, and a write that the system takes at once does not wait for that.
        await new Promise((resolve) => void setImmediate(resolve));
        if (this.#isOver()) return;
      }
    } catch (error) {
      this.#end(error as Error);
      throw error;
    }
    this.#outgoing.end();
  }

  #isOver(): boolean {
    const isRefused = (this.#incoming?.statusCode ?? 0) >= 300;
    return isRefused || this.#outgoing.destroyed;
  }

  async #write(piece: Uint8Array): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#outgoing.off('close', done).off('response', refused);
        resolve();
      };
      const refused = (): void => {
        if (this.#isOver()) done();
      };
      this.#outgoing.on('close', done).on('response', refused);
      this.#outgoing.write(piece, done);
    });
  }

  #connect(socket: Socket): void {
    if (!socket.connecting) {
      this.#phase = 'open';
      return;
    }
    const isSecure = 'encrypted' in socket;
    const late = (): void =>
      this.#end(new EnvironmentError(CODES[this.#phase], `no connection within ${CONNECT_MS_MAX} ms`));
    const timer = setTimeout(late, CONNECT_MS_MAX).unref();
    const opened = (): void => {
      clearTimeout(timer);
      this.#phase = 'open';
    };
    socket.once('connect', () => {
      if (isSecure) this.#phase = 'securing';
      else opened();
    });
    if (isSecure) socket.once('secureConnect', opened);
    socket.once('close', () => clearTimeout(timer));
  }

  #end(cause: Error): void {
    this.#cause ??= cause;
    this.#outgoing.destroy(cause);
  }

  #settle(): void {
    clearTimeout(this.#timer);
    this.#request.signal?.removeEventListener('abort', this.#abort);
  }

  #failure(error: unknown): Error {
    if (this.#cause !== undefined) return this.#cause;
    if (error instanceof EnvironmentError) return error;
    const { code = '', message = 'the connection ended' } = (error ?? {}) as { code?: string; message?: string };
    const said = `${this.#outgoing.host}: ${message}`;
    if (code === 'HPE_HEADER_OVERFLOW') return new EnvironmentError('EMSGSIZE', said, error);
    if (code.startsWith('HPE_')) return new EnvironmentError('EOTHER', said, error);
    return new EnvironmentError(CODES[this.#phase], said, error);
  }

  #answerOf(incoming: IncomingMessage): ClientAnswer {
    return {
      status: incoming.statusCode ?? 0,
      headers: headersOf(incoming),
      pieces: this.#pieces(incoming),
      readBody: async (maxBytes) => await this.#readBody(incoming, maxBytes),
    };
  }

  async *#pieces(incoming: IncomingMessage): AsyncGenerator<Uint8Array> {
    clearTimeout(this.#timer);
    yield* this.#read(incoming);
  }

  async *#read(incoming: IncomingMessage): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of incoming) yield piece as Uint8Array;
    } catch (error) {
      throw this.#failure(error);
    } finally {
      // What was not sent to its end is no connection for another request.
      if (!this.#outgoing.writableEnded || !incoming.complete) this.#outgoing.destroy();
      this.#settle();
    }
  }

  async #readBody(incoming: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
    const tooLarge = new EnvironmentError('EMSGSIZE', `an answer of more than ${maxBytes} bytes`);
    if (Number(incoming.headers['content-length'] ?? 0) > maxBytes) {
      this.#end(tooLarge);
      throw tooLarge;
    }
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of this.#read(incoming)) {
      bytes += piece.length;
      if (bytes > maxBytes) throw tooLarge;
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  }
}

function headersOf({ headersDistinct }: IncomingMessage): Readonly<Record<string, string>> {
  const entries = Object.entries(headersDistinct).map(([name, values]) => [name, (values ?? []).join(', ')] as const);
  return Object.fromEntries(entries);
}
