import { RequestError } from '../../kernel/errors.ts';
import { decodeSequenceNumber, sequenceNumberEncoder } from '../../kernel/stream/sequence-number.ts';
import type { AdminRoute } from '../../ports/capability.ts';
import type { ShardInfo, StreamInfo } from '../../ports/records.ts';
import type { Offset } from '../../ports/stream-store.ts';
import { findShard, findStream, onStream } from './address.ts';
import { kinesisLimits } from './limits.ts';
import type { KinesisState } from './model.ts';

/** One record as the viewer shows it; `data` is base64, `arrival` ISO 8601 in UTC. */
interface ViewedRecord {
  readonly shardId: string;
  readonly sequenceNumber: string;
  readonly partitionKey: string;
  readonly arrival: string;
  readonly data: string;
}

type Cursor = Map<ShardInfo, Offset>;

/** The admin routes of streams: a list, one stream, and its records across all shards. */
export function streamRoutes(state: KinesisState): AdminRoute[] {
  return [
    {
      method: 'GET',
      path: '/admin/streams',
      doc: 'All streams.',
      handle: async () => ({ streams: state.records.list().map((stream) => summary(state, stream)) }),
    },
    {
      method: 'GET',
      path: '/admin/streams/{name}',
      doc: 'One stream with its shards.',
      handle: async ({ name = '' }) => summary(state, findStream(state, name)),
    },
    {
      method: 'GET',
      path: '/admin/streams/{name}/records',
      doc: 'Records of all shards: `from` TRIM_HORIZON, LATEST or a time; `after` a former `next`; `limit`; `waitMs`.',
      handle: async ({ name = '' }, query, signal) => {
        const stream = findStream(state, name);
        return await onStream(state, stream, async () => await view(state, stream, query, signal));
      },
    },
  ];
}

function summary(state: KinesisState, stream: StreamInfo): unknown {
  const shards = stream.shards.map((shard) => {
    const { start, end } = state.records.bounds(shard);
    return { shardId: shard.id, records: Number(end - start), oldest: start.toString(), end: end.toString() };
  });
  return {
    name: stream.name,
    arn: stream.arn,
    mode: stream.mode,
    managed: state.named.has(stream.name) ? 'file' : 'unmanaged',
    retentionHours: stream.retentionMs / kinesisLimits.hourMs,
    createdAt: new Date(stream.createdAt).toISOString(),
    records: shards.reduce((sum, { records }) => sum + records, 0),
    shards,
  };
}

async function view(
  state: KinesisState,
  stream: StreamInfo,
  query: URLSearchParams,
  signal: AbortSignal,
): Promise<unknown> {
  const limit = number(query, 'limit', 100, kinesisLimits.viewerRecordsMax);
  const waitMs = number(query, 'waitMs', 0, kinesisLimits.viewerWaitMsMax);
  const after = query.get('after');
  const cursor =
    after === null || after === '' ? await start(state, stream, query.get('from')) : resume(state, stream, after);
  if (waitMs > 0) await waitForAny(state, cursor, waitMs, signal);
  const records: ViewedRecord[] = [];
  for (const [shard, from] of Array.from(cursor)) {
    if (records.length >= limit) break;
    const room = { records: limit - records.length, bytes: kinesisLimits.viewerBytesMax / stream.shards.length };
    const slice = await state.records.read(stream, shard, from, room);
    const sequenceNumber = sequenceNumberEncoder(shard.ref);
    for (const { offset, at, key, data } of slice.records) {
      records.push({
        shardId: shard.id,
        sequenceNumber: sequenceNumber(offset),
        partitionKey: Buffer.from(key).toString(),
        arrival: new Date(at).toISOString(),
        data: Buffer.from(data).toString('base64'),
      });
    }
    // Shards that were read go to the end, so that a busy one leaves room for the others.
    cursor.delete(shard);
    cursor.set(shard, slice.next);
  }
  const next = [...cursor].map(([shard, from]) => `${shard.id}:${sequenceNumberEncoder(shard.ref)(from)}`).join(',');
  return { records: records.sort((a, b) => (a.arrival < b.arrival ? -1 : a.arrival > b.arrival ? 1 : 0)), next };
}

function number(query: URLSearchParams, name: string, standard: number, max: number): number {
  const text = query.get(name);
  if (text === null) return standard;
  if (!/^\d{1,9}$/.test(text)) throw new RequestError('BadRequest', `${name} is a whole number, not: ${text}`);
  return Math.min(Number(text), max);
}

async function start(state: KinesisState, stream: StreamInfo, from: string | null): Promise<Cursor> {
  const cursor: Cursor = new Map();
  const time = from === null || from === 'TRIM_HORIZON' || from === 'LATEST' ? undefined : Date.parse(from);
  if (Number.isNaN(time)) {
    throw new RequestError(
      'BadRequest',
      `from is TRIM_HORIZON, LATEST or a time such as 2026-01-31T12:00:00Z, not: ${from}`,
    );
  }
  for (const shard of stream.shards) {
    const bounds = state.records.bounds(shard);
    if (time !== undefined) cursor.set(shard, await state.records.positionAt(shard, time));
    else cursor.set(shard, from === 'TRIM_HORIZON' ? bounds.start : bounds.end);
  }
  return cursor;
}

/** A former `next`: `shardId:sequenceNumber` of the first record not yet seen, for each shard. */
function resume(state: KinesisState, stream: StreamInfo, text: string): Cursor {
  const cursor: Cursor = new Map();
  for (const part of text.split(',')) {
    const [id = '', sequenceNumber = ''] = part.split(':');
    const shard = findShard(state, stream, id);
    const decoded = decodeSequenceNumber(sequenceNumber);
    if (decoded === undefined || decoded.generation !== shard.ref.generation || decoded.ordinal !== shard.ref.ordinal) {
      throw new RequestError('BadRequest', `after is a former next of this stream, not: ${part}`);
    }
    cursor.set(shard, decoded.offset);
  }
  return cursor;
}

/** Woken by the first commit that reaches any shard, or after `waitMs`. */
async function waitForAny(state: KinesisState, cursor: Cursor, waitMs: number, signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  const end = (): void => stop.abort();
  if (signal.aborted) return;
  signal.addEventListener('abort', end, { once: true });
  const waits = [...cursor].map(async ([shard, from]) => await state.records.waitForMore(shard, from, stop.signal));
  await Promise.race([...waits, state.environment.clock.sleep(waitMs, stop.signal)]);
  stop.abort();
  signal.removeEventListener('abort', end);
}
