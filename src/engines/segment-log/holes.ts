import { shardName } from './damage-sentences.ts';
import { damage } from './format.ts';
import type { Segment } from './segment.ts';
import type { ShardState, ShardTable } from './shard-table.ts';

/** Records of a shard that no file holds, and the file in front of which they are missing, or behind which. */
interface Hole {
  readonly state: ShardState;
  readonly from: number;
  readonly to: number;
  readonly segment: Segment;
  readonly where: 'in front of' | 'behind';
}

/**
 * Looks for records that stand in no file, between records that do. Where starts are known to be written before a file
 * goes (`areStartsKept`), they are missing, and the sentences say so: what is older stays. Otherwise they were removed
 * because they were old, and what is older is needed no more. Holes in damaged places were said already, and stay.
 */
export function closeHoles(table: ShardTable, areStartsKept: boolean): string[] {
  const found: Hole[] = [];
  for (const state of table.all()) {
    if (state.dropped) continue;
    const holes = holesOf(table, state);
    if (areStartsKept) found.push(...holes);
    else if (holes[0] !== undefined) forgetBefore(state, holes[0].to);
  }
  return sentences(found);
}

/** Newest first. */
function holesOf({ damage: { places } }: ShardTable, state: ShardState): Hole[] {
  const { shares } = state;
  const holes: Hole[] = [];
  for (let index = shares.length; index > 0; index -= 1) {
    const last = shares[index - 1];
    const next = shares[index];
    if (last === undefined || last.segment === next?.segment) continue;
    const from = state.past(Math.max(last.end, state.start));
    const to = next?.first ?? state.end;
    const isSaid = (next?.segment.damagesAfter ?? places) > last.segment.damagesBefore;
    if (from >= to || isSaid) continue;
    const place = next === undefined ? ({ where: 'behind', segment: last.segment } as const) : undefined;
    holes.push({ state, from, to, ...(place ?? { where: 'in front of', segment: next?.segment ?? last.segment }) });
  }
  return holes;
}

function forgetBefore(state: ShardState, offset: number): void {
  const kept = state.shares.filter(({ first }) => first >= offset);
  state.shares.splice(0, state.shares.length, ...kept);
  state.start = Math.max(state.start, state.before(offset));
}

/** One for each place where files are missing, however many shards had records there. */
function sentences(holes: readonly Hole[]): string[] {
  const places = new Map<string, Hole[]>();
  for (const hole of holes) {
    const place = `${hole.where} ${hole.segment.number}`;
    places.set(place, [...(places.get(place) ?? []), hole]);
  }
  return Array.from(places.values(), (there) => {
    const [{ state, from, to, segment, where }] = there as [Hole];
    const records = there.reduce((sum, hole) => sum + hole.state.numbersBetween(hole.from, hole.to), 0);
    const what = `a file is missing ${where} it, with ${records} records of ${there.length} shards, `;
    const among = `among them ${from} to ${to - 1} of ${shardName(state.ref)}`;
    return damage(segment.path, where === 'behind' ? segment.end : 0, what + among).message;
  });
}
