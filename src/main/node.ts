import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listenersOf } from '../compose/outgoing.ts';
import { ConfiguredClusters } from '../compose/search-clusters.ts';
import { serve, type Address, type LogSettings, type ServedNode, type SyncMode } from '../compose/serve.ts';
import type { Config } from '../config/index.ts';
import { CredentialChain } from '../drivers/aws/credential-chain.ts';
import { watchEventLoop } from '../environments/node/event-loop.ts';
import { createNodeEnvironment, type NodeEnvironment } from '../environments/node/index.ts';
import type { LogStyle } from '../environments/node/log.ts';
import { OneAtATime } from '../kernel/flow/one-at-a-time.ts';
import { readConfig, type ReadConfigOptions } from './config-file.ts';
import { absoluteCertificate, folderOf, identityOf } from './config-facts.ts';
import { openDrivers } from './drivers.ts';
import { environmentKeys } from './key-pair.ts';
import { ownListeners } from './own-listeners.ts';
import { refuseUnsafe } from './refuse-unsafe.ts';

const ALIVE_MS = 60_000;

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
  /** Stronger than the config's word. */
  readonly sync?: SyncMode | undefined;
  /** Allows what `start` refuses. */
  readonly unsafe?: boolean;
}

/** A started node. */
export interface StartedNode {
  readonly served: ServedNode;
  readonly environment: NodeEnvironment;
  readonly config: Config;
  /** Absolute. */
  readonly dataDirectory: string;
  readonly sync: SyncMode;
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
  let listening = ownListeners(options.api, options.gateway);
  const read = async (): Promise<Config> => await readOwn(options, { environment, dataDirectory, own: listening });
  // Timers of the environment keep no process alive, and before the listeners there may be nothing else to wait for.
  const alive = setInterval(() => undefined, ALIVE_MS);
  try {
    const config = await read();
    refuseUnsafe(config, options);
    const reloads = new OneAtATime();
    let isStopping = false;
    const own = serveOptions(config, options);
    const { region } = own.identity;
    const chain = new CredentialChain({ clock: environment.clock, region, environmentKeys });
    const clusters = new ConfiguredClusters({ region, chain });
    clusters.use(config.opensearch);
    const drivers = await openDrivers(environment, config, clusters);
    const served = await serve({ ...options, ...own, drivers, environment, dataDirectory });
    listening = listenersOf(served);
    const unwatch = watchEventLoop(environment);
    return {
      sync: own.engine.sync ?? 'always',
      served,
      environment,
      config,
      dataDirectory,
      temporary: options.data === undefined ? dataDirectory : undefined,
      // One after the other, so that what was read last is what stays.
      reload: async () => {
        await reloads.run(async () => {
          if (isStopping) return;
          const changed = await read();
          refuseUnsafe(changed, options);
          for (const section of ['server', 'engine', 'limits', 's3'] as const) {
            warnOfRestart(environment, section, config[section], changed[section]);
          }
          clusters.use(changed.opensearch);
          await served.reload(changed.sections, changed.server.credentials, changed.outgoing);
        });
      },
      stop: async (withinMs) => {
        isStopping = true;
        await reloads.settled();
        await served.stop(withinMs);
        drivers.http.close();
        await drivers.functionRuntime.close();
        await drivers.documents.close();
        drivers.objectStore?.close();
        // Idle ones keep no process alive, but who starts node after node in one process would have all of them.
        await environment.compute.close();
        unwatch();
        await cleanUp();
      },
    };
  } catch (error) {
    await cleanUp();
    throw error;
  } finally {
    clearInterval(alive);
  }
}

async function readOwn(
  { config, mode }: StartNodeOptions,
  where: Pick<ReadConfigOptions, 'environment' | 'dataDirectory' | 'own'>,
): Promise<Config> {
  return await readConfig({ ...where, source: config, mode, missingSecrets: mode === 'dev' ? 'make' : 'refuse' });
}

function serveOptions(
  { server, engine, limits, outgoing, sections }: Config,
  { config, data, sync }: StartNodeOptions,
) {
  const given = engine.segmentLog ?? {};
  // The declaration takes no other words.
  const log: LogSettings = { ...given, sync: sync ?? (given.sync as SyncMode | undefined) ?? 'always' };
  return {
    // What goes with the process needs nothing for the day when the disk is full.
    engine: data === undefined ? { ...log, reserveBytes: 0 } : log,
    identity: identityOf(server),
    hosts: server.hosts ?? [],
    origins: server.cors ?? [],
    ...(server.tls !== undefined && { tls: absoluteCertificate(server.tls, config) }),
    credentials: server.credentials,
    sections,
    limits,
    outgoing,
    version: VERSION,
    configFolder: folderOf(config),
    ...(typeof config === 'string' && { configFile: config }),
  };
}

const VERSION = await packageVersion();

function warnOfRestart({ log }: NodeEnvironment, section: string, before: unknown, after: unknown): void {
  // Key pairs of the node itself are taken over.
  const without = section === 'server' ? { credentials: undefined } : {};
  const rest = (values: unknown): string => JSON.stringify(values === undefined ? null : { ...values, ...without });
  if (rest(before) === rest(after)) return;
  log.warn('config.restart-needed', { section, hint: 'what changed there is taken over at the next start' });
}
