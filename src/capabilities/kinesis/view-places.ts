import { nextTurn } from '../../kernel/flow/next-turn.ts';
import type { ShardInfo, StreamInfo } from '../../ports/records.ts';
import type { Offset } from '../../ports/stream-store.ts';
import type { KinesisState } from './model.ts';

/** The first record not yet seen; `sub`: among those that it holds. */
export interface Place {
  readonly offset: Offset;
  readonly sub: number;
}

/** Where somebody who looks at several shards stands. */
export type Places = ReadonlyMap<ShardInfo, Place>;

/** After a step over so many shards others get their turn: it took a millisecond, and the next step takes another. */
const SHARDS_PER_TURN = 100;

/** Ends a step over all these places: others get their turn when there are many. */
export async function turnIfMany({ environment }: KinesisState, { size }: Places): Promise<void> {
  if (size > SHARDS_PER_TURN) await nextTurn(environment.clock);
}

/** Whether the shard takes no records any more, and all it has were seen. */
export function isOver(state: KinesisState, shard: ShardInfo, { offset }: Place): boolean {
  const { closedAt } = state.records.bounds(shard);
  return closedAt !== undefined && offset >= closedAt;
}

/** The places without those of children whose parents have something left: their turn comes when that was seen. */
export function inOrder(state: KinesisState, places: Places): Places {
  const left = Array.from(places).filter(([shard, place]) => !isOver(state, shard, place));
  const before = new Set(left.map(([{ id }]) => id));
  return new Map(Array.from(places).filter(([shard]) => !parents(shard).some((id) => before.has(id))));
}

/** The places with, in the stead of shards that are over, their children; a shard without any keeps its place. */
export function followed(state: KinesisState, { shards }: StreamInfo, places: Places): Places {
  const over = new Set<string>();
  for (const [shard, place] of places) if (isOver(state, shard, place)) over.add(shard.id);
  if (over.size === 0) return places;
  const heirs = shards.filter((shard) => parents(shard).some((id) => over.has(id)));
  const replaced = new Set(heirs.flatMap(parents).filter((id) => over.has(id)));
  const next = new Map(Array.from(places).filter(([{ id }]) => !replaced.has(id)));
  const waiting = new Set(Array.from(next.keys(), ({ id }) => id));
  const known = new Set(Array.from(places.keys(), ({ id }) => id));
  for (const heir of heirs) {
    if (known.has(heir.id) || parents(heir).some((id) => waiting.has(id))) continue;
    next.set(heir, { offset: state.records.bounds(heir).start, sub: 0 });
  }
  return next;
}

function parents({ parentShardId, adjacentParentShardId }: ShardInfo): readonly string[] {
  return [parentShardId, adjacentParentShardId].filter((id) => id !== undefined);
}
