import type { CommitExtent } from './commit-encoder.ts';
import { FLAG_CLOSED, FLAG_DEFINE, FLAG_DROP, FLAG_END } from './format.ts';
import type { Segment } from './segment.ts';

/** Takes an extent that is on disk into the segment's summary and index and the shard's list; moves no end. */
export function noteExtent(segment: Segment, extent: CommitExtent): void {
  const { state, flags, first, count, at, position, bytes } = extent;
  const share = segment.shareOf(state);
  if ((flags & FLAG_DROP) !== 0) share.dropped = true;
  if ((flags & (FLAG_END | FLAG_CLOSED)) !== 0) share.closed = true;
  if ((flags & FLAG_DEFINE) !== 0) {
    share.before = first;
    share.start = state.start;
    share.gaps = state.gaps;
  }
  if (count === 0) return;
  if (!share.hasRecords) {
    share.first = first;
    share.firstAt = at;
    state.shares.push(share);
  }
  share.end = first + count;
  share.lastAt = at;
  share.bytes += bytes;
  segment.index?.add(state.id, first, at, position, bytes);
}

/** The same for an extent that became durable: its records can be read from now on. Wakes nobody. */
export function applyExtent(segment: Segment, extent: CommitExtent): void {
  noteExtent(segment, extent);
  const { state, flags, first, count, at } = extent;
  if ((flags & FLAG_DROP) !== 0) return;
  if ((flags & (FLAG_END | FLAG_CLOSED)) !== 0) state.closed = true;
  if (count === 0) return;
  state.end = first + count;
  state.lastAt = at;
}
