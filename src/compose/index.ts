import { openFolderBlobs } from '../engines/blobs-fs/index.ts';
import { openS3Blobs } from '../engines/blobs-s3/index.ts';
import { type CatalogOptions, openCatalog } from '../engines/catalog/index.ts';
import { openRecords } from '../engines/records/index.ts';
import { openSegmentLog, type SegmentLog, type SegmentLogOptions } from '../engines/segment-log/index.ts';
import type { Schema } from '../kernel/schema/declare.ts';
import type {
  AdminRoute,
  AnyCapability,
  Doors,
  Health,
  Identity,
  NamedResource,
  Running,
} from '../ports/capability.ts';
import type { Catalog } from '../ports/catalog.ts';
import type { AnyDestination } from '../ports/destination.ts';
import type { DocumentStore } from '../ports/document-store.ts';
import type { Clock, Environment } from '../ports/environment.ts';
import type { FunctionRuntime, FunctionSurroundings } from '../ports/function-runtime.ts';
import type { Functions } from '../ports/functions.ts';
import type { GovernedHttpClient } from '../ports/http-client.ts';
import type { HttpHandler } from '../ports/http.ts';
import type { JsonSchemas } from '../ports/json-schema.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { Operation } from '../ports/operation.ts';
import type { Records } from '../ports/records.ts';
import type { RestOperation } from '../ports/rest-operation.ts';
import type { SearchClusters } from '../ports/search-clusters.ts';
import { capabilities, capabilitiesWith, destinations as registered } from '../registry.ts';
import { functionsOf } from './functions-door.ts';

/** Checked sections of the config file, by their top-level word. */
export type Sections = Readonly<Record<string, unknown>>;

/** What only some platforms have: the real ones come from main, simulations bring their own. */
export interface Drivers {
  readonly functionRuntime: FunctionRuntime;
  /** Requests to other servers, under rules that the caller gave. */
  readonly http: GovernedHttpClient;
  readonly jsonSchemas: JsonSchemas;
  readonly documents: DocumentStore;
  readonly clusters: SearchClusters;
  /** Where buckets are kept; absent: in folders of the data directory. */
  readonly objectStore?: ObjectStore | undefined;
}

/** What a node is made of. */
export interface NodeOptions {
  readonly environment: Environment;
  /** Absolute path; claimed by the caller before. */
  readonly dataDirectory: string;
  /** The claim's epoch. */
  readonly epoch: number;
  readonly sections: Sections;
  readonly identity: Identity;
  readonly drivers: Drivers;
  readonly surroundings: FunctionSurroundings;
  /** Absolute path of the folder that relative paths of the sections are meant from. */
  readonly configFolder: string;
  readonly mode: 'dev' | 'start';
  /** The log can no longer promise durability: the process must end. Called once. */
  readonly onFailure: (error: Error) => void;
  /** Sizes for tests; defaults are the log's own. */
  readonly log?: Partial<SegmentLogOptions>;
  readonly catalog?: Pick<CatalogOptions, 'snapshotEvery'>;
  /** Handlers for tests, in place of the users' own. */
  readonly functions?: Functions;
  /** Kinds of destinations for tests, beside those of the registry. */
  readonly destinations?: readonly AnyDestination[];
}

/** An operation with the state it is called with. */
export interface BoundOperation {
  readonly operation: Operation<unknown>;
  readonly state: unknown;
  /** The word before `:` in permissions, and in the scope of signatures. */
  readonly service: string;
  /** What an input names. */
  resources(input: Readonly<Record<string, unknown>>): readonly NamedResource[];
}

/** The same of an action with a path of its own. */
export interface BoundRestOperation {
  readonly operation: RestOperation<unknown>;
  readonly state: unknown;
  readonly service: string;
}

/** A running node without its listeners. */
export interface ComposedNode {
  readonly operations: readonly BoundOperation[];
  readonly rest: readonly BoundRestOperation[];
  readonly admin: readonly AdminRoute[];
  readonly gateway: HttpHandler;
  readonly records: Records;
  readonly catalog: Catalog;
  health(): Health;
  /** Takes over changed sections; what cannot change is logged and left. */
  reload(sections: Sections): Promise<void>;
  /**
   * Finishes what is under way, within `withinMs` altogether; `waysIn`: resolves once the gateway is asked no more.
   * First comes, all at once, what calls the users' handlers, then the handlers, then what these may call.
   */
  drain(withinMs: number, waysIn?: Promise<void>): Promise<void>;
  /** Closes everything; the log last. */
  close(): Promise<void>;
}

interface Started {
  readonly capability: AnyCapability;
  readonly running: Running<unknown>;
}

