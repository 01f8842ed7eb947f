import { EnvironmentError, type EnvironmentCode } from '../kernel/errors.ts';
import { OutgoingRules } from '../kernel/net/outgoing-rules.ts';
import type { Clock } from '../ports/environment.ts';
import type { ClientAnswer, ClientRequest, GovernedHttpClient } from '../ports/http-client.ts';

/** A request as the server sees it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** What a scripted server does with a request. */
export interface ScriptedAnswer {
  /** How the connection fails, after `takesMs`. */
  readonly fails?: EnvironmentCode;
  /** 200 when absent. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** A body that comes in pieces, in place of `body`; what it throws is told as it is. */
  readonly pieces?: AsyncIterable<Uint8Array>;
  /** Until the head of the answer, in ms; 1 when absent. */
  readonly takesMs?: number;
}

/** Answers all servers. */
export type HttpScript = (request: SeenRequest) => ScriptedAnswer;

/** Nobody listens anywhere. */
export const nobodyAnswers: HttpScript = () => ({ fails: 'ECONNREFUSED' });

/** Where a simulated node would listen. */
const OWN = [
  { name: 'api', url: 'http://127.0.0.1:4567' },
  { name: 'gateway', url: 'http://127.0.0.1:4568' },
] as const;

/** An HttpClient without a network: time is the clock's alone, what servers answer is told by a script. */
export class ScriptedHttp implements GovernedHttpClient {
  readonly #clock: Clock;
  readonly #script: HttpScript;
  #rules = new OutgoingRules({ mode: 'dev', allow: [], own: OWN });

  constructor(clock: Clock, script: HttpScript = nobodyAnswers) {
    this.#clock = clock;
    this.#script = script;
  }

  use(rules: OutgoingRules): void {
    this.#rules = rules;
  }

  close(): void {}

  problem(url: string): string | undefined {
    return this.#rules.urlProblem(url);
  }

  async send(request: ClientRequest): Promise<ClientAnswer> {
    const { method, headers = {}, timeoutMs, signal, isTrusted } = request;
    const url = this.#rules.resolved(request.url);
    const problem = isTrusted === true ? undefined : this.#rules.urlProblem(url);
    if (problem !== undefined) throw new EnvironmentError('ENOTALLOWED', problem);
    const body = await wholeBody(request.body);
    const answer = this.#script({ method, url, headers, body });
    const { takesMs = 1, fails } = answer;
    const isLate = timeoutMs !== 0 && takesMs >= timeoutMs;
    await this.#clock.sleep(isLate ? timeoutMs : takesMs, signal);
    if (signal?.aborted === true) throw new EnvironmentError('EOTHER', 'the request was ended');
    if (isLate) throw new EnvironmentError('ETIMEDOUT', `no answer within ${timeoutMs} ms`);
    if (fails !== undefined) throw new EnvironmentError(fails, `${new URL(url).host}: ${fails}`);
    return answerOf(answer, signal);
  }
}

async function wholeBody(body: ClientRequest['body']): Promise<Buffer> {
  if (body === undefined) return Buffer.alloc(0);
  if (body instanceof Uint8Array) return Buffer.from(body);
  const pieces: Buffer[] = [];
  for await (const piece of body) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

function answerOf({ status = 200, headers, body = '', pieces }: ScriptedAnswer, signal?: AbortSignal): ClientAnswer {
  const bytes = Buffer.from(body);
  return {
    status,
    headers: { ...(pieces === undefined && { 'content-length': String(bytes.length) }), ...headers },
    pieces: pieces === undefined ? pieceOf(bytes) : cutBy(pieces, signal),
    async readBody(maxBytes) {
      if (bytes.length > maxBytes) throw new EnvironmentError('EMSGSIZE', `an answer of more than ${maxBytes} bytes`);
      return bytes;
    },
  };
}

async function* pieceOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

/** As long as nobody ends the request. */
async function* cutBy(pieces: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const ended = new Promise<never>((_resolve, reject) => {
    const end = (): void => reject(new EnvironmentError('EOTHER', 'the request was ended'));
    if (signal?.aborted === true) end();
    signal?.addEventListener('abort', end, { once: true });
  });
  ended.catch(() => undefined);
  const iterator = pieces[Symbol.asyncIterator]();
  for (;;) {
    const next = await Promise.race([iterator.next(), ended]);
    if (next.done === true) return;
    yield next.value;
  }
}
