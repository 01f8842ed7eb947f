import { CliError, exitCodes, type CliContext } from './context.ts';

const DEFAULT_API = 'http://127.0.0.1:4567';
/** Any will do for a node without `server.credentials`. */
const ANY_PAIR = { accessKeyId: 'millrace', secretAccessKey: 'millrace' };
/** Whose signature the node wants, by the first letters of the action's target. */
const SERVICES: Readonly<Record<string, string>> = { Kinesis: 'kinesis', Firehose: 'firehose' };

/** What client commands know of the node they talk to. */
export interface NodeFacts {
  readonly version: string;
  readonly mode: 'dev' | 'start';
  readonly api: string;
  readonly gateway: string;
  readonly dataDirectory: string;
  readonly configFile: string | null;
  /** What a client has to trust for TLS. */
  readonly certificateFile: string;
  /** That and the public authorities in one file, where the node made the certificate itself. */
  readonly trustFile: string | null;
  /** When answers are durable: always, interval or none. */
  readonly sync: string;
  /** Whether it has key pairs, and verifies signatures. */
  readonly verifies: boolean;
  readonly region: string;
  readonly account: string;
}

interface Request {
  readonly method: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The HTTP API of a node. */
export class ApiClient {
  readonly #context: CliContext;
  readonly #url: string;

  /** `api`: host:port or a URL; else MILLRACE_API; else the usual address. */
  constructor(context: CliContext, api: string | undefined) {
    const given = api ?? context.variable('MILLRACE_API') ?? DEFAULT_API;
    this.#url = (given.includes('://') ? given : `http://${given}`).replace(/\/+$/, '');
    this.#context = context;
  }

  async facts(): Promise<NodeFacts> {
    return (await this.admin('GET', '/admin/node')) as NodeFacts;
  }

  /** The JSON of an admin path. Ends the command when it is refused. */
  async admin(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    { body = '', signal }: { readonly body?: string; readonly signal?: AbortSignal } = {},
  ): Promise<unknown> {
    const answer = await this.#fetch(path, 'millrace', { method, body, headers: {} }, signal);
    const value = this.#parse(await answer.text()) as { message?: string };
    if (!answer.ok) throw new CliError(value.message ?? `the node answered ${answer.status}`);
    return value;
  }

  /** Calls an AWS action. Ends the command with AWS's code and sentence when it is refused. */
  async aws(target: string, input: unknown): Promise<unknown> {
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };
    const service = SERVICES[target.split('_', 1)[0] ?? ''] ?? 'kinesis';
    const answer = await this.#fetch('/', service, { method: 'POST', body: JSON.stringify(input), headers });
    const text = await answer.text();
    const value = (text === '' ? {} : this.#parse(text)) as { __type?: string; message?: string; Message?: string };
    if (!answer.ok) throw new CliError(`${value.__type}: ${value.message ?? value.Message ?? ''}`);
    return value;
  }

  /** Calls an AWS action that has a path of its own; the answer as it is, whatever its status. */
  async rest(
    path: string,
    service: string,
    body: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<Response> {
    return await this.#fetch(path, service, { method: 'POST', body, headers });
  }

  async #signed(url: URL, service: string, request: Request): Promise<Readonly<Record<string, string>>> {
    const context = this.#context;
    const pair = (await context.keyPair()) ?? ANY_PAIR;
    const region = context.variable('AWS_REGION') ?? context.variable('AWS_DEFAULT_REGION') ?? 'us-east-1';
    return context.sign({ ...request, ...pair, url, service, region, now: context.now() });
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      throw new CliError(`what answers at ${this.#url} is no millrace`);
    }
  }

  async #fetch(path: string, service: string, request: Request, signal?: AbortSignal): Promise<Response> {
    const { method, body } = request;
    const headers = await this.#signed(new URL(this.#url + path), service, request);
    const options = { method, headers, signal: signal ?? this.#context.interrupted, ...(body !== '' && { body }) };
    try {
      return await this.#context.fetch(this.#url + path, options);
    } catch (error) {
      if (this.#context.interrupted.aborted) throw error;
      const hint = 'start one with `millrace dev`, or say where it is with --api or MILLRACE_API';
      throw new CliError(`no millrace answers at ${this.#url}; ${hint}`, exitCodes.unreachable);
    }
  }
}
