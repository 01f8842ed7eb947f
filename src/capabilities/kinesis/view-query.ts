import { RequestError } from '../../kernel/errors.ts';
import { isoTime } from '../../kernel/iso-time.ts';
import { shardId } from '../../kernel/names.ts';
import { decodeSequenceNumber } from '../../kernel/stream/sequence-number.ts';
import type { AdminRequest, QueryParameters } from '../../ports/capability.ts';
import type { ShardInfo, StreamInfo } from '../../ports/records.ts';
import { findShard } from './address.ts';
import { kinesisLimits } from './limits.ts';
import type { KinesisState } from './model.ts';
import { numberedOffset } from './starting-point.ts';
import { openMark } from './view-mark.ts';
import { followed, inOrder, type Place, type Places, turnIfMany } from './view-places.ts';

/** What `readViewQuery` reads. */
export const viewParameters: QueryParameters = {
  from: 'TRIM_HORIZON, LATEST, a time or a sequence number; LATEST.',
  shard: 'The id of one; all shards.',
  after: 'A former `next`.',
  key: 'Only records of this partition key.',
  content: 'Only records with this text in their data.',
  limit: 'Records shown; 100.',
  scan: 'Records looked at.',
  waitMs: 'How long the first record is waited for.',
};

/** What a record must have to be shown. */
export interface Wanted {
  readonly key?: Buffer;
  /** Somewhere in its data. */
  readonly content?: Buffer;
}

/** What the viewer is asked for. */
export interface ViewQuery {
  readonly places: Places;
  /** Whether what was read to its end goes on in its children. */
  readonly isFollowed: boolean;
  readonly wanted: Wanted;
  /** Records shown, and records looked at. */
  readonly limit: number;
  readonly scanMax: number;
  readonly waitMs: number;
  readonly request: AdminRequest;
}

/** Reads the question; RequestError `BadRequest` for what cannot be asked. */
export async function readViewQuery(
  state: KinesisState,
  stream: StreamInfo,
  query: URLSearchParams,
  request: AdminRequest,
): Promise<ViewQuery> {
  const { viewerRecordsMax, viewerScanMax, viewerScanDefault, viewerWaitMsMax } = kinesisLimits;
  const after = query.get('after') ?? '';
  const key = query.get('key');
  const content = contentOf(query);
  const places = after === '' ? await start(state, stream, query) : resume(state, stream, after);
  const isFollowed = query.get('shard') === null;
  await turnIfMany(state, places);
  return {
    places: isFollowed ? followed(state, stream, places) : places,
    isFollowed,
    wanted: {
      ...(key !== null && { key: Buffer.from(key) }),
      ...(content !== undefined && { content }),
    },
    limit: number(query, 'limit', 100, viewerRecordsMax),
    scanMax: Math.max(1, number(query, 'scan', viewerScanDefault, viewerScanMax)),
    waitMs: number(query, 'waitMs', 0, viewerWaitMsMax),
    request,
  };
}

function contentOf(query: URLSearchParams): Buffer | undefined {
  const text = query.get('content');
  if (text === null) return undefined;
  const bytes = Buffer.from(text);
  const { viewerContentBytesMax } = kinesisLimits;
  if (bytes.length <= viewerContentBytesMax) return bytes;
  throw new RequestError('BadRequest', `content has at most ${viewerContentBytesMax} bytes, not ${bytes.length}`);
}

function number(query: URLSearchParams, name: string, standard: number, max: number): number {
  const text = query.get(name);
  if (text === null) return standard;
  if (!/^\d{1,9}$/.test(text)) throw new RequestError('BadRequest', `${name} is a whole number, not: ${text}`);
  return Math.min(Number(text), max);
}

/** A sequence number names its shard; every other place is one in all shards, or in the one that is named. */
async function start(state: KinesisState, stream: StreamInfo, query: URLSearchParams): Promise<Places> {
  const from = query.get('from') ?? 'LATEST';
  const id = query.get('shard');
  const named = id === null ? undefined : findShard(state, stream, id);
  if (/^\d{56}$/.test(from)) return numbered(state, stream, named, from);
  const isNamed = from === 'TRIM_HORIZON' || from === 'LATEST';
  const time = isNamed ? undefined : isoTime(from);
  if (!isNamed && time === undefined) {
    const rule = 'TRIM_HORIZON, LATEST, a sequence number or a time such as 2026-01-31T12:00:00Z';
    throw new RequestError('BadRequest', `from is ${rule}, not: ${from}`);
  }
  const places = new Map<ShardInfo, Place>();
  for (const shard of named === undefined ? stream.shards : [named]) {
    const bounds = state.records.bounds(shard);
    const offset = time === undefined ? undefined : await state.records.positionAt(shard, time);
    places.set(shard, { offset: offset ?? (from === 'TRIM_HORIZON' ? bounds.start : bounds.end), sub: 0 });
  }
  await turnIfMany(state, places);
  return inOrder(state, places);
}

function numbered(state: KinesisState, stream: StreamInfo, named: ShardInfo | undefined, from: string): Places {
  const decoded = decodeSequenceNumber(from);
  const shard = stream.shards.find(
    ({ ref }) => ref.generation === decoded?.generation && ref.ordinal === decoded.ordinal,
  );
  const offset = decoded && shard && numberedOffset(state, shard, decoded, 0n);
  if (shard === undefined || offset === undefined) {
    throw new RequestError('BadRequest', `from is no sequence number of this stream: ${from}`);
  }
  if (named !== undefined && named !== shard) {
    throw new RequestError('BadRequest', `from is a sequence number of ${shard.id}, not of ${named.id}`);
  }
  return new Map([[shard, { offset, sub: 0 }]]);
}

/** A former `next`: the first record not yet seen, for each shard. */
function resume(state: KinesisState, stream: StreamInfo, text: string): Places {
  const refused = new RequestError('BadRequest', `after is a former next of this stream, not: ${text.slice(0, 200)}`);
  const mark = openMark(text);
  if (mark === undefined || mark.generation !== stream.shards[0]?.ref.generation) throw refused;
  const places = new Map<ShardInfo, Place>();
  const known = new Map(stream.shards.map((shard) => [shard.ref.ordinal, shard]));
  for (const [ordinal, place] of mark.places) {
    const shard = known.get(ordinal) ?? findShard(state, stream, shardId(ordinal));
    if (place.offset > state.records.bounds(shard).end) throw refused;
    places.set(shard, place);
  }
  return places;
}
