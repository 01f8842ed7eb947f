import { createHmac } from 'node:crypto';
import type { ComposedNode, NodeOptions } from '../../compose/index.ts';
import type { Environment } from '../../ports/environment.ts';
import type { HttpAnswer } from '../../ports/http.ts';
import type { EventAnswer, OutgoingEvent } from '../../ports/operation.ts';
import { FAKE } from '../fake-destination.ts';
import { fakeRequest } from '../fake-request.ts';
import { callAction, openNode, SIMULATED_DATA, type OpenNode } from '../open-node.ts';
import type { DeliveryName, NodeShape } from './plan.ts';
import { SCRIPTED } from './scripted-function.ts';
import { SHAPER } from './scripted-shaper.ts';

/** Names of the simulated node's config. */
export const SIMULATED = {
  route: '/hooks',
  secret: 'a secret of the simulation',
  logFolder: `${SIMULATED_DATA}/log`,
} as const;

/** Where a delivery of the simulated node writes. */
export function destinationOf(delivery: DeliveryName, { isGzip, intervalSeconds }: NodeShape): object {
  return {
    ExtendedS3DestinationConfiguration: {
      BucketARN: `arn:aws:s3:::${bucketOf(delivery)}`,
      BufferingHints: { SizeInMBs: 1, IntervalInSeconds: intervalSeconds },
      CompressionFormat: isGzip ? 'GZIP' : 'UNCOMPRESSED',
    },
  };
}

/** The folder with what a delivery has written. */
export function folderOf(delivery: DeliveryName): string {
  return `${SIMULATED_DATA}/buckets/${bucketOf(delivery)}`;
}

function bucketOf(delivery: DeliveryName): string {
  return `${delivery}-bucket`;
}

/** The folder with the error output, and the backup, of the destination that fails. */
export const FAILING_FOLDER = `${SIMULATED_DATA}/buckets/failing-bucket`;

function failingDelivery({ retrySeconds, bufferSeconds, isBackedUp }: NonNullable<NodeShape['failing']>): object {
  const BufferingHints = { SizeInMBs: 1, IntervalInSeconds: bufferSeconds };
  const S3Configuration = { BucketARN: 'failing-bucket', BufferingHints };
  const Mode = isBackedUp ? 'all' : 'failed';
  return { from: 'main', [FAKE]: { RetrySeconds: retrySeconds, BufferSeconds: bufferSeconds, Mode, S3Configuration } };
}

/** The folder of the delivery whose records a function processes. */
export const SHAPED_FOLDER = `${SIMULATED_DATA}/buckets/shaped-bucket`;

function shapedDelivery({ retries, intervalSeconds, bufferSeconds }: NonNullable<NodeShape['shaping']>): object {
  const values = { LambdaArn: SHAPER, NumberOfRetries: retries, BufferIntervalInSeconds: intervalSeconds };
  const Parameters = Object.entries(values).map(([ParameterName, value]) => {
    return { ParameterName, ParameterValue: String(value) };
  });
  return {
    from: 'main',
    ExtendedS3DestinationConfiguration: {
      BucketARN: 'shaped-bucket',
      BufferingHints: { SizeInMBs: 1, IntervalInSeconds: bufferSeconds },
      ProcessingConfiguration: { Enabled: true, Processors: [{ Type: 'Lambda', Parameters }] },
    },
  };
}

function sections(shape: NodeShape): Readonly<Record<string, unknown>> {
  return {
    streams: { main: { ShardCount: shape.shardCount } },
    deliveries: {
      archive: { from: 'main', ...destinationOf('archive', shape) },
      direct: destinationOf('direct', shape),
      ...(shape.failing !== undefined && { failing: failingDelivery(shape.failing) }),
      ...(shape.shaping !== undefined && { shaped: shapedDelivery(shape.shaping) }),
      ...(shape.handler !== undefined && {
        handler: { from: 'main', function: { name: SCRIPTED, ...shape.handler } },
      }),
    },
    gateway: {
      routes: {
        [`POST ${SIMULATED.route}`]: {
          verify: { github: { secrets: [SIMULATED.secret] } },
          to: 'main',
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
    environment: Environment,
    shape: NodeShape,
    onFailure: (error: Error) => void,
    outside: Pick<NodeOptions, 'functions' | 'destinations'>,
  ): Promise<SimulatedNode> {
    const { segmentBytesMax, sync = 'always', reserveBytes, diskBytesMax, snapshotEvery } = shape;
    const sizes = {
      ...outside,
      log: {
        segmentBytesMax,
        sync,
        ...(reserveBytes !== undefined && { reserveBytes }),
        ...(diskBytesMax !== undefined && { diskBytesMax }),
      },
      ...(snapshotEvery !== undefined && { catalog: { snapshotEvery } }),
    };
    return new SimulatedNode(await openNode(environment, sections(shape), onFailure, sizes));
  }

  get health(): ReturnType<ComposedNode['health']> {
    return this.#open.node.health();
  }

  /** Calls an action as the wire does: checked input in, the answer's JSON out. */
  async call(target: string, input: unknown): Promise<unknown> {
    return await callAction(this.#open.node, target, input);
  }

  /** Begins a subscription, as a client does that leaves when `signal` aborts; its events. */
  async subscribe(input: unknown, signal: AbortSignal): Promise<AsyncIterable<OutgoingEvent>> {
    const target = 'Kinesis_20131202.SubscribeToShard';
    return ((await callAction(this.#open.node, target, input, signal)) as EventAnswer).events;
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
    return await route.handle(parameters, new URLSearchParams(), fakeRequest({}));
  }

  async close(): Promise<void> {
    await this.#open.close();
  }
}
