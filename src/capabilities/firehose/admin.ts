import { RequestError } from '../../kernel/errors.ts';
import { isMapping, parseJson } from '../../kernel/json.ts';
import { nameOfArn } from '../../kernel/names.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import { AdminBytes, type AdminRoute } from '../../ports/capability.ts';
import { DeliveryError } from '../../kernel/errors.ts';
import { waitingTarget, type DeliveryOptions } from './config.ts';
import { explainDelivery } from './explain.ts';
import { FUNCTION, functionTarget } from './function-options.ts';
import type { DeliveryStream, FirehoseState } from './model.ts';
import type { Sample } from './preview.ts';
import { recordFate } from './record-fate.ts';
import type { Replays } from './replays.ts';
import type { DeliveryStatus } from './workers/worker.ts';

const PREVIEW_BYTES_MAX = 1024 * 1024;

/** The admin routes of deliveries. */
export function deliveryRoutes(state: FirehoseState, replays: Replays): AdminRoute[] {
  const shown: Shown = { ...state, replays };
  return [
    {
      method: 'GET',
      path: '/admin/deliveries',
      doc: 'All deliveries, with those that wait for a destination.',
      handle: async () => ({ deliveries: all(shown) }),
    },
    {
      method: 'GET',
      path: '/admin/deliveries/{name}',
      doc: 'One delivery: how far it is in each shard, how full its buffer is, the last attempts, when the next comes.',
      handle: async ({ name = '' }) => await explained(shown, name),
    },
    {
      method: 'GET',
      path: '/admin/deliveries/{name}/records/{id}',
      doc: 'Where a record went, by its sequence number or RecordId: object and offset, request or document id.',
      handle: async ({ name = '', id = '' }) => await recordFate(state, known(state, name), id),
    },
    {
      method: 'POST',
      path: '/admin/deliveries/{name}/pause',
      doc: 'Delivers nothing any more until it is resumed, also after a restart.',
      handle: async ({ name = '' }) => {
        await state.deliveries.pause(known(state, name).name);
        return one(shown, name);
      },
    },
    {
      method: 'POST',
      path: '/admin/deliveries/{name}/resume',
      doc: 'Goes on where the delivery was paused.',
      handle: async ({ name = '' }) => {
        await state.deliveries.resume(known(state, name).name);
        return one(shown, name);
      },
    },
    {
      method: 'POST',
      path: '/admin/deliveries/{name}/flush',
      doc: 'Delivers what stands in the stream now, without waiting for size or interval.',
      handle: async ({ name = '' }, _query, { signal }) => await flush(shown, name, signal),
    },
    {
      method: 'POST',
      path: '/admin/deliveries/{name}/preview',
      doc:
        'What would become of sample records: what the function makes of them, keys and ids. Nothing is stored, no ' +
        'server is asked. The body: `{"records": [{"data": BASE64, "partitionKey": TEXT}]}`.',
      handle: async ({ name = '' }, _query, request) => {
        const samples = samplesOf(await request.readBody(PREVIEW_BYTES_MAX));
        return await state.deliveries.preview(known(state, name).name, samples, request.signal);
      },
    },
  ];
}

/** The admin routes of the buckets that deliveries fill. */
export function bucketRoutes(blobs: BlobStore): AdminRoute[] {
  return [
    {
      method: 'GET',
      path: '/admin/buckets/{bucket}',
      doc: 'Objects of a bucket by key: `prefix`, `after`, `limit` (1000).',
      query: { prefix: 'Of the keys.', after: 'A key: those behind it.', limit: 'Objects, from 1 to 1000; 1000.' },
      handle: async ({ bucket = '' }, query) => await list(blobs, bucket, query),
    },
    {
      method: 'GET',
      path: '/admin/buckets/{bucket}/objects/{key+}',
      doc: 'The bytes of an object as they are stored; its key may hold slashes.',
      answersBytes: true,
      handle: async ({ bucket = '', key = '' }) => await object(blobs, bucket, key),
    },
  ];
}

/** What a delivery is told of with. */
interface Shown extends FirehoseState {
  readonly replays: Replays;
}

function all(state: Shown): unknown[] {
  const { deliveries } = state;
  const waiting = [...deliveries.waiting].filter(([name]) => deliveries.get(name) === undefined);
  return [
    ...deliveries.list().map((delivery) => describe(state, delivery)),
    ...waiting.map(([name, options]) => describeWaiting(state, name, options)),
  ];
}

function one(state: Shown, name: string): unknown {
  const delivery = state.deliveries.get(name);
  if (delivery !== undefined) return describe(state, delivery);
  const waiting = state.deliveries.waiting.get(name);
  if (waiting !== undefined) return describeWaiting(state, name, waiting);
  throw notFound(name);
}

