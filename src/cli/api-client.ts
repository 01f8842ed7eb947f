import { CliError, exitCodes, type CliContext } from './context.ts';

const DEFAULT_API = 'http://127.0.0.1:4567';
/** Signed in shape: nodes do not verify yet, and refuse what is not signed at all. */
const SIGNATURE =
  'Credential=millrace/20260101/us-east-1/millrace/aws4_request, SignedHeaders=host;x-amz-date, Signature=0';

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
  readonly region: string;
  readonly account: string;
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
  async admin(method: 'GET' | 'POST', path: string, signal?: AbortSignal): Promise<unknown> {
    const answer = await this.#fetch(path, { method, signal: signal ?? this.#context.interrupted });
    const value = this.#parse(await answer.text()) as { message?: string };
    if (!answer.ok) throw new CliError(value.message ?? `the node answered ${answer.status}`);
    return value;
  }

  /** Calls an AWS action. Ends the command with AWS's code and sentence when it is refused. */
  async aws(target: string, input: unknown): Promise<unknown> {
    const date = new Date(this.#context.now()).toISOString().replaceAll(/[-:]|\.\d+/g, '');
    const answer = await this.#fetch('/', {
      method: 'POST',
      body: JSON.stringify(input),
      signal: this.#context.interrupted,
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': target,
        'x-amz-date': date,
        authorization: `AWS4-HMAC-SHA256 ${SIGNATURE}`,
      },
    });
    const text = await answer.text();
    const value = (text === '' ? {} : this.#parse(text)) as { __type?: string; message?: string; Message?: string };
    if (!answer.ok) throw new CliError(`${value.__type}: ${value.message ?? value.Message ?? ''}`);
    return value;
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      throw new CliError(`what answers at ${this.#url} is no millrace`);
    }
  }

  async #fetch(path: string, options: RequestInit): Promise<Response> {
    try {
      return await this.#context.fetch(this.#url + path, options);
    } catch (error) {
      if (this.#context.interrupted.aborted) throw error;
      const hint = 'start one with `millrace dev`, or say where it is with --api or MILLRACE_API';
      throw new CliError(`no millrace answers at ${this.#url}; ${hint}`, exitCodes.unreachable);
    }
  }
}
