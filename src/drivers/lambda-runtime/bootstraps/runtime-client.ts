import { connect, type Socket } from 'node:net';

/** One answer of the runtime API. */
export interface RuntimeAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const PREFIX = '/2018-06-01/runtime';

/**
 * The runtime API over one connection, without the platform's HTTP client: handlers replace and instrument that one.
 * One request at a time. When the connection ends, so does the process: there is nobody to work for.
 */
export class RuntimeClient {
  readonly #host: string;
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #waiting: ((answer: RuntimeAnswer) => void) | undefined;

  /** `address`: host:port. */
  constructor(address: string, gone: () => void) {
    this.#host = address;
    const [host = '', port = ''] = address.split(':');
    this.#socket = connect({ host, port: Number(port), noDelay: true });
    this.#socket.on('data', (bytes) => this.#take(bytes));
    this.#socket.on('error', gone);
    this.#socket.on('close', gone);
  }

  /** Asks for the next event, as long as it takes. */
  async next(): Promise<RuntimeAnswer> {
    return await this.#request('GET', '/invocation/next', {}, '');
  }

  /** Posts an answer or an error below the API's prefix. */
  async post(path: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<RuntimeAnswer> {
    return await this.#request('POST', path, { 'Content-Type': 'application/json', ...headers }, body);
  }

  /** Whether the connection keeps the process alive: it does not while a handler is waited for. */
  hold(isHeld: boolean): void {
    if (isHeld) this.#socket.ref();
    else this.#socket.unref();
  }

  async #request(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body: string,
  ): Promise<RuntimeAnswer> {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const length = method === 'GET' ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
    const answer = new Promise<RuntimeAnswer>((resolve) => {
      this.#waiting = resolve;
    });
    this.#socket.write(
      `${method} ${PREFIX}${path} HTTP/1.1\r\nHost: ${this.#host}\r\n${lines.join('')}${length}\r\n${body}`,
    );
    return await answer;
  }

  #take(bytes: Buffer): void {
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    const end = this.#received.indexOf(HEAD_END);
    if (end < 0) return;
    const [first = '', ...lines] = this.#received.subarray(0, end).toString('latin1').split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    const from = end + HEAD_END.length;
    const to = from + Number(headers['content-length'] ?? '0');
    if (this.#received.length < to) return;
    const body = this.#received.subarray(from, to);
    this.#received = this.#received.subarray(to);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.({ status: Number(first.split(' ')[1]), headers, body });
  }
}
