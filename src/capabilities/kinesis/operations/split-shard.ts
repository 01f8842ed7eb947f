import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { addressedStream, findShard } from '../address.ts';
import { kinesisError } from '../errors.ts';
import { checkQuota, type KinesisState } from '../model.ts';
import { refuseClosed, refuseOnDemand, reshard, reshardErrors } from '../resharding.ts';
import { hashKey, shardId, streamArn, streamId, streamName, TARGET } from '../shapes.ts';

const input = s.struct({
  StreamName: s.optional(streamName),
  ShardToSplit: shardId,
  NewStartingHashKey: hashKey,
  StreamARN: s.optional(streamArn),
  StreamId: s.optional(streamId),
});

/** Closes a shard and opens two that share its hash keys. */
export const splitShard = operation<KinesisState>()({
  name: 'SplitShard',
  target: TARGET,
  input,
  errors: reshardErrors,
  plane: 'control',
  doc: 'Closes a shard and opens two that share its hash keys: UPDATING until then.',
  async handle(request, { state }) {
    const stream = addressedStream(state, request);
    const shard = findShard(state, stream, request.ShardToSplit);
    refuseOnDemand(state, stream);
    refuseClosed(state, stream, shard);
    checkQuota(state, 'PROVISIONED', 1);
    const at = BigInt(request.NewStartingHashKey);
    const { startingHashKey: start, endingHashKey: end } = shard;
    if (at <= start + 1n || at >= end) {
      const sentence =
        `NewStartingHashKey ${at} used in SplitShard() on shard ${shard.id} in stream ${stream.name} under account ` +
        `${state.identity.account} is not both greater than one plus the shard's StartingHashKey ${start} and less ` +
        `than the shard's EndingHashKey ${end - 1n}.`;
      throw kinesisError('InvalidArgumentException', sentence);
    }
    await reshard(state, stream, { split: shard.id, at });
    return undefined;
  },
});
