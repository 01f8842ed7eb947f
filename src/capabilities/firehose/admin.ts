import { RequestError } from '../../kernel/errors.ts';
import { nameOfArn } from '../../kernel/names.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { AdminRoute } from '../../ports/capability.ts';
import { DeliveryError } from '../../kernel/errors.ts';
import type { DeliveryOptions } from './config.ts';
import { FUNCTION, functionTarget } from './function-options.ts';
import type { DeliveryStream, FirehoseState } from './model.ts';

/** The admin routes of deliveries and of the buckets they fill. */
export function deliveryRoutes(state: FirehoseState, blobs: BlobStore): AdminRoute[] {
  return [
    {
      method: 'GET',
      path: '/admin/deliveries',
      doc: 'All deliveries, with those that wait for a destination.',
      handle: async () => ({ deliveries: all(state) }),
    },
    {
      method: 'GET',
      path: '/admin/deliveries/{name}',
      doc: 'One delivery: how far it is, and what keeps it.',
      handle: async ({ name = '' }) => one(state, name),
    },
    {
      method: 'POST',
      path: '/admin/deliveries/{name}/flush',
      doc: 'Delivers what stands in the stream now, without waiting for size or interval.',
      handle: async ({ name = '' }, _query, { signal }) => await flush(state, name, signal),
    },
    {
      method: 'GET',
      path: '/admin/buckets/{bucket}',
      doc: 'Objects of a bucket by key: `prefix`, `after`, `limit` (1000).',
      handle: async ({ bucket = '' }, query) => await list(blobs, bucket, query),
    },
  ];
}

function all(state: FirehoseState): unknown[] {
  const { deliveries } = state;
  const waiting = [...deliveries.waiting].filter(([name]) => deliveries.get(name) === undefined);
  return [
    ...deliveries.list().map((delivery) => describe(state, delivery)),
    ...waiting.map(([name, options]) => describeWaiting(name, options)),
  ];
}

function one(state: FirehoseState, name: string): unknown {
  const delivery = state.deliveries.get(name);
  if (delivery !== undefined) return describe(state, delivery);
  const waiting = state.deliveries.waiting.get(name);
  if (waiting !== undefined) return describeWaiting(name, waiting);
  throw notFound(name);
}

function notFound(name: string): RequestError {
  return new RequestError('NotFound', `no delivery ${name}`, 404);
}

function describe({ deliveries }: FirehoseState, delivery: DeliveryStream): unknown {
  const { name, from, target, version } = delivery;
  const status = deliveries.worker(name)?.status();
  const state = status === undefined ? 'paused: not built' : status.failure === undefined ? 'active' : 'retrying';
  return {
    name,
    state,
    managed: deliveries.isNamed(name) ? 'file' : 'unmanaged',
    source: from ?? 'DirectPut',
    destination: target.kind,
    ...(target.kind === FUNCTION && { function: functionTarget(target.options).name }),
    version,
    objectsDelivered: status?.objects ?? 0,
    recordsDelivered: status?.records ?? 0,
    ...(status?.last !== undefined && { lastObject: status.last }),
    ...(target.kind === FUNCTION && { recordsFailed: status?.failed ?? 0 }),
    recordsWaiting: status?.waitingRecords ?? 0,
    bytesWaiting: status?.waitingBytes ?? 0,
    ...(status?.failure !== undefined && { failure: status.failure }),
  };
}

function describeWaiting(name: string, options: DeliveryOptions): unknown {
  const destination = Object.keys(options).find((key) => key !== 'from' && key !== 'startAt');
  const source = options.from === undefined ? 'DirectPut' : nameOfArn(options.from);
  return { name, state: 'paused: not built', managed: 'file', source, destination, objectsDelivered: 0 };
}

async function flush(state: FirehoseState, name: string, signal: AbortSignal): Promise<unknown> {
  const worker = state.deliveries.worker(name);
  if (worker === undefined) throw notFound(name);
  const isFlushed = await worker.flush(signal);
  return { flushed: isFlushed, ...(one(state, name) as object) };
}

async function list(blobs: BlobStore, bucket: string, query: URLSearchParams): Promise<unknown> {
  const limit = Number(query.get('limit') ?? '1000');
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
    throw new RequestError('BadRequest', 'limit is a whole number from 1 to 1000');
  }
  try {
    const prefix = query.get('prefix') ?? '';
    const objects = await blobs.list(bucket, { prefix, after: query.get('after') ?? '', limit });
    return { objects: objects.map(({ key, sizeBytes }) => ({ key, sizeBytes, location: blobs.locate(bucket, key) })) };
  } catch (error) {
    if (error instanceof DeliveryError && !error.retryable) throw new RequestError('BadRequest', error.message);
    throw error;
  }
}
