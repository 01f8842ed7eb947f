import type { CommitExtent } from './commit-encoder.ts';
import { FLAG_CLOSED, FLAG_DEFINE, FLAG_DROP, FLAG_END } from './format.ts';
import type { Segment, Share } from './segment.ts';

/** Takes an extent into the segment's summary and index; the shard itself does not know of it yet. */
export function noteExtent(segment: Segment, extent: CommitExtent): Share {
  const { state, flags, first, count, at, position, bytes } = extent;
  const share = segment.shareOf(state);
  if ((flags & FLAG_DROP) !== 0) share.drop();
  if ((flags & (FLAG_END | FLAG_CLOSED)) !== 0) share.closed = true;
  if ((flags & FLAG_DEFINE) !== 0) {
    if (!share.hasRecords) share.before = first;
    share.start = state.start;
    share.gaps = state.gaps;
  }
  if (count === 0) return share;
  if (!share.hasRecords) {
    share.first = first;
    share.firstAt = at;
  }
  share.end = first + count;
  share.lastAt = at;
  share.bytes += bytes;
  segment.index?.add(state.id, first, at, position, bytes);
  return share;
}

/** The same, and the shard's list of what segments hold of it is kept up. */
export function listExtent(segment: Segment, extent: CommitExtent): void {
  const share = noteExtent(segment, extent);
  const { shares } = extent.state;
  if (share.hasRecords && shares.at(-1) !== share) shares.push(share);
}

/** All of that for an extent that became durable: its records can be read from now on. Wakes nobody. */
export function applyExtent(segment: Segment, extent: CommitExtent): void {
  listExtent(segment, extent);
  const { state, flags, first, count, at } = extent;
  if ((flags & FLAG_DROP) !== 0) {
    state.isDropWritten = true;
    return;
  }
  if ((flags & (FLAG_END | FLAG_CLOSED)) !== 0) state.closed = true;
  if (count === 0) return;
  state.end = first + count;
  state.lastAt = at;
}
