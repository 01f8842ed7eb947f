import { assert } from '../../kernel/assert.ts';
import { shardId } from '../../kernel/names.ts';
import { splitHashKeys } from '../../kernel/stream/hash-key.ts';
import type { Reshard, ShardInfo } from '../../ports/records.ts';
import type { ShardEntry } from './shard-entry.ts';

/** What a stream's entry says it is to become, until it is: shards by their ordinals, a hash key in decimal digits. */
export type ReshardIntent =
  | { readonly split: number; readonly at: string }
  | { readonly merge: number; readonly with: number }
  | { readonly to: number };

/** Parents that close together, and the children that open in their place. */
export interface Family {
  readonly parents: readonly ShardInfo[];
  readonly children: readonly ShardEntry[];
}

/** Most families of one step: what puts wait for, and what one command of the catalog carries. */
const FAMILIES_MAX = 16;

/** The shards that take the place of others; their ordinals are given later. */
type Cut = { readonly split: ShardInfo; readonly at: bigint } | { readonly merge: ShardInfo; readonly with: ShardInfo };

/** The intent of a change; undefined where a shard that it names is not open. Two that are merged are neighbours. */
export function intentOf(open: readonly ShardInfo[], change: Reshard): ReshardIntent | undefined {
  if ('to' in change) return { to: change.to };
  const find = (id: string): number | undefined => open.find((shard) => shard.id === id)?.ref.ordinal;
  if ('split' in change) {
    const split = find(change.split);
    return split === undefined ? undefined : { split, at: change.at.toString() };
  }
  const [merge, other] = [find(change.merge), find(change.with)];
  return merge === undefined || other === undefined ? undefined : { merge, with: other };
}

/** How many shards are open once the intent is carried out, of so many before. */
export function openAfter(open: number, intent: ReshardIntent | undefined): number {
  if (intent === undefined) return open;
  if ('to' in intent) return intent.to;
  return 'split' in intent ? open + 1 : open - 1;
}

/**
 * The next step of an intent, told from the open shards (by hash key) alone, so that a start goes on with the step that
 * a crash cut short: changing what this answers is changing what the catalog's bytes mean. Empty: nothing is left.
 */
export function nextFamilies(
  open: readonly ShardInfo[],
  intent: ReshardIntent,
  nextOrdinal: number,
): readonly Family[] {
  let ordinal = nextOrdinal;
  return nextCuts(open, intent).map((cut) => {
    const family = 'split' in cut ? splitOf(cut.split, cut.at, ordinal) : mergeOf(cut.merge, cut.with, ordinal);
    ordinal += family.children.length;
    return family;
  });
}

function nextCuts(open: readonly ShardInfo[], intent: ReshardIntent): readonly Cut[] {
  const find = (ordinal: number): ShardInfo | undefined => open.find(({ ref }) => ref.ordinal === ordinal);
  if ('split' in intent) {
    const split = find(intent.split);
    return split === undefined ? [] : [{ split, at: BigInt(intent.at) }];
  }
  if ('merge' in intent) {
    const [merge, other] = [find(intent.merge), find(intent.with)];
    return merge === undefined || other === undefined ? [] : [{ merge, with: other }];
  }
  const starts = splitHashKeys(intent.to).map(({ start }) => start);
  const cuts = missingBounds(open, starts);
  return cuts.length > 0 ? cuts : surplusBounds(open, new Set(starts));
}

/** First every wanted bound is cut: so every hash key has an owner at every moment. */
function missingBounds(open: readonly ShardInfo[], starts: readonly bigint[]): readonly Cut[] {
  const cuts: Cut[] = [];
  let wanted = 0;
  for (const shard of open) {
    while ((starts[wanted] ?? shard.endingHashKey + 1n) <= shard.startingHashKey) wanted += 1;
    const at = starts[wanted];
    if (at === undefined || cuts.length === FAMILIES_MAX) break;
    if (at <= shard.endingHashKey) cuts.push({ split: shard, at });
  }
  return cuts;
}

/** Then every other one is healed. */
function surplusBounds(open: readonly ShardInfo[], starts: ReadonlySet<bigint>): readonly Cut[] {
  const cuts: Cut[] = [];
  for (let index = 1; index < open.length && cuts.length < FAMILIES_MAX; index += 1) {
    const [low, high] = [open[index - 1] as ShardInfo, open[index] as ShardInfo];
    if (starts.has(high.startingHashKey)) continue;
    cuts.push({ merge: low, with: high });
    index += 1;
  }
  return cuts;
}

function splitOf(parent: ShardInfo, at: bigint, ordinal: number): Family {
  const child = { generation: parent.ref.generation, parentShardId: parent.id };
  const [startingHashKey, endingHashKey] = [parent.startingHashKey.toString(), parent.endingHashKey.toString()];
  return {
    parents: [parent],
    children: [
      { ...child, ordinal, startingHashKey, endingHashKey: (at - 1n).toString() },
      { ...child, ordinal: ordinal + 1, startingHashKey: at.toString(), endingHashKey },
    ],
  };
}

function mergeOf(one: ShardInfo, other: ShardInfo, ordinal: number): Family {
  const [low, high] = one.startingHashKey < other.startingHashKey ? [one, other] : [other, one];
  assert(low.endingHashKey + 1n === high.startingHashKey, 'shards that are merged are neighbours');
  return {
    parents: [one, other],
    children: [
      {
        generation: one.ref.generation,
        ordinal,
        startingHashKey: low.startingHashKey.toString(),
        endingHashKey: high.endingHashKey.toString(),
        parentShardId: shardId(one.ref.ordinal),
        adjacentParentShardId: shardId(other.ref.ordinal),
      },
    ],
  };
}
