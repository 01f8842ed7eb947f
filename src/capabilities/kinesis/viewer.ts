import type { AdminRoute } from '../../ports/capability.ts';
import { isOpen, type StreamInfo } from '../../ports/records.ts';
import { findStream, onStream } from './address.ts';
import { kinesisLimits } from './limits.ts';
import type { KinesisState } from './model.ts';
import { isOver } from './view-places.ts';
import { readViewQuery, type ViewQuery } from './view-query.ts';
import { viewPage } from './viewing.ts';

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
      doc:
        'Records of all shards, or of `shard`: `from` TRIM_HORIZON, LATEST, a time or a sequence number, or `after` ' +
        'a former `next`; `limit`; `waitMs` for the first one to come; only those with the partition `key`, or ' +
        'with `content` in their data; looks at no more than `scan` records for one page.',
      handle: async ({ name = '' }, query, signal) => {
        const stream = findStream(state, name);
        return await onStream(state, stream, async () => await view(state, stream, query, signal));
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
  signal: AbortSignal,
): Promise<unknown> {
  const asked = await readViewQuery(state, stream, query, signal);
  if (asked.waitMs > 0) await waitForAny(state, asked);
  return await viewPage(state, stream, asked);
}

/** Woken by the first commit that reaches any shard, or after `waitMs`. */
async function waitForAny(state: KinesisState, { places, waitMs, signal }: ViewQuery): Promise<void> {
  if (signal.aborted) return;
  // A shard that is over has nothing to wait for but its children, which no commit of it tells of.
  const open = Array.from(places).filter(([shard, place]) => !isOver(state, shard, place));
  const ms = open.length < places.size ? Math.min(waitMs, kinesisLimits.viewerChildrenMs) : waitMs;
  // One signal for each shard: the platform warns of one that many wait for.
  const ends = Array.from({ length: open.length + 1 }, () => new AbortController());
  const end = (): void => {
    for (const one of ends) one.abort();
  };
  signal.addEventListener('abort', end, { once: true });
  const [asleep, ...waiting] = ends.map((one) => one.signal) as [AbortSignal, ...AbortSignal[]];
  const waits = open.map(async ([shard, { offset }], index) => {
    await state.records.waitForMore(shard, offset, waiting[index] as AbortSignal);
  });
  await Promise.race([...waits, state.environment.clock.sleep(ms, asleep)]);
  end();
  signal.removeEventListener('abort', end);
}
