import type { CommitExtent } from './commit-encoder.ts';
import { FLAG_CLOSED, FLAG_DEFINE, FLAG_DROP, FLAG_END } from './format.ts';
import type { Segment } from './segment.ts';

/** Takes a durable extent into the shard's state, its index and the segment's summary; wakes nobody. */
export function applyExtent(segment: Segment, extent: CommitExtent): void {
  const { state, flags, first, count, at } = extent;
  if ((flags & FLAG_DROP) !== 0) return;
  const end = count === 0 ? 0 : first + count;
  if (segment.note(state.id, end, at)) state.segmentCount += 1;
  if ((flags & FLAG_DEFINE) !== 0) state.definedIn = segment.number;
  if ((flags & (FLAG_END | FLAG_CLOSED)) !== 0) state.closed = true;
  if (count === 0) return;
  state.end = end;
  state.lastAt = at;
  state.index.add(first, at, segment.number, extent.position);
}
