import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { nodeClock } from '../../environments/node/clock.ts';
import { nodeRandom } from '../../environments/node/random.ts';
import type { ByteBudget } from '../../kernel/flow/byte-budget.ts';
import type { Environment } from '../../ports/environment.ts';
import type { HttpAnswer, HttpHandler } from '../../ports/http.ts';
import { quietEnvironment } from '../../testing/quiet-environment.ts';
import type { Certificate } from './certificate.ts';
import { openListener, type Listener } from './listener.ts';
import type { PrivateAccess } from './private-access.ts';

/** A listener on a free port whose timers fire when a test says so. */
export interface Served {
  readonly listener: Listener;
  /** `event: message` of every error logged. */
  readonly logged: readonly string[];
  readonly counted: readonly string[];
  /** Resolves once a timer of so many ms is set, and fires it. */
  readonly fire: (ms: number) => Promise<void>;
  /** How many timers of so many ms are set now. */
  readonly timers: (ms: number) => number;
  /** A new connection. */
  readonly connect: () => Promise<Peer>;
}

type Parser = 'own' | 'platform';

const parsers = new WeakMap<TestContext, Parser>();

/** A test that runs twice: with our own parser for usual requests, and with the platform's for all. */
export function testBothWays(name: string, run: (context: TestContext) => Promise<void>): void {
  for (const parser of ['own', 'platform'] as const) {
    test(`${name} (${parser} parser)`, async (context) => {
      parsers.set(context, parser);
      await run(context);
    });
  }
}

/** What a test may choose. */
export interface ServeParts {
  readonly handler?: HttpHandler;
  readonly budget?: ByteBudget;
  readonly private?: PrivateAccess;
  readonly headersMs?: number;
  readonly socketIdleMs?: number;
  readonly connectionsMax?: number;
  readonly certificate?: Certificate;
  readonly plaintext?: boolean;
  /** That of `testBothWays` when absent, else our own. */
  readonly parser?: Parser;
}

/** A plain answer. */
export function ok(body: string | Uint8Array = 'ok\n'): HttpAnswer {
  return { status: 200, headers: { 'content-type': 'text/plain' }, body };
}

/** A promise and the function that resolves it. */
export function gate<T = void>(): { readonly opened: Promise<T>; readonly open: (value: T) => void } {
  let open: (value: T) => void = () => undefined;
  const opened = new Promise<T>((resolve) => (open = resolve));
  return { opened, open };
}

/** Long for a machine that has much else to do. */
const PATIENCE_MS = 20_000;

/** Looks after each turn of the loop, and gives up in the end. */
export async function until(isSo: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!isSo()) {
    assert.ok(performance.now() < end, `in vain: ${String(isSo)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Listens until the test ends. */
export async function serve(context: TestContext, parts: ServeParts = {}): Promise<Served> {
  const logged: string[] = [];
  const counted: string[] = [];
  const timers = new HandTimers();
  const quiet = quietEnvironment();
  quiet.random.uuid = () => nodeRandom.uuid();
  quiet.clock.timer = (ms, run) => timers.set(ms, run);
  quiet.clock.now = () => nodeClock.now();
  quiet.clock.monotonic = () => nodeClock.monotonic();
  quiet.log.error = (event, fields = {}) => void logged.push(`${event}: ${String(fields['message'])}`);
  quiet.meter.count = (name) => void counted.push(name);
  const environment: Environment = quiet;
  const handler: HttpHandler = async () => ok();
  const own = { name: 'api', host: '127.0.0.1', port: 0, handler, parser: parsers.get(context) ?? 'own' } as const;
  const listener = await openListener({ ...own, ...parts }, environment);
  context.after(async () => await listener.close());
  const connect = async (): Promise<Peer> => await Peer.connect(listener.port);
  return {
    listener,
    logged,
    counted,
    fire: async (ms) => await timers.fire(ms),
    timers: (ms) => timers.count(ms),
    connect,
  };
}

/** Timers that wait for a test. */
class HandTimers {
  readonly #set = new Set<{ readonly ms: number; readonly run: () => void }>();

  set(ms: number, run: () => void): () => void {
    const timer = { ms, run };
    this.#set.add(timer);
    return () => void this.#set.delete(timer);
  }

  count(ms: number): number {
    return [...this.#set].filter((timer) => timer.ms === ms).length;
  }

  async fire(ms: number): Promise<void> {
    if (this.count(ms) === 0) await until(() => this.count(ms) > 0);
    for (const timer of Array.from(this.#set)) {
      if (timer.ms !== ms) continue;
      this.#set.delete(timer);
      timer.run();
    }
  }
}

/** One answer as it came over the wire. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A client that sees every byte. */
export class Peer {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #taken = 0;
  #error: Error | undefined;
  #changed: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    const change = (): void => {
      const waiting = this.#changed;
      this.#changed = [];
      for (const resume of waiting) resume();
    };
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      change();
    });
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.on('close', change);
  }

  static async connect(port: number): Promise<Peer> {
    const socket = connectSocket(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Peer(socket);
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Waits for the next answer and takes it off what was received. */
  async answer(): Promise<WireAnswer> {
    for (;;) {
      const parsed = parse(this.#received.subarray(this.#taken));
      if (parsed !== undefined) {
        this.#taken += parsed.bytes;
        return parsed;
      }
      assert.ok(!this.socket.closed, `closed after: ${this.rest()}, ${this.#error?.message ?? 'no error'}`);
      await new Promise<void>((resolve) => this.#changed.push(resolve));
    }
  }

  /** Waits until the other side closed; what was received and not taken, and the error if it was no clean end. */
  async end(): Promise<string> {
    while (!this.socket.closed) await new Promise<void>((resolve) => this.#changed.push(resolve));
    return this.rest() + (this.#error === undefined ? '' : `<${this.#error.message}>`);
  }

  /** All that was received and not taken. */
  bytes(): Buffer {
    return this.#received.subarray(this.#taken);
  }

  rest(): string {
    return this.#received.subarray(this.#taken).toString();
  }
}

function parse(bytes: Buffer): (WireAnswer & { readonly bytes: number }) | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first = '', ...lines] = bytes.subarray(0, end).toString().split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const status = Number(first.split(' ')[1]);
  if (headers['transfer-encoding'] === 'chunked') {
    const read = readChunks(bytes, end + 4);
    return read && { status, headers, ...read };
  }
  const length = Number(headers['content-length'] ?? 0);
  const whole = end + 4 + length;
  if (bytes.length < whole) return undefined;
  const body = bytes.subarray(end + 4, whole).toString();
  return { status, headers, body, bytes: whole };
}

/** A body in chunks; `bytes` is where the answer ends. */
function readChunks(bytes: Buffer, start: number): { readonly body: string; readonly bytes: number } | undefined {
  let body = '';
  for (let at = start; ;) {
    const line = bytes.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const length = Number.parseInt(bytes.toString('latin1', at, line), 16);
    const next = line + 2 + length + 2;
    if (bytes.length < next) return undefined;
    assert.equal(bytes.toString('latin1', next - 2, next), '\r\n', 'a chunk ends with a line');
    if (length === 0) return { body, bytes: next };
    body += bytes.toString('utf8', line + 2, line + 2 + length);
    at = next;
  }
}
