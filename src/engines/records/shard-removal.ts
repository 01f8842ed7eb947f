import type { Catalog } from '../../ports/catalog.ts';
import type { ShardRef } from '../../ports/stream-store.ts';
import { shardsInside } from './older-entry.ts';
import { refOfShardKey, SHARD_PREFIX, shardEntryKey, shardsPrefix } from './shard-entry.ts';
import { STREAM_PREFIX, streamOf } from './stream-entry.ts';

/** Shards removed by one command, so that no turn of the fold is long. */
const SHARDS_PER_COMMAND = 256;

/** Takes shards out of the catalog. Rejects with Unavailable. */
export async function removeShards(catalog: Catalog, refs: readonly ShardRef[]): Promise<void> {
  for (let from = 0; from < refs.length; from += SHARDS_PER_COMMAND) {
    const some = refs.slice(from, from + SHARDS_PER_COMMAND);
    await catalog.propose(some.map((ref) => ({ key: shardEntryKey(ref), remove: true })));
  }
}

/** The shards that stand in the catalog for one generation of a stream. */
export function shardsOf(catalog: Catalog, stream: string, generation: number): readonly ShardRef[] {
  return catalog.list(shardsPrefix(stream, generation)).map(({ key }) => refOfShardKey(key));
}

/** Shards in the catalog that no stream has: a crash came between a stream's end and theirs. */
export function abandonedShards(catalog: Catalog): readonly ShardRef[] {
  return catalog
    .list(SHARD_PREFIX)
    .map(({ key }) => refOfShardKey(key))
    .filter(({ stream, generation }) => {
      const entry = catalog.get(STREAM_PREFIX + stream);
      if (entry === undefined) return true;
      // What an older entry has inside may be written beside it already.
      return shardsInside(entry) === undefined && streamOf(entry).generation !== generation;
    });
}