/** Brings a node up: log, catalog, streams, then the capabilities in the registry's order. */
export async function compose(options: NodeOptions): Promise<ComposedNode> {
  const { environment, dataDirectory, epoch, onFailure } = options;
  const log = await openSegmentLog(environment, {
    directory: `${dataDirectory}/log`,
    epoch,
    onFailure,
    ...options.log,
  });
  try {
    return await composeOn(log, options);
  } catch (error) {
    await log.close().catch(() => undefined);
    throw error;
  }
}

async function composeOn(log: SegmentLog, options: NodeOptions): Promise<ComposedNode> {
  const { environment, dataDirectory, identity, onFailure } = options;
  // What was opened, to be closed the other way round: also when what comes next cannot be.
  const closing: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (let next = closing.pop(); next !== undefined; next = closing.pop()) await next();
  };
  try {
    const catalog = await openCatalog(log.commands, environment, { ...options.catalog, onFailure });
    closing.push(async () => await catalog.close());
    const records = await openRecords(log.store, catalog, environment, identity);
    closing.push(async () => await records.close());
    const { functionRuntime, http, documents, clusters, objectStore, jsonSchemas } = options.drivers;
    const blobs =
      objectStore === undefined ? openFolderBlobs(environment, `${dataDirectory}/buckets`) : openS3Blobs(objectStore);
    const started: Started[] = [];
    const functions = functionsOf(
      () => options.functions ?? started.find(({ running }) => running.functions !== undefined)?.running.functions,
    );
    const { mode, configFolder, surroundings } = options;
    const node = { identity, mode, configFolder, surroundings, functionRuntime, jsonSchemas };
    const destinations = [...registered, ...(options.destinations ?? [])];
    const doors: Doors = { catalog, records, blobs, http, documents, clusters, destinations, functions, ...node };
    const rooms = options.destinations === undefined ? capabilities : capabilitiesWith(destinations);
    for (const capability of rooms) {
      const running = await capability.start(options.sections[capability.section] as never, doors, environment);
      closing.push(async () => await running.stop());
      started.push({ capability, running });
    }
    return composed(started, { log, catalog, records, identity, clock: environment.clock, close });
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
}

interface ComposedParts {
  readonly log: SegmentLog;
  readonly catalog: Catalog;
  readonly records: Records;
  readonly identity: Identity;
  readonly clock: Clock;
  /** Closes all that stands on the log. */
  readonly close: () => Promise<void>;
}

function composed(started: readonly Started[], parts: ComposedParts): ComposedNode {
  const { log, catalog, records, identity, clock, close } = parts;
  const gateway = started.find(({ running }) => running.gateway !== undefined)?.running.gateway;
  return {
    operations: started.flatMap((one) => bind(one, identity)),
    rest: started.flatMap(bindRest),
    admin: started.flatMap(({ running }) => running.admin ?? []),
    gateway: gateway ?? (async () => ({ status: 404, headers: {}, body: '' })),
    records,
    catalog,
    health: () => health(started, log),
    async reload(sections) {
      for (const { capability, running } of started) await running.reload(sections[capability.section]);
    },
    async drain(withinMs, waysIn) {
      const end = clock.monotonic() + withinMs;
      await drain(started, () => Math.max(0, end - clock.monotonic()), waysIn);
    },
    async close() {
      await close();
      await log.close();
    },
  };
}

/** One that takes all the time there is leaves none to those behind it, so whatever can goes side by side. */
async function drain(started: readonly Started[], leftMs: () => number, waysIn?: Promise<void>): Promise<void> {
  const callersFrom = started.findIndex(({ running }) => running.functions !== undefined) + 1;
  const callers = started.slice(callersFrom).map(async ({ running }) => {
    if (running.gateway !== undefined) await waysIn;
    await running.drain(leftMs());
  });
  await Promise.all(callers);
  for (const { running } of started.slice(0, callersFrom).toReversed()) await running.drain(leftMs());
}

function bind({ capability, running }: Started, identity: Identity): BoundOperation[] {
  return capability.operations.map((operation) => ({
    // Sound because the state came from the same capability's start.
    operation: operation as Operation<unknown>,
    state: running.state,
    service: capability.name,
    resources: (input) => capability.resources?.(declared(operation.input, input), identity) ?? [],
  }));
}

function bindRest({ capability, running }: Started): BoundRestOperation[] {
  const { state } = running;
  return (capability.rest ?? []).map((operation) => ({
    operation: operation as RestOperation<unknown>,
    state,
    service: capability.name,
  }));
}

/** Members that the action reads: another one must not stand for what it reads. */
function declared(schema: Schema, input: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const members = schema.kind === 'struct' ? schema.members : {};
  return Object.fromEntries(Object.entries(input).filter(([name]) => Object.hasOwn(members, name)));
}

function health(started: readonly Started[], log: SegmentLog): Health {
  const problems = [...log.health(), ...started.flatMap(({ running }) => running.health().problems)];
  return { ok: problems.length === 0, problems };
}
