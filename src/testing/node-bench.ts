import type { ComposedNode, NodeOptions } from '../compose/index.ts';
import { Simulation } from '../environments/simulated/index.ts';
import { RequestError, ThrottleError } from '../kernel/errors.ts';
import type { AnyDestination } from '../ports/destination.ts';
import type { Functions } from '../ports/functions.ts';
import { FakeDocuments } from './fake-documents.ts';
import { fakeRequest } from './fake-request.ts';
import { ScriptedS3 } from './scripted-s3.ts';
import { callAction, openNode, SIMULATED_DATA, type OpenNode } from './open-node.ts';
import { nobodyAnswers, ScriptedHttp, type HttpScript } from './scripted-http.ts';
import { textOf } from './text-of.ts';

/** JSON of any shape; tests look into answers as clients do. */
export type Answer = ReturnType<typeof JSON.parse>;

/** What a node meets outside, where it is not the usual. */
export interface OutsideWorld {
  readonly servers?: HttpScript;
  readonly destinations?: readonly AnyDestination[];
  readonly log?: NodeOptions['log'];
  /** Buckets are those of `s3`, which the test scripts, in place of folders. */
  readonly hasS3?: boolean;
  readonly catalog?: NodeOptions['catalog'];
}

/** A whole node on a simulated machine, asked as clients ask: action by action, webhook by webhook. */
export class NodeBench {
  readonly simulation: Simulation;
  /** What the servers answer that the node asks. */
  readonly servers: HttpScript;
  #open: OpenNode | undefined;

  /** Kinds of destinations beside the usual, for all nodes that are opened. */
  readonly destinations: readonly AnyDestination[];
  readonly #log: NodeOptions['log'];
  readonly #catalog: NodeOptions['catalog'];
  /** Stands for MongoDB; tests look into it. */
  readonly documents = new FakeDocuments();
  /** Outlives the node; asked only where the bench `hasS3`. */
  readonly s3 = new ScriptedS3(() => this.simulation.environment.clock);
  readonly #hasS3: boolean;

  constructor(
    seed = 1,
    { servers = nobodyAnswers, destinations = [], log, catalog, hasS3 = false }: OutsideWorld = {},
  ) {
    this.simulation = new Simulation(seed);
    this.servers = servers;
    this.destinations = destinations;
    this.#log = log;
    this.#hasS3 = hasS3;
    this.#catalog = catalog;
  }

  /** Brings the node up, again after a crash or `close`. */
  async open(sections: Readonly<Record<string, unknown>> = {}, functions?: Functions): Promise<this> {
    const failed = (error: Error): never => {
      throw error;
    };
    const { environment } = this.simulation;
    const sizes = {
      ...(functions !== undefined && { functions }),
      ...(this.#log !== undefined && { log: this.#log }),
      ...(this.#catalog !== undefined && { catalog: this.#catalog }),
      ...(this.destinations.length > 0 && { destinations: this.destinations }),
    };
    const http = new ScriptedHttp(environment.clock, this.servers);
    const drivers = { http, documents: this.documents, ...(this.#hasS3 && { objectStore: this.s3 }) };
    this.#open = await this.simulation.drive(openNode(environment, sections, failed, sizes, drivers));
    return this;
  }

  get node(): ComposedNode {
    return this.#opened().node;
  }

  async close(): Promise<void> {
    await this.simulation.drive(this.#opened().close());
  }

  /** Calls `Firehose` unless the action names its service. */
  async call(action: string, input: unknown): Promise<Answer> {
    const target = action.includes('.') ? action : `Firehose_20150804.${action}`;
    return await this.simulation.drive(callAction(this.node, target, input));
  }

  /** `Code: sentence` of a refusal. */
  async refusal(action: string, input: unknown): Promise<string> {
    try {
      await this.call(action, input);
    } catch (error) {
      if (error instanceof RequestError || error instanceof ThrottleError) return `${error.code}: ${error.message}`;
      throw error;
    }
    throw new Error(`${action} was not refused`);
  }

  async admin(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    parameters: Readonly<Record<string, string>> = {},
    query: Readonly<Record<string, string>> = {},
    body?: unknown,
  ): Promise<Answer> {
    const route = this.node.admin.find((one) => one.method === method && one.path === path);
    if (route === undefined) throw new Error(`no admin route ${path}`);
    const sent = body instanceof Uint8Array ? body : JSON.stringify(body);
    const request = fakeRequest(body === undefined ? {} : { body: sent });
    return await this.simulation.drive(route.handle(parameters, new URLSearchParams(query), request));
  }

  /** Posts to the gateway; headers and body as the sender gives them. */
  async post(path: string, headers: Readonly<Record<string, string>>, body: string | Uint8Array): Promise<Answer> {
    return await this.simulation.drive(this.gateway(path, headers, body));
  }

  /** The same, to be driven together with others. */
  async gateway(path: string, headers: Readonly<Record<string, string>>, body: string | Uint8Array): Promise<Answer> {
    const request = fakeRequest({ method: 'POST', path, headers, body });
    const { status, headers: answered, body: text } = await this.node.gateway(request);
    return { status, headers: answered, ...(JSON.parse(textOf(text)) as object) };
  }

  /** Objects of a bucket: key to content. */
  async objects(bucket: string): Promise<ReadonlyMap<string, Buffer>> {
    const found = new Map<string, Buffer>();
    const home = `${SIMULATED_DATA}/buckets/${bucket}`;
    await this.simulation.drive(this.#collect(home, home, found));
    return found;
  }

  #opened(): OpenNode {
    if (this.#open === undefined) throw new Error('not open');
    return this.#open;
  }

  async #collect(home: string, folder: string, found: Map<string, Buffer>): Promise<void> {
    const { files } = this.simulation.environment;
    for (const name of await files.list(folder)) {
      const path = `${folder}/${name}`;
      if (await files.isDirectory(path)) await this.#collect(home, path, found);
      else found.set(path.slice(home.length + 1), Buffer.from(await files.readFile(path)));
    }
  }
}

/** Bytes as base64. */
export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
