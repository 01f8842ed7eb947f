import type { Schema, Static } from '../kernel/schema/declare.ts';
import type { BlobStore } from './blob-store.ts';
import type { Catalog } from './catalog.ts';
import type { AnyDestination } from './destination.ts';
import type { DocumentStore } from './document-store.ts';
import type { Environment, Files } from './environment.ts';
import type { FunctionRuntime, FunctionSurroundings } from './function-runtime.ts';
import type { Functions } from './functions.ts';
import type { HttpClient, UrlRules } from './http-client.ts';
import type { HttpHandler, HttpRequest } from './http.ts';
import type { JsonSchemas } from './json-schema.ts';
import type { Operation } from './operation.ts';
import type { Records } from './records.ts';
import type { RestOperation } from './rest-operation.ts';
import type { SectionProblem } from './section-problem.ts';
import type { SearchClusters } from './search-clusters.ts';

/** Who this node says it is in ARNs. */
export interface Identity {
  readonly region: string;
  readonly account: string;
}

/** A stream or a delivery that a request names: what a key pair may be bound to. */
export interface NamedResource {
  /** Empty: it cannot be told which one. */
  readonly name: string;
  readonly arn: string;
}

/** The only ways out of a capability. */
export interface Doors {
  readonly catalog: Catalog;
  readonly records: Records;
  readonly blobs: BlobStore;
  readonly documents: DocumentStore;
  readonly destinations: readonly AnyDestination[];
  readonly http: HttpClient;
  readonly clusters: SearchClusters;
  /** The users' handlers; those of the file are there once all capabilities have started. */
  readonly functions: Functions;
  /** Runs them, and what the node lends them; only one capability asks for these. */
  readonly functionRuntime: FunctionRuntime;
  readonly surroundings: FunctionSurroundings;
  readonly jsonSchemas: JsonSchemas;
  /** Absolute path of the folder that relative paths of the config are meant from. */
  readonly configFolder: string;
  readonly identity: Identity;
  /** `dev` relaxes what `start` refuses. */
  readonly mode: 'dev' | 'start';
}

export interface Health {
  readonly ok: boolean;
  /** What is wrong, for people; empty when ok. */
  readonly problems: readonly string[];
}

/** What a route knows of the request it answers: whether somebody waits still, and what it may hold in memory. */
export type AdminRequest = Pick<HttpRequest, 'signal' | 'hold' | 'giveBack' | 'readBody'>;

/** An answer of a route that is no JSON: bytes that are sent as they come. */
export class AdminBytes {
  readonly pieces: AsyncIterable<Uint8Array>;

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.pieces = pieces;
  }
}

/** Parameters of a query with what each says; all of them may be left out where their route does not say otherwise. */
export type QueryParameters = Readonly<Record<string, string>>;

/** One read or change under `/admin/`. `path` may hold `{name}` parts, and `{name+}` at its end. */
export interface AdminRoute {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly doc: string;
  /** What it reads of its query: name to meaning. */
  readonly query?: QueryParameters;
  /** It answers AdminBytes, and no JSON. */
  readonly answersBytes?: true;
  /** Resolves with a JSON value, or a RawAnswer that is one, or AdminBytes; RequestErrors become their status. */
  handle(parameters: Readonly<Record<string, string>>, query: URLSearchParams, request: AdminRequest): Promise<unknown>;
}

/** What can be said of the files that a section names, before anything is started. */
export interface FileDoors extends Pick<Doors, 'configFolder' | 'jsonSchemas'> {
  /** Files that the section names are read, and no others. */
  readonly files: Pick<Files, 'readFile' | 'size'>;
  /** Which servers may be asked, as the file has it. */
  readonly urls: UrlRules;
}

/** What notes may ask: nothing is started for them. */
export interface NoteDoors extends Pick<Doors, 'configFolder' | 'identity' | 'functionRuntime' | 'mode'> {
  /** Files that the section names are read, and no others. */
  readonly files: Pick<Files, 'readFile'>;
  /** Names that stand in a section of the file, of whatever capability. */
  readonly names: (section: string) => readonly string[];
}

/** A started capability. */
export interface Running<S> {
  /** Handed to the capability's operations as `call.state`. */
  readonly state: S;
  /** Serves the public listener (webhooks); only one capability has it. */
  readonly gateway?: HttpHandler;
  /** Runs the users' handlers for all other rooms; only one capability has it. */
  readonly functions?: Functions;
  readonly admin?: readonly AdminRoute[];
  /** Takes over changed options without a restart. */
  reload(options: unknown): Promise<void>;
  health(): Health;
  /** Stops taking work and finishes what it has, within `withinMs`. */
  drain(withinMs: number): Promise<void>;
  stop(): Promise<void>;
}

/** One room of `capabilities/`; all have this shape. */
export interface Capability<O extends Schema = Schema, S = unknown> {
  readonly name: string;
  /** The top-level word of the config file it owns, for example `streams`. */
  readonly section: string;
  /** Declaration of that section. */
  readonly options: O;
  readonly operations: readonly Operation<S>[];
  /** Actions that have a path of their own on the api listener. */
  readonly rest?: readonly RestOperation<S>[];
  /**
   * All streams and deliveries that an action's input names, in whatever member, before it was checked; none stand for
   * all there are.
   */
  resources?(input: Readonly<Record<string, unknown>>, identity: Identity): readonly NamedResource[];
  /** What the shape of the options alone cannot say; `urls`: which servers may be asked, as the file has it. */
  problems?(options: Static<O>, mode: Doors['mode'], urls: UrlRules): readonly SectionProblem[];
  /** What `start` would refuse in files that the options name; the options themselves are fine. */
  fileProblems?(options: Static<O>, doors: FileDoors): Promise<readonly SectionProblem[]>;
  /** What works, but perhaps not as it was meant: for `millrace lint`. Never rejects for what the file says. */
  notes?(options: Static<O>, doors: NoteDoors): Promise<readonly SectionProblem[]>;
  start(options: Static<O> | undefined, doors: Doors, environment: Environment): Promise<Running<S>>;
}

/** A capability whose options and state only its own room knows. */
export interface AnyCapability {
  readonly name: string;
  readonly section: string;
  readonly options: Schema;
  // Each operation is only ever called with the state its own capability's start returned.
  readonly operations: readonly Operation<never>[];
  readonly rest?: readonly RestOperation<never>[];
  resources?(input: Readonly<Record<string, unknown>>, identity: Identity): readonly NamedResource[];
  problems?(options: never, mode: Doors['mode'], urls: UrlRules): readonly SectionProblem[];
  fileProblems?(options: never, doors: FileDoors): Promise<readonly SectionProblem[]>;
  notes?(options: never, doors: NoteDoors): Promise<readonly SectionProblem[]>;
  start(options: never, doors: Doors, environment: Environment): Promise<Running<unknown>>;
}
