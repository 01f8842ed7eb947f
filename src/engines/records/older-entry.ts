import { assert } from '../../kernel/assert.ts';
import type { Catalog, CatalogEntry, Json } from '../../ports/catalog.ts';
import type { ReshardIntent } from './reshard-plan.ts';
import { putShard, type ShardEntry } from './shard-entry.ts';
import { nameOfStream, type StreamEntry } from './stream-entry.ts';

/** Shards written by one command, so that no turn of the fold is long. */
const SHARDS_PER_COMMAND = 256;

/** A stream as commands up to version 2 have it: all its shards, and a reshard with what it closes and opens. */
type OlderEntry = Omit<StreamEntry, 'generation' | 'resharding'> & {
  readonly shards: readonly ShardEntry[];
  readonly resharding?: { readonly parents: readonly number[]; readonly children: readonly ShardEntry[] };
};

/** The shards that stand in the stream's own entry; undefined where they have entries of their own. */
export function shardsInside({ value }: CatalogEntry): readonly ShardEntry[] | undefined {
  return (value as unknown as Partial<OlderEntry>).shards;
}

/**
 * Gives each shard of an older entry one of its own. The stream's entry counts until it lets go of them, so a crash in
 * between leaves copies that the next start writes again. Rejects with Unavailable.
 */
export async function divideEntry(catalog: Catalog, key: string): Promise<void> {
  for (;;) {
    const entry = catalog.get(key);
    const shards = entry === undefined ? undefined : shardsInside(entry);
    if (entry === undefined || shards === undefined) return;
    for (let from = 0; from < shards.length; from += SHARDS_PER_COMMAND) {
      const some = shards.slice(from, from + SHARDS_PER_COMMAND);
      await catalog.propose(some.map((shard) => putShard(nameOfStream(key), shard)));
    }
    const put = divided(entry);
    if ((await catalog.propose([{ key, expect: entry.revision, put }])).accepted) return;
  }
}

function divided({ value }: CatalogEntry): Json {
  const { shards, resharding, ...stream } = value as unknown as OlderEntry;
  const [first] = shards;
  assert(first !== undefined, 'a stream has a shard');
  const intent = resharding === undefined ? undefined : intentOfOlder(resharding);
  const { generation } = first;
  return { ...stream, generation, ...(intent !== undefined && { resharding: intent }) };
}

function intentOfOlder({ parents, children }: NonNullable<OlderEntry['resharding']>): ReshardIntent {
  const [one, other] = parents;
  const [, high] = children;
  assert(one !== undefined, 'a reshard has a parent');
  if (other !== undefined) return { merge: one, with: other };
  assert(high !== undefined, 'a split has two children');
  return { split: one, at: high.startingHashKey };
}
