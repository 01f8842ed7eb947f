import { claimDataDirectory } from '../environments/data-directory.ts';
import type { SegmentLogOptions } from '../engines/segment-log/index.ts';
import type { NodeEnvironment } from '../environments/node/index.ts';
import type { AdminRoute, Identity } from '../ports/capability.ts';
import type { HttpHandler } from '../ports/http.ts';
import { createAwsJson } from '../wire/aws-json/index.ts';
import { createInFlightBudget, openListener } from '../wire/http/listener.ts';
import { createApi } from './api.ts';
import { compose, type ComposedNode, type Sections } from './index.ts';

export type { SyncMode } from '../engines/segment-log/index.ts';

/** Bytes of one AWS request: 10 MiB of records in base64, and room for keys and names. */
const AWS_BODY_BYTES_MAX = 16 * 1024 * 1024;

/** Where a listener listens; port 0 takes any free one. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** When appends are answered, and how much of the disk the log may take. */
export type LogSettings = Pick<SegmentLogOptions, 'sync' | 'intervalMs' | 'diskBytesMax' | 'reserveBytes'>;

/** What a node with listeners needs beside its environment. */
export interface ServeOptions {
  readonly environment: NodeEnvironment;
  /** Absolute path. */
  readonly dataDirectory: string;
  readonly api: Address;
  readonly gateway: Address;
  readonly identity: Identity;
  readonly mode: 'dev' | 'start';
  /** Further names the api listener answers to, and Origins it accepts. */
  readonly hosts: readonly string[];
  readonly origins: readonly string[];
  readonly sections: Sections;
  /** Of the log. */
  readonly engine: LogSettings;
  /** Of the program, for `/admin/node`. */
  readonly version: string;
  /** Absolute path; absent: none. */
  readonly configFile?: string;
}

/** A node that answers on its listeners. */
export interface ServedNode {
  /** URLs without a slash at the end. */
  readonly api: string;
  readonly gateway: string;
  readonly node: ComposedNode;
  reload(sections: Sections): Promise<void>;
  /** Stops accepting, answers what is under way, closes; a second call waits for the same end. */
  stop(withinMs: number): Promise<void>;
  /** Resolves when the node can no longer promise durability; never otherwise. */
  readonly failed: Promise<Error>;
}

/** Claims the data directory, brings the node up and opens its listeners. */
export async function serve(options: ServeOptions): Promise<ServedNode> {
  const { environment, dataDirectory } = options;
  const claim = await claimDataDirectory(environment, dataDirectory);
  try {
    return await serveClaimed(options, claim);
  } catch (error) {
    await claim.release();
    throw error;
  }
}

interface Claim {
  readonly epoch: number;
  release(): Promise<void>;
}

async function serveClaimed(options: ServeOptions, claim: Claim): Promise<ServedNode> {
  const { environment, dataDirectory, identity, mode, sections } = options;
  let fail: (error: Error) => void = () => undefined;
  const failed = new Promise<Error>((resolve) => {
    fail = resolve;
  });
  const node = await compose({
    environment,
    dataDirectory,
    epoch: claim.epoch,
    sections,
    identity,
    mode,
    onFailure: (error) => fail(error),
    log: options.engine,
  });
  let ready = true;
  const awsJson = createAwsJson({ operations: node.operations, bodyBytesMax: AWS_BODY_BYTES_MAX }, environment);
  let urls = { api: '', gateway: '' };
  const handler = createApi({
    awsJson,
    admin: [...node.admin, nodeRoute(options, () => urls)],
    health: () => node.health(),
    ready: () => ready,
    metrics: () => environment.meter.exposition(),
  });
  const listeners = await openBoth(options, handler, node);
  urls = { api: listeners.api.url, gateway: listeners.gateway.url };
  let stopping: Promise<void> | undefined;
  return {
    api: listeners.api.url,
    gateway: listeners.gateway.url,
    node,
    failed,
    reload: async (next) => await node.reload(next),
    stop: async (withinMs) => {
      ready = false;
      stopping ??= stopAll(listeners, node, claim, withinMs);
      await stopping;
    },
  };
}

/** What client commands need to know of a node. */
function nodeRoute(options: ServeOptions, urls: () => { readonly api: string; readonly gateway: string }): AdminRoute {
  const { version, mode, dataDirectory, configFile = null, identity, engine } = options;
  return {
    method: 'GET',
    path: '/admin/node',
    doc: 'The node itself: version, listeners, data directory, config file.',
    handle: async () => ({
      version,
      mode,
      ...urls(),
      dataDirectory,
      configFile,
      sync: engine.sync ?? 'always',
      ...identity,
    }),
  };
}

type Listener = Awaited<ReturnType<typeof openListener>>;

interface Listeners {
  readonly api: Listener;
  readonly gateway: Listener;
}

async function openBoth(options: ServeOptions, handler: HttpHandler, node: ComposedNode): Promise<Listeners> {
  const { environment, hosts, origins } = options;
  const budget = createInFlightBudget();
  try {
    const api = await openListener({ ...options.api, handler, budget, private: { hosts, origins } }, environment);
    try {
      const gateway = await openListener({ ...options.gateway, handler: node.gateway, budget }, environment);
      return { api, gateway };
    } catch (error) {
      await api.close();
      throw error;
    }
  } catch (error) {
    await node.close();
    throw error;
  }
}

async function stopAll(listeners: Listeners, node: ComposedNode, claim: Claim, withinMs: number): Promise<void> {
  await Promise.all([listeners.api.drain(withinMs), listeners.gateway.drain(withinMs)]);
  await node.drain(withinMs);
  await node.close();
  await claim.release();
}
