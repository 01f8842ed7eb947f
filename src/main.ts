#!/usr/bin/env node
/** The package's API, and the program. */
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { randomUUID } from 'node:crypto';
import { verifierKinds } from './capabilities/gateway/kinds/index.ts';
import type { CliContext } from './cli/context.ts';
import { runCli } from './cli/index.ts';
import { configJsonSchema } from './config/schema.ts';
import { openQuickJs } from './drivers/quickjs/index.ts';
import { createNodeEnvironment } from './environments/node/index.ts';
import { examineMachine } from './main/examine.ts';
import { lintConfig } from './main/lint.ts';
import { packageVersion, startNode, type StartedNode } from './main/node.ts';
import { keyPair } from './main/key-pair.ts';
import { runNode } from './main/run.ts';
import { keptSecrets } from './main/secrets.ts';
import { capabilities } from './registry.ts';
import { signWebhook } from './main/sign-webhook.ts';
import { signRequest } from './wire/sigv4/sign.ts';

const STOP_MS = 10_000;
const LOOPBACK = '127.0.0.1';

/** How `start` starts a node. */
export interface StartOptions {
  /** Path of a config file, or the values it would hold; absent: the bare AWS endpoints. */
  readonly config?: string | object;
  /** Keeps everything in a temporary folder that goes with the node; the default unless `data` is given. */
  readonly ephemeral?: boolean;
  /** Data directory. */
  readonly data?: string;
  /** Port of the api listener on 127.0.0.1; any free one when absent. */
  readonly apiPort?: number;
  /** Port of the public listener on 127.0.0.1; any free one when absent. */
  readonly gatewayPort?: number;
  /** Log lines on stderr; none when absent. */
  readonly log?: 'pretty' | 'json';
}

/** A running node. */
export interface Millrace {
  /** URLs without a slash at the end. */
  readonly api: string;
  readonly gateway: string;
  /** The first pair of `server.credentials`; any will do without these. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Delivers what stands in the streams now: of one delivery, or of all. Rejects after a minute. */
  flush(delivery?: string): Promise<void>;
  /** Answers what is under way, then ends. */
  stop(): Promise<void>;
}

/** Starts a node inside this process, as `millrace dev` does. Rejects with the problems of a wrong config. */
export async function start(options: StartOptions = {}): Promise<Millrace> {
  const isEphemeral = options.ephemeral ?? options.data === undefined;
  const node = await startNode({
    config: typeof options.config === 'string' ? resolve(options.config) : options.config,
    mode: 'dev',
    data: isEphemeral ? undefined : (options.data ?? '.millrace'),
    api: { host: LOOPBACK, port: options.apiPort ?? 0 },
    gateway: { host: LOOPBACK, port: options.gatewayPort ?? 0 },
    log: options.log ?? 'silent',
  });
  const { api, gateway } = node.served;
  return {
    api,
    gateway,
    credentials: firstPair(node),
    flush: async (delivery) => await flush(node, delivery),
    stop: async () => await node.stop(STOP_MS),
  };
}

/** Gives a config in a module its type; returns it as it is. */
export function defineConfig<T extends object>(config: T): T {
  return config;
}

function firstPair({ config }: StartedNode): Millrace['credentials'] {
  const { accessKeyId, secretAccessKey } = config.server.credentials?.[0] ?? ANY_PAIR;
  return { accessKeyId, secretAccessKey };
}

const ANY_PAIR = { accessKeyId: 'millrace', secretAccessKey: 'millrace' };

async function flush(node: StartedNode, wanted: string | undefined): Promise<void> {
  const admin = async (path: string, parameters = {}): Promise<unknown> => {
    const route = node.served.node.admin.find((one) => one.path === path);
    // Asked from within: no request's memory counts.
    const request = {
      signal: new AbortController().signal,
      hold: async () => undefined,
      giveBack: () => undefined,
      readBody: async () => Buffer.alloc(0),
    };
    return await route?.handle(parameters, new URLSearchParams(), request);
  };
  const { deliveries } = (await admin('/admin/deliveries')) as {
    deliveries: readonly { name: string; state: string }[];
  };
  const built = deliveries.filter(({ state }) => state !== 'paused: not built').map(({ name }) => name);
  if (wanted !== undefined && !built.includes(wanted)) throw new Error(`no delivery ${wanted}`);
  for (const name of wanted === undefined ? built : [wanted]) {
    const { flushed } = (await admin('/admin/deliveries/{name}/flush', { name })) as { flushed?: boolean };
    if (flushed !== true) throw new Error(`the delivery ${name} could not be flushed within a minute`);
  }
}

/** Samples that come with the package: `fixtures/github/push.json` is `github.push`. */
async function fixtures(): Promise<ReadonlyMap<string, Uint8Array>> {
  const home = fileURLToPath(new URL('../fixtures', import.meta.url));
  const files = verifierKinds.flatMap(({ name: sender }) => {
    const folder = join(home, sender);
    const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
    return names.sort().map((name) => [`${sender}.${basename(name, '.json')}`, join(folder, name)] as const);
  });
  const entries = files.map(async ([name, path]) => {
    const bytes: Uint8Array = await readFile(path);
    return [name, bytes] as const;
  });
  return new Map(await Promise.all(entries));
}

async function runProgram(): Promise<number> {
  const interrupted = new AbortController();
  const isRun = ['dev', 'start'].includes(process.argv[2] ?? '');
  if (!isRun) process.once('SIGINT', () => interrupted.abort());
  // A reader that has seen enough (`| head`) ends us quietly.
  process.stdout.on('error', () => process.exit(0));
  const context: CliContext = {
    args: process.argv.slice(2),
    version: await packageVersion(),
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    taken: async () => await taken(process.stdout),
    variable: (name) => process.env[name],
    fetch: async (url, options) => await fetch(url, options),
    sign: (request) => signRequest(request, request),
    keyPair,
    interrupted: interrupted.signal,
    now: () => Date.now(),
    uuid: () => randomUUID(),
    stdin: process.stdin,
    readFile: async (path) => await readFile(path),
    writeFile: async (path, text) => {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    },
    fixtures,
    secrets: async (data) => await keptSecrets(createNodeEnvironment({ log: 'silent' }), resolve(data)),
    signWebhook,
    scripts: () => openQuickJs(createNodeEnvironment({ log: 'silent' })),
    run: runNode,
    lint: lintConfig,
    configSchema: () => configJsonSchema(capabilities),
    examine: examineMachine,
  };
  const exitCode = await runCli(context);
  // The end of the process throws away what a pipe has not taken. A node's end waits for no reader.
  if (!isRun) await Promise.all([taken(process.stdout), taken(process.stderr)]);
  return exitCode;
}

async function taken(stream: NodeJS.WriteStream): Promise<void> {
  await new Promise<void>((resolve) => stream.write('', () => resolve()));
}

const isProgram = process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);
if (isProgram) process.exit(await runProgram());
