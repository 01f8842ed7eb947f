import { createHmac } from 'node:crypto';
import type { ComposedNode } from '../compose/index.ts';
import type { Simulation } from '../environments/simulated/index.ts';
import type { HttpAnswer } from '../ports/http.ts';
import { fakeRequest } from './fake-request.ts';
import { callAction, openNode, SIMULATED_DATA, type OpenNode } from './open-node.ts';

/** Names of the simulated node's config. */
export const SIMULATED = {
  stream: 'main',
  route: '/hooks',
  secret: 'a secret of the simulation',
  bucket: 'archive',
  direct: 'direct',
  directBucket: 'direct-archive',
  data: SIMULATED_DATA,
} as const;

/** What differs between the nodes of different seeds. */
export interface SimulatedConfig {
  readonly shardCount: number;
  readonly isGzip: boolean;
  readonly intervalSeconds: number;
  readonly segmentBytesMax: number;
}

function sections({ shardCount, isGzip, intervalSeconds }: SimulatedConfig): Readonly<Record<string, unknown>> {
  const BufferingHints = { SizeInMBs: 1, IntervalInSeconds: intervalSeconds };
  const CompressionFormat = isGzip ? 'GZIP' : 'UNCOMPRESSED';
  const to = (bucket: string): object => ({
    ExtendedS3DestinationConfiguration: { BucketARN: bucket, BufferingHints, CompressionFormat },
  });
  return {
    streams: { [SIMULATED.stream]: { ShardCount: shardCount } },
    deliveries: {
      archive: { from: SIMULATED.stream, ...to(SIMULATED.bucket) },
      [SIMULATED.direct]: to(SIMULATED.directBucket),
    },
    gateway: {
      routes: {
        [`POST ${SIMULATED.route}`]: {
          verify: { github: { secrets: [SIMULATED.secret] } },
          to: SIMULATED.stream,
        },
      },
    },
  };
}

/** A whole node on a simulated machine, used from `Operation.handle` and the gateway's request down to the disk. */
export class SimulatedNode {
  readonly #open: OpenNode;

  private constructor(open: OpenNode) {
    this.#open = open;
  }

  /** Brings the node up; `onFailure`: the log can no longer promise durability. */
  static async open(
    simulation: Simulation,
    config: SimulatedConfig,
    onFailure: (error: Error) => void,
  ): Promise<SimulatedNode> {
    const { segmentBytesMax } = config;
    return new SimulatedNode(await openNode(simulation.environment, sections(config), onFailure, { segmentBytesMax }));
  }

  get health(): ReturnType<ComposedNode['health']> {
    return this.#open.node.health();
  }

  /** Calls an action as the wire does: checked input in, the answer's JSON out. */
  async call(target: string, input: unknown): Promise<unknown> {
    return await callAction(this.#open.node, target, input);
  }

  /** Posts a webhook; `secret` other than the route's own makes a wrong signature. */
  async post(deliveryId: string, body: string, secret: string = SIMULATED.secret): Promise<HttpAnswer> {
    const signature = createHmac('sha256', secret).update(body).digest('hex');
    const headers = {
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-github-delivery': deliveryId,
      'x-hub-signature-256': `sha256=${signature}`,
    };
    return await this.#open.node.gateway(fakeRequest({ method: 'POST', path: SIMULATED.route, headers, body }));
  }

  /** One admin route, by its pattern. */
  async admin(method: 'GET' | 'POST', path: string, parameters: Readonly<Record<string, string>>): Promise<unknown> {
    const route = this.#open.node.admin.find((one) => one.method === method && one.path === path);
    if (route === undefined) throw new Error(`no admin route ${path}`);
    return await route.handle(parameters, new URLSearchParams(), new AbortController().signal);
  }

  async close(): Promise<void> {
    await this.#open.close();
  }
}