async function explained(state: Shown, name: string): Promise<unknown> {
  const delivery = state.deliveries.get(name);
  if (delivery === undefined) return one(state, name);
  return { ...(describe(state, delivery) as object), ...(await explainDelivery(state, delivery)) };
}

function known(state: FirehoseState, name: string): DeliveryStream {
  const delivery = state.deliveries.get(name);
  if (delivery === undefined) throw notFound(name);
  return delivery;
}

function notFound(name: string): RequestError {
  return new RequestError('NotFound', `no delivery ${name}`, 404);
}

function describe({ deliveries, replays }: Shown, delivery: DeliveryStream): unknown {
  const { name, from, target, version } = delivery;
  const status = deliveries.worker(name)?.status();
  const failure = status === undefined ? deliveries.lacks(target) : status.failure;
  const running = replays.running(name);
  return {
    name,
    state: stateOf(delivery, status),
    managed: deliveries.isNamed(name) ? 'file' : 'unmanaged',
    source: from ?? 'DirectPut',
    destination: target.kind,
    ...(target.kind === FUNCTION && { function: functionTarget(target.options).name }),
    version,
    objectsDelivered: status?.objects ?? 0,
    recordsDelivered: status?.records ?? 0,
    ...(status?.last !== undefined && { lastObject: status.last }),
    recordsFailed: status?.failed ?? 0,
    ...(status?.lost !== undefined && { recordsLost: status.lost }),
    ...(status?.duplicates !== undefined && { possibleDuplicates: status.duplicates }),
    ...(status?.unprocessedRecords !== undefined && { unprocessedRecords: status.unprocessedRecords }),
    recordsWaiting: status?.waitingRecords ?? 0,
    bytesWaiting: status?.waitingBytes ?? 0,
    ...(failure !== undefined && { failure }),
    ...(running.length > 0 && { replays: running }),
  };
}

function stateOf({ isPaused }: DeliveryStream, status: DeliveryStatus | undefined): string {
  if (status === undefined) return 'paused: not built';
  if (isPaused === true) return 'paused';
  return status.failure === undefined ? 'active' : 'retrying';
}

function describeWaiting({ deliveries }: FirehoseState, name: string, options: DeliveryOptions): unknown {
  const target = waitingTarget(options);
  const source = options.from === undefined ? 'DirectPut' : nameOfArn(options.from);
  const lacked = deliveries.lacks(target);
  return {
    name,
    state: 'paused: not built',
    managed: 'file',
    source,
    destination: target.kind,
    objectsDelivered: 0,
    ...(lacked !== undefined && { failure: lacked }),
  };
}

async function flush(state: Shown, name: string, signal: AbortSignal): Promise<unknown> {
  const worker = state.deliveries.worker(name);
  if (worker === undefined) throw notFound(name);
  if (state.deliveries.get(name)?.isPaused === true) {
    return { flushed: false, reason: `${name} is paused`, ...(one(state, name) as object) };
  }
  const isFlushed = await worker.flush(signal);
  return { flushed: isFlushed, ...(one(state, name) as object) };
}

async function list(blobs: BlobStore, bucket: string, query: URLSearchParams): Promise<unknown> {
  const limit = Number(query.get('limit') ?? '1000');
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
    throw new RequestError('BadRequest', 'limit is a whole number from 1 to 1000');
  }
  const prefix = query.get('prefix') ?? '';
  const objects = await refusable(blobs.list(bucket, { prefix, after: query.get('after') ?? '', limit }));
  return { objects: objects.map(({ key, sizeBytes }) => ({ key, sizeBytes, location: blobs.locate(bucket, key) })) };
}

async function object(blobs: BlobStore, bucket: string, key: string): Promise<AdminBytes> {
  const pieces = await refusable(blobs.get(bucket, key));
  if (pieces === undefined) throw new RequestError('NotFound', `no object ${key} in ${bucket}`, 404);
  return new AdminBytes(pieces);
}

/** What a bucket refuses for good is the caller's to mend, anything else may pass. */
async function refusable<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof DeliveryError)) throw error;
    throw new RequestError(error.retryable ? 'Unavailable' : 'BadRequest', error.message, error.retryable ? 503 : 400);
  }
}

/** Reads the body of a preview. RequestError BadRequest. */
function samplesOf(body: Uint8Array): readonly Sample[] {
  const wrong = (): RequestError =>
    new RequestError('BadRequest', 'the body is {"records": [{"data": BASE64, "partitionKey": TEXT}]}');
  const given = parseJson(body);
  const records = isMapping(given) ? given['records'] : undefined;
  if (!Array.isArray(records)) throw wrong();
  return records.map((record: unknown) => {
    const { data, partitionKey = 'sample' } = isMapping(record) ? record : {};
    if (typeof data !== 'string' || typeof partitionKey !== 'string') throw wrong();
    return { data: Buffer.from(data, 'base64'), partitionKey };
  });
}
