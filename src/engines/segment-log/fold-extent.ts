import { type ShardRef, shardKey } from '../../ports/stream-store.ts';
import { shardName, wrongRecords } from './damage-sentences.ts';
import { listExtent } from './apply-extent.ts';
import { decodeDefinition } from './definition.ts';
import type { Footer, FooterShare } from './footer.ts';
import { EXTENT_HEADER_BYTES, FLAG_CLOSED, FLAG_DEFINE, FLAG_DROP, FLAG_END } from './format.ts';
import type { FoundExtent } from './read-commit.ts';
import type { Segment } from './segment.ts';
import type { ShardState, ShardTable } from './shard-table.ts';

/** Told of each place that does not fit what came before. */
export type Damaged = (position: number, what: string) => void;

/** Takes an extent read back from disk into the table and the segment's summary. */
export function foldExtent(table: ShardTable, segment: Segment, extent: FoundExtent, damaged: Damaged): void {
  const { header, position, isWhole } = extent;
  const { shard, flags, first, count, at } = header;
  table.reserve(shard);
  if ((flags & FLAG_DROP) !== 0) return foldDrop(table, segment, shard);
  const isDefinition = (flags & FLAG_DEFINE) !== 0;
  if (isDefinition && !isWhole) return damaged(position, 'the definition of a shard does not match its checksum');
  const state = isDefinition ? define(table, segment, extent, damaged) : table.byId(shard);
  if (state === undefined) return damaged(position, `the file does not say which shard number ${shard} is`);
  if (first < state.end || (state.closed && count > 0)) {
    return damaged(position, `record ${first} of ${shardName(state.ref)} cannot follow what came before`);
  }
  state.end = Math.max(state.end, first);
  if (!isWhole) damaged(position, wrongRecords(state.ref, first, count));
  const bytes = EXTENT_HEADER_BYTES + header.payloadBytes;
  listExtent(segment, { state, flags, first, count, at, position, bytes });
  if ((flags & (FLAG_END | FLAG_CLOSED)) !== 0) state.closed = true;
  state.end = Math.max(state.end, first + count);
  state.lastAt = Math.max(state.lastAt, at);
  return undefined;
}

/** Whether files in front of an extent went further than it does: it says nothing new. */
export function isKnown(table: ShardTable, { header }: FoundExtent): boolean {
  const { shard, first, count } = header;
  return first + Math.max(count, 1) <= (table.byId(shard)?.end ?? 0);
}

function foldDrop(table: ShardTable, segment: Segment, shard: number): void {
  const state = table.byId(shard) ?? table.define(shard, { stream: '', generation: 0, ordinal: shard });
  segment.shareOf(state).drop();
  forget(table, state);
}

/** The log says that the shard was dropped. */
function forget(table: ShardTable, state: ShardState): void {
  table.drop(state);
  state.isDropWritten = true;
}

function define(
  table: ShardTable,
  segment: Segment,
  { header, position, payload }: FoundExtent,
  damaged: Damaged,
): ShardState | undefined {
  const definition = decodeDefinition(payload, segment.version);
  if (definition === undefined) {
    damaged(position, 'the definition of a shard is too short');
    return undefined;
  }
  const { ref, start, gaps } = definition;
  const state = known(table, header.shard, ref) ?? table.define(header.shard, ref);
  if (shardKey(state.ref) !== shardKey(ref)) {
    damaged(position, `number ${header.shard} stands for ${shardName(ref)} and for ${shardName(state.ref)}`);
    return undefined;
  }
  state.gaps = gaps;
  hearOf(state, segment, table.damage.lostBytes);
  // Without anything older, retention took all that was before.
  if (state.shares.length === 0) state.end = Math.max(state.end, header.first);
  // Where the file with its last records is gone the shard still ends where the definition stands.
  state.start = Math.max(state.start, Math.min(start, Math.max(state.end, header.first)));
  return state;
}

/** A file that is no settled one says where the shard stood when it was begun. */
function hearOf(state: ShardState, { isSettled, epoch }: Segment, lostBytes: number): void {
  if (isSettled) return;
  state.lostBefore = lostBytes;
  state.toldIn = epoch;
}

function known(table: ShardTable, id: number, ref: ShardRef): ShardState | undefined {
  return table.byId(id) ?? table.find(ref);
}

/** The same for all that a sealed segment's footer says. */
export function foldFooter(table: ShardTable, segment: Segment, footer: Footer): void {
  for (const share of footer.shares) foldShare(table, segment, share);
}

/** Whether a footer tells of records that files in front of it hold: to believe it would be to serve them twice. */
export function repeatsRecords(table: ShardTable, { shares }: Footer): boolean {
  return shares.some(({ shard, ref, first, end }) => end > first && first < (known(table, shard, ref)?.end ?? 0));
}

function foldShare(table: ShardTable, segment: Segment, found: FooterShare): void {
  table.reserve(found.shard);
  const state = known(table, found.shard, found.ref) ?? table.define(found.shard, found.ref);
  const share = segment.shareOf(state);
  const { shard: _, ref: __, dropped, ...told } = found;
  const { closed, start, before, end, lastAt } = Object.assign(share, told);
  state.gaps = found.gaps;
  hearOf(state, segment, table.damage.lostBytes);
  if (dropped) {
    share.drop();
    return forget(table, state);
  }
  if (share.hasRecords) {
    state.shares.push(share);
  }
  if (closed) state.closed = true;
  state.end = Math.max(state.end, end, before);
  state.lastAt = Math.max(state.lastAt, lastAt);
  state.start = Math.max(state.start, Math.min(start, state.end));
  return undefined;
}
