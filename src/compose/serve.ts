import { claimDataDirectory } from '../environments/data-directory.ts';
import type { SegmentLogOptions } from '../engines/segment-log/index.ts';
import type { NodeEnvironment } from '../environments/node/index.ts';
import type { OutgoingSection } from '../config/index.ts';
import type { ByteBudget } from '../kernel/flow/byte-budget.ts';
import type { AdminRoute, Identity } from '../ports/capability.ts';
import type { Clock } from '../ports/environment.ts';
import type { HttpHandler } from '../ports/http.ts';
import { createAwsJson } from '../wire/aws-json/index.ts';
import { createAwsRest } from '../wire/aws-rest/index.ts';
import { createInFlightBudget, openListener } from '../wire/http/listener.ts';
import { Gate } from '../wire/sigv4/gate.ts';
import type { Credential } from '../wire/sigv4/principal.ts';
import { AuditStream } from './audit.ts';
import { createApi } from './api.ts';
import { createCallerIdentity } from './caller-identity.ts';
import { openCertificate, type NamedCertificate, type NodeCertificate } from './certificate.ts';
import { openApiRoute } from './open-api.ts';
import { OutgoingAccess } from './outgoing.ts';
import { compose, type ComposedNode, type Drivers, type NodeOptions, type Sections } from './index.ts';
import { NodeSurroundings } from './surroundings.ts';

export type { SyncMode } from '../engines/segment-log/index.ts';

/** Bytes of one AWS request: 10 MiB of records in base64, and room for keys and names. */
const AWS_BODY_BYTES_MAX = 16 * 1024 * 1024;

/** How long the last answers of the api listener may take once all workers came to their end. */
const LAST_ANSWERS_MS = 500;

/** Where a listener listens; port 0 takes any free one. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** When appends are answered, and how much of the disk the log may take; the size of its files is for tests. */
export type LogSettings = Pick<
  SegmentLogOptions,
  'sync' | 'intervalMs' | 'diskBytesMax' | 'reserveBytes' | 'segmentBytesMax'
>;

/** Bounds of what requests may take. */
export interface RequestLimits {
  /** Bytes of bodies and answers in memory at once. */
  readonly inFlightBytesMax?: number;
  /** Connections of one listener at once. */
  readonly connectionsMax?: number;
}

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
  /** A certificate that somebody else made; absent: the node makes one itself. */
  readonly tls?: NamedCertificate & { readonly plaintext?: boolean };
  readonly sections: Sections;
  readonly drivers: Drivers;
  /** Absolute path of the folder that relative paths of the sections are meant from. */
  readonly configFolder: string;
  /** Key pairs whose signatures the api listener takes; absent: any that look signed. */
  readonly credentials?: readonly Credential[] | undefined;
  /** Of the log. */
  readonly engine: LogSettings;
  /** Sizes for tests; defaults are the catalog's own. */
  readonly catalog?: NonNullable<NodeOptions['catalog']>;
  /** Bounds of all requests together; the listeners' own when absent. */
  readonly limits: RequestLimits;
  /** Which servers may be asked; the mode's own when absent. */
  readonly outgoing?: OutgoingSection;
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
  /** Takes over changed sections, key pairs, and which servers may be asked. */
  reload(sections: Sections, credentials: readonly Credential[] | undefined, outgoing?: OutgoingSection): Promise<void>;
  /**
   * Stops accepting, answers what is under way, all within `withinMs`, closes; a second call waits for the same end.
   * Until the handlers under way came to their end, the api listener answers calls with their key pairs, and to others
   * 503.
   */
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
  const { environment, dataDirectory, identity } = options;
  let fail: (error: Error) => void = () => undefined;
  const failed = new Promise<Error>((resolve) => {
    fail = resolve;
  });
  const certificate = await openCertificate(
    { dataDirectory, hosts: serverNames(options), named: options.tls },
    environment,
  );
  const surroundings = new NodeSurroundings(identity, environment);
  const onFailure = (error: Error): void => fail(error);
  const { drivers, mode, api, gateway } = options;
  const willBe = { api: plainUrl(api), gateway: plainUrl(gateway) };
  const outgoingAccess = new OutgoingAccess(drivers.http, mode, options.outgoing ?? {}, willBe);
  const node = await compose({ ...options, surroundings, epoch: claim.epoch, onFailure, log: options.engine });
  let ready = true;
  const gate = new Gate(options.credentials, identity, environment);
  const audit = new AuditStream(node.records, environment);
  const { operations, rest } = node;
  const awsJson = createAwsJson({ operations, bodyBytesMax: AWS_BODY_BYTES_MAX, gate, audit }, environment);
  const awsRest = createAwsRest({ operations: rest, gate, identity, audit });
  let urls = { api: '', gateway: '' };
  const admin = [...node.admin, audit.route, nodeRoute(options, { certificate, gate }, () => urls)];
  let measure = async (): Promise<void> => undefined;
  const handler = createApi({
    awsJson,
    awsRest,
    callerIdentity: createCallerIdentity(gate, identity),
    gate,
    audit,
    admin: [...admin, openApiRoute(admin, options.version)],
    health: () => node.health(),
    ready: () => ready,
    metrics: async () => {
      await measure();
      return environment.meter.exposition();
    },
  });
  const budget = createInFlightBudget(options.limits.inFlightBytesMax);
  const listeners = await openBoth(options, { handler, node, budget, certificate });
  measure = async () => await measureRequests(environment, listeners, budget);
  const watched = certificate.watch((next) => {
    listeners.api.showCertificate(next);
    listeners.gateway.showCertificate(next);
  });
  urls = { api: listeners.api.url, gateway: listeners.gateway.url };
  outgoingAccess.opened(urls);
  surroundings.open(addressesOf(urls, certificate), gate, dataActions(node));
  let stopping: Promise<void> | undefined;
  return {
    api: listeners.api.url,
    gateway: listeners.gateway.url,
    node,
    failed,
    reload: async (next, credentials, outgoing) => {
      // First: what a lost key, or another list, still allows ends whatever the rest comes to.
      gate.use(credentials);
      outgoingAccess.reload(outgoing ?? {});
      await watched.look();
      await node.reload(next);
    },
    stop: async (withinMs) => {
      ready = false;
      watched.stop();
      stopping ??= stopAll({ listeners, node, claim, clock: environment.clock }, withinMs);
      await stopping;
    },
  };
}

