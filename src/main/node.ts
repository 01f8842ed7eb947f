import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serve, type Address, type ServedNode } from '../compose/serve.ts';
import type { Config, ServerOptions } from '../config/index.ts';
import { createNodeEnvironment, type NodeEnvironment } from '../environments/node/index.ts';
import type { LogStyle } from '../environments/node/log.ts';
import { readConfig } from './config-file.ts';

/** What a node with listeners is started with. */
export interface StartNodeOptions {
  /** Absolute path of a config file, or its values; undefined: the bare AWS endpoints. */
  readonly config: string | object | undefined;
  readonly mode: 'dev' | 'start';
  /** Undefined: a temporary folder that goes with the node. */
  readonly data: string | undefined;
  readonly api: Address;
  readonly gateway: Address;
  readonly log: LogStyle;
}

/** A started node. */
export interface StartedNode {
  readonly served: ServedNode;
  readonly environment: NodeEnvironment;
  readonly config: Config;
  /** Absolute. */
  readonly dataDirectory: string;
  /** The same where it goes with the node. */
  readonly temporary: string | undefined;
  /** Reads the config again and takes it over; rejects with InvalidConfig and keeps the old one. */
  reload(): Promise<void>;
  stop(withinMs: number): Promise<void>;
}

/** The version of this package. */
export async function packageVersion(): Promise<string> {
  const text = await readFile(fileURLToPath(new URL('../../package.json', import.meta.url)), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** Reads the config and brings a node up. Rejects with InvalidConfig or EnvironmentError. */
export async function startNode(options: StartNodeOptions): Promise<StartedNode> {
  const environment = createNodeEnvironment({ log: options.log });
  const dataDirectory = options.data === undefined ? await mkdtemp(join(tmpdir(), 'millrace-')) : resolve(options.data);
  const cleanUp = async (): Promise<void> => {
    if (options.data === undefined) await rm(dataDirectory, { recursive: true, force: true });
  };
  const read = async (): Promise<Config> =>
    await readConfig({
      environment,
      source: options.config,
      dataDirectory,
      mode: options.mode,
      makeSecrets: options.mode === 'dev',
    });
  try {
    const config = await read();
    let reloading: Promise<void> = Promise.resolve();
    let isStopping = false;
    const served = await serve({ ...options, ...serveOptions(config, options), environment, dataDirectory });
    return {
      served,
      environment,
      config,
      dataDirectory,
      temporary: options.data === undefined ? dataDirectory : undefined,
      // One after the other, so that what was read last is what stays.
      reload: async () => {
        const mine = reloading.then(async () => {
          if (isStopping) return;
          const changed = await read();
          warnOfRestart(environment, config.server, changed.server);
          await served.reload(changed.sections);
        });
        reloading = mine.catch(() => undefined);
        await mine;
      },
      stop: async (withinMs) => {
        isStopping = true;
        await reloading;
        await served.stop(withinMs);
        await cleanUp();
      },
    };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

function serveOptions({ server, sections }: Config, { config }: StartNodeOptions) {
  return {
    identity: { region: server.region ?? 'us-east-1', account: server.account ?? '000000000000' },
    hosts: server.hosts ?? [],
    origins: server.cors ?? [],
    sections,
    version: VERSION,
    ...(typeof config === 'string' && { configFile: config }),
  };
}

const VERSION = await packageVersion();

function warnOfRestart({ log }: NodeEnvironment, before: ServerOptions, after: ServerOptions): void {
  if (JSON.stringify(before) === JSON.stringify(after)) return;
  log.warn('config.restart-needed', { section: 'server', hint: 'what changed there is taken over at the next start' });
}
