import assert from 'node:assert/strict';
import type { CliContext, RunOptions } from './context.ts';
import { signRequest } from '../wire/sigv4/sign.ts';
import { runCli } from './index.ts';

/** One request that a command sent. */
export interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** What a fake node answers; a text or object is a 200 with it as JSON. */
export type Reply = (sent: Sent) => unknown;

/** What a test may choose of a context. */
export interface Parts extends Partial<Omit<CliContext, 'args' | 'fetch'>> {
  /** By `GET /path` or `POST target`; a path without query. */
  readonly replies?: Readonly<Record<string, Reply>>;
  readonly variables?: Readonly<Record<string, string>>;
}

/** How a command ended. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly sent: readonly Sent[];
  readonly runs: readonly RunOptions[];
}

/** A refusal with a status. */
export function refused(status: number, value: unknown): Response {
  return new Response(typeof value === 'string' ? value : JSON.stringify(value), { status });
}

/** The answer of `/admin/node`. */
export const FACTS = {
  version: '1.2.3',
  mode: 'dev',
  api: 'http://127.0.0.1:4567',
  gateway: 'http://127.0.0.1:4568',
  dataDirectory: '/data',
  configFile: '/config/m.yaml',
  certificateFile: '/data/tls/certificate.pem',
  trustFile: '/data/tls/bundle.pem',
  sync: 'always',
  verifies: false,
  region: 'us-east-1',
  account: '000000000000',
};

/** Runs `millrace ARGS` with nothing real around it. */
export async function millrace(args: readonly string[], parts: Parts = {}): Promise<Ended> {
  const { replies = {}, variables = {}, ...rest } = parts;
  const ended = { out: '', err: '', sent: [] as Sent[], runs: [] as RunOptions[] };
  let ids = 0;
  const context: CliContext = {
    version: '1.2.3',
    out: (text) => void (ended.out += text),
    err: (text) => void (ended.err += text),
    taken: async () => undefined,
    variable: (name) => variables[name],
    interrupted: new AbortController().signal,
    now: () => Date.parse('2026-01-31T12:00:00.123Z'),
    sign: (request) => signRequest(request, request),
    keyPair: async () => undefined,
    uuid: () => `id-${(ids += 1)}`,
    stdin: feed([]),
    readFile: async (path) => assert.fail(`read ${path}`),
    writeFile: async (path) => assert.fail(`write ${path}`),
    fixtures: async () => new Map(),
    secrets: async () => ({}),
    signWebhook: async () => ({}),
    scripts: () => assert.fail('ran a script'),
    run: async (options) => {
      ended.runs.push(options);
      return 0;
    },
    lint: async () => [],
    configSchema: () => '{}\n',
    examine: async () => [],
    ...rest,
    args,
    fetch: async (input, options = {}) => {
      const url = input as string;
      const { pathname } = new URL(url);
      const headers = options.headers as Readonly<Record<string, string>> | undefined;
      const body = Buffer.from((options.body as string | Uint8Array | undefined) ?? '');
      const sent = { method: options.method ?? 'GET', url, headers: headers ?? {}, body };
      ended.sent.push(sent);
      options.signal?.throwIfAborted();
      const reply = replies[headers?.['x-amz-target'] ?? `${sent.method} ${pathname}`];
      if (reply === undefined) throw new TypeError('fetch failed');
      const answer = await reply(sent);
      return answer instanceof Response ? answer : Response.json(answer);
    },
  };
  const code = await runCli(context);
  return { code, ...ended };
}

/** Stdin that gives these pieces. */
export async function* feed(pieces: readonly (string | Uint8Array)[]): AsyncGenerator<Buffer> {
  for (const piece of pieces) yield Buffer.from(piece);
}
