import { type ShardRef, shardKey } from '../../ports/stream-store.ts';
import { applyExtent } from './apply-extent.ts';
import { decodeDefinition } from './commit-encoder.ts';
import { damage, FLAG_DEFINE, FLAG_DROP } from './format.ts';
import type { FoundExtent } from './read-commit.ts';
import type { Segment } from './segment.ts';
import type { ShardState, ShardTable } from './shard-table.ts';

/** Takes an extent read back from disk into the table. Raises EIO when it contradicts what came before. */
export function foldExtent(table: ShardTable, segment: Segment, extent: FoundExtent): void {
  const { header, position } = extent;
  const { shard, flags, first, count, at } = header;
  table.reserve(shard);
  if ((flags & FLAG_DROP) !== 0) {
    const dropped = table.byId(shard);
    if (dropped !== undefined) table.drop(dropped);
    return;
  }
  const state = (flags & FLAG_DEFINE) !== 0 ? define(table, segment, extent) : table.byId(shard);
  if (state?.definedIn !== segment.number && (flags & FLAG_DEFINE) === 0) {
    throw damage(segment.path, position, `shard ${shard} is not defined in this segment`);
  }
  if (state === undefined || first !== state.end || (state.closed && count > 0)) {
    throw damage(segment.path, position, `record ${first} of shard ${shard} cannot follow what came before`);
  }
  state.lastAt = Math.max(state.lastAt, at);
  applyExtent(segment, { state, flags, first, count, at, position });
}

function define(table: ShardTable, segment: Segment, { header, position, payload }: FoundExtent): ShardState {
  const definition = decodeDefinition(payload);
  if (definition === undefined) throw damage(segment.path, position, 'the definition of a shard is too short');
  const { ref, start } = definition;
  const state = known(table, header.shard, ref) ?? table.define(header.shard, ref);
  if (shardKey(state.ref) !== shardKey(ref)) {
    throw damage(segment.path, position, `shard ${header.shard} is called ${shardKey(ref)} and ${shardKey(state.ref)}`);
  }
  if (header.first > state.end) {
    // Retention took the segments in between, and with them all that was older.
    state.end = header.first;
    state.advanceStart(header.first);
  }
  state.advanceStart(start);
  return state;
}

function known(table: ShardTable, id: number, ref: ShardRef): ShardState | undefined {
  return table.byId(id) ?? table.find(ref);
}
