import { compose, type ComposedNode } from '../compose/index.ts';
import { claimDataDirectory } from '../environments/data-directory.ts';
import { Simulation } from '../environments/simulated/index.ts';
import { RequestError } from '../kernel/errors.ts';
import { checkAws } from '../kernel/schema/check-aws.ts';
import { RawAnswer } from '../ports/operation.ts';
import { fakeRequest } from './fake-request.ts';
import { encodeAwsJson } from '../wire/aws-json/encode.ts';

/** JSON of any shape; tests look into answers as clients do. */
export type Answer = ReturnType<typeof JSON.parse>;

/** A whole node on a simulated machine, asked as clients ask: action by action, webhook by webhook. */
export class NodeBench {
  readonly simulation: Simulation;
  #node: ComposedNode | undefined;
  #release = async (): Promise<void> => {};

  constructor(seed = 1) {
    this.simulation = new Simulation(seed);
  }

  /** Brings the node up, again after a crash or `close`. */
  async open(sections: Readonly<Record<string, unknown>> = {}): Promise<this> {
    const { environment } = this.simulation;
    const claim = await this.simulation.drive(claimDataDirectory(environment, '/data'));
    this.#release = async () => await claim.release();
    this.#node = await this.simulation.drive(
      compose({
        environment,
        dataDirectory: '/data',
        epoch: claim.epoch,
        sections,
        identity: { region: 'us-east-1', account: '000000000000' },
        mode: 'dev',
        onFailure: (error) => {
          throw error;
        },
      }),
    );
    return this;
  }

  get node(): ComposedNode {
    if (this.#node === undefined) throw new Error('not open');
    return this.#node;
  }

  async close(): Promise<void> {
    await this.simulation.drive(
      (async () => {
        await this.node.drain(1000);
        await this.node.close();
        await this.#release();
      })(),
    );
  }

  /** Calls `Firehose` unless the action names its service. */
  async call(action: string, input: unknown): Promise<Answer> {
    const target = action.includes('.') ? action : `Firehose_20150804.${action}`;
    const bound = this.node.operations.find(({ operation }) => `${operation.target}.${operation.name}` === target);
    if (bound === undefined) throw new Error(`no action ${target}`);
    const { operation, state } = bound;
    const call = { requestId: 'test', signal: new AbortController().signal, state };
    const answer = await this.simulation.drive(
      (async () => await operation.handle(checkAws(operation.input, input), call))(),
    );
    if (answer instanceof RawAnswer) return JSON.parse(Buffer.from(answer.json).toString());
    if (operation.output === undefined) return undefined;
    return JSON.parse(JSON.stringify(encodeAwsJson(operation.output, answer)));
  }

  /** `Code: sentence` of a refusal. */
  async refusal(action: string, input: unknown): Promise<string> {
    try {
      await this.call(action, input);
    } catch (error) {
      if (error instanceof RequestError) return `${error.code}: ${error.message}`;
      throw error;
    }
    throw new Error(`${action} was not refused`);
  }

  async admin(
    method: 'GET' | 'POST',
    path: string,
    parameters: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const route = this.node.admin.find((one) => one.method === method && one.path === path);
    if (route === undefined) throw new Error(`no admin route ${path}`);
    return await this.simulation.drive(route.handle(parameters, new URLSearchParams(), new AbortController().signal));
  }

  /** Posts to the gateway; headers and body as the sender gives them. */
  async post(path: string, headers: Readonly<Record<string, string>>, body: string | Uint8Array): Promise<Answer> {
    return await this.simulation.drive(this.gateway(path, headers, body));
  }

  /** The same, to be driven together with others. */
  async gateway(path: string, headers: Readonly<Record<string, string>>, body: string | Uint8Array): Promise<Answer> {
    const request = fakeRequest({ method: 'POST', path, headers, body });
    const { status, headers: answered, body: text } = await this.node.gateway(request);
    return { status, headers: answered, ...(JSON.parse(String(text)) as object) };
  }

  /** Objects of a bucket: key to content. */
  async objects(bucket: string): Promise<ReadonlyMap<string, Buffer>> {
    const found = new Map<string, Buffer>();
    const home = `/data/buckets/${bucket}`;
    await this.simulation.drive(this.#collect(home, home, found));
    return found;
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