/** The URL of a listener there, without a slash at the end. */
export function plainUrl({ host, port }: Address): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Where nothing but TLS is spoken, clients have to trust the node's certificate. */
function addressesOf(urls: { readonly api: string; readonly gateway: string }, certificate: NodeCertificate) {
  if (!urls.api.startsWith('https:')) return urls;
  return { ...urls, trustFile: certificate.bundle ?? certificate.file };
}

/** What a function may do with its own key pair: what carries records or events, nothing that changes what there is. */
function dataActions({ operations, rest }: ComposedNode): string[] {
  return [...operations, ...rest].flatMap(({ operation, service }) =>
    operation.plane === 'data' ? [`${service}:${operation.name}`] : [],
  );
}

/** What clients may call the node by. */
function serverNames({ hosts, api, gateway }: ServeOptions): string[] {
  return [...hosts, api.host, gateway.host];
}

/** What client commands need to know of a node. */
function nodeRoute(
  options: ServeOptions,
  { certificate, gate }: { readonly certificate: NodeCertificate; readonly gate: Gate },
  urls: () => { readonly api: string; readonly gateway: string },
): AdminRoute {
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
      certificateFile: certificate.file,
      trustFile: certificate.bundle ?? null,
      sync: engine.sync ?? 'always',
      verifies: gate.isClosed,
      ...identity,
    }),
  };
}

type Listener = Awaited<ReturnType<typeof openListener>>;

interface Listeners {
  readonly api: Listener;
  readonly gateway: Listener;
}

interface ListenerParts {
  readonly handler: HttpHandler;
  readonly node: ComposedNode;
  readonly budget: ByteBudget;
  readonly certificate: NodeCertificate;
}

async function openBoth(options: ServeOptions, parts: ListenerParts): Promise<Listeners> {
  const { environment, hosts, origins, limits, mode, tls } = options;
  const { handler, node, budget } = parts;
  const { connectionsMax } = limits;
  // Who names a certificate in production means it.
  const plaintext = mode === 'dev' || tls === undefined || tls.plaintext === true;
  const certificate = parts.certificate.current;
  const shared = { budget, plaintext, certificate, ...(connectionsMax !== undefined && { connectionsMax }) };
  try {
    const access = { hosts, origins };
    const api = await openListener({ ...options.api, ...shared, name: 'api', handler, private: access }, environment);
    try {
      const own = { ...options.gateway, name: 'gateway', handler: node.gateway };
      const gateway = await openListener({ ...own, ...shared }, environment);
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

/** What is under way is measured when somebody looks: it costs a request nothing. */
async function measureRequests({ meter }: NodeEnvironment, listeners: Listeners, budget: ByteBudget): Promise<void> {
  meter.gauge('http_in_flight_bytes', {}, budget.usedBytes);
  meter.gauge('http_in_flight_waiting', {}, budget.waiting);
  meter.gauge('http_connections', { listener: 'api' }, await listeners.api.connections());
  meter.gauge('http_connections', { listener: 'gateway' }, await listeners.gateway.connections());
}

interface StopParts {
  readonly listeners: Listeners;
  readonly node: ComposedNode;
  readonly claim: Claim;
  readonly clock: Clock;
}

/** The api listener is the last to close: handlers that come to their end call back over it. */
async function stopAll({ listeners, node, claim, clock }: StopParts, withinMs: number): Promise<void> {
  const end = clock.monotonic() + withinMs;
  await node.drain(withinMs, listeners.gateway.drain(withinMs));
  // What else was under way there had as long as all the rest; the last answers to handlers are on their way.
  await listeners.api.drain(Math.max(end - clock.monotonic(), LAST_ANSWERS_MS));
  await node.close();
  await claim.release();
}
