import { nextTurn } from '../../kernel/flow/next-turn.ts';
import type { AdminRequest, AdminRoute } from '../../ports/capability.ts';
import { isOpen, type ShardInfo, type StreamInfo } from '../../ports/records.ts';
import type { Offset } from '../../ports/stream-store.ts';
import { findStream, onStream } from './address.ts';
import { kinesisLimits } from './limits.ts';
import type { KinesisState } from './model.ts';
import { ShardWaits } from './shard-waits.ts';
import { readViewQuery, viewParameters, type ViewQuery } from './view-query.ts';
import { viewAnswer } from './view-answer.ts';
import { turnIfMany } from './view-places.ts';
import { viewPage } from './viewing.ts';

/** The admin routes of streams: a list, one stream, and its records across all shards. */
export function streamRoutes(state: KinesisState): AdminRoute[] {
  const waits = new ShardWaits(state.records, state.environment.clock);
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
      doc:
        'Records of all shards, or of `shard`: `from` TRIM_HORIZON, LATEST, a time or a sequence number, or `after` ' +
        'a former `next`; `limit`; `waitMs` for the first one to come; only those with the partition `key`, or ' +
        'with `content` in their data; looks at no more than `scan` records for one page.',
      query: viewParameters,
      handle: async ({ name = '' }, query, request) => {
        const stream = findStream(state, name);
        return await onStream(state, stream, async () => await view(state, stream, query, request, waits));
      },
    },
  ];
}

function summary(state: KinesisState, stream: StreamInfo): unknown {
  const shards = stream.shards.map((shard) => {
    const { start, end, records } = state.records.bounds(shard);
    return { shardId: shard.id, records, oldest: start.toString(), end: end.toString(), open: isOpen(shard) };
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
  request: AdminRequest,
  waits: ShardWaits,
): Promise<unknown> {
  const { clock } = state.environment;
  const asked = await readViewQuery(state, stream, query, request);
  await turnIfMany(state, asked.places);
  if (asked.waitMs > 0) await waitForAny(state, asked, waits);
  await turnIfMany(state, asked.places);
  const page = await viewPage(state, stream, asked);
  return await viewAnswer(page, async () => await nextTurn(clock));
}

/** Woken by the first commit that reaches any shard, or after `waitMs`. */
async function waitForAny(
  state: KinesisState,
  { places, waitMs, request }: ViewQuery,
  waits: ShardWaits,
): Promise<void> {
  const { signal } = request;
  if (signal.aborted) return;
  // A shard that is over has nothing to wait for but its children, which no commit of it tells of.
  const open = new Map<ShardInfo, Offset>();
  for (const [shard, { offset }] of places) {
    const { end, closedAt = Infinity } = state.records.bounds(shard);
    if (offset < end) return;
    if (offset < closedAt) open.set(shard, end);
  }
  const isCrowded = waits.watching >= kinesisLimits.viewersWaitingMax;
  const ms = isCrowded || open.size < places.size ? Math.min(waitMs, kinesisLimits.viewerLookMs) : waitMs;
  const end = new AbortController();
  const leave = (): void => end.abort();
  signal.addEventListener('abort', leave, { once: true });
  const asleep = state.environment.clock.sleep(ms, end.signal);
  try {
    await Promise.race([...(isCrowded ? [] : [waits.any(open, end.signal)]), asleep]);
  } finally {
    leave();
    signal.removeEventListener('abort', leave);
  }
}
