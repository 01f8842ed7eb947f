import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { addressedStream, findShard } from '../address.ts';
import { kinesisError } from '../errors.ts';
import type { KinesisState } from '../model.ts';
import { refuseClosed, refuseOnDemand, reshard, reshardErrors } from '../resharding.ts';
import { shardId, streamArn, streamId, streamName, TARGET } from '../shapes.ts';

const input = s.struct({
  StreamName: s.optional(streamName),
  ShardToMerge: shardId,
  AdjacentShardToMerge: shardId,
  StreamARN: s.optional(streamArn),
  StreamId: s.optional(streamId),
});

/** Closes two neighbours and opens one that owns the hash keys of both. */
export const mergeShards = operation<KinesisState>()({
  name: 'MergeShards',
  target: TARGET,
  input,
  errors: reshardErrors,
  plane: 'control',
  doc: 'Closes two neighbouring shards and opens one that owns the hash keys of both: UPDATING until then.',
  async handle(request, { state }) {
    const stream = addressedStream(state, request);
    const one = findShard(state, stream, request.ShardToMerge);
    const other = findShard(state, stream, request.AdjacentShardToMerge);
    refuseOnDemand(state, stream);
    for (const shard of [one, other]) refuseClosed(state, stream, shard);
    const areNeighbours =
      one.endingHashKey + 1n === other.startingHashKey || other.endingHashKey + 1n === one.startingHashKey;
    if (!areNeighbours) {
      const sentence =
        `Shards ${one.id} and ${other.id} in stream ${stream.name} under account ${state.identity.account} are not ` +
        'an adjacent pair of shards eligible for merging';
      throw kinesisError('InvalidArgumentException', sentence);
    }
    await reshard(state, stream, { merge: one.id, with: other.id });
    return undefined;
  },
});
