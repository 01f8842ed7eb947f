import { kinesis, listShards, whenActive } from './kinesis.ts';

const OPEN_SHARDS_MAX = 5;

/** Splits one of few shards, merges two of many, or halves their count: whatever chance says. */
export async function reshardOnce(api: string, stream: string): Promise<void> {
  await whenActive(api, stream);
  const open = (await listShards(api, stream))
    .filter(({ SequenceNumberRange }) => SequenceNumberRange.EndingSequenceNumber === undefined)
    .map(({ ShardId, HashKeyRange }) => ({
      id: ShardId,
      first: BigInt(HashKeyRange.StartingHashKey),
      last: BigInt(HashKeyRange.EndingHashKey),
    }))
    .sort((a, b) => (a.first < b.first ? -1 : 1));
  const chosen = Math.floor(Math.random() * (open.length - 1));
  const [shard, neighbour] = [open[chosen], open[chosen + 1]];
  if (shard === undefined) return;
  const few = open.length < OPEN_SHARDS_MAX;
  if (few && Math.random() < 0.1) {
    const count = { StreamName: stream, TargetShardCount: Math.max(1, Math.ceil(open.length / 2)) };
    await kinesis(api, 'UpdateShardCount', { ...count, ScalingType: 'UNIFORM_SCALING' });
  } else if (few && shard.last - shard.first > 1000n) {
    const middle = (shard.first + shard.last) / 2n;
    const split = { StreamName: stream, ShardToSplit: shard.id, NewStartingHashKey: String(middle) };
    await kinesis(api, 'SplitShard', split);
  } else if (neighbour !== undefined) {
    const merge = { StreamName: stream, ShardToMerge: shard.id, AdjacentShardToMerge: neighbour.id };
    await kinesis(api, 'MergeShards', merge);
  }
}
