import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { addressedStream } from '../address.ts';
import { kinesisError } from '../errors.ts';
import { kinesisLimits } from '../limits.ts';
import { checkQuota, overLimit, type KinesisState } from '../model.ts';
import { refuseBusy, refuseOnDemand, reshard, reshardErrors } from '../resharding.ts';
import { streamArn, streamId, streamName, TARGET } from '../shapes.ts';

const input = s.struct({
  StreamName: s.optional(streamName),
  TargetShardCount: s.integer({ min: 1 }),
  ScalingType: s.string({ values: ['UNIFORM_SCALING'] }),
  StreamARN: s.optional(streamArn),
  StreamId: s.optional(streamId),
});

const output = s.struct({
  StreamName: streamName,
  CurrentShardCount: s.integer({ min: 1 }),
  TargetShardCount: s.integer({ min: 1 }),
  StreamARN: streamArn,
});

/** Splits and merges until so many open shards share the hash keys evenly. */
export const updateShardCount = operation<KinesisState>()({
  name: 'UpdateShardCount',
  target: TARGET,
  input,
  output,
  errors: reshardErrors,
  plane: 'control',
  doc: 'Splits and merges until so many open shards share the hash keys evenly: UPDATING until then.',
  async handle(request, { state }) {
    const before = addressedStream(state, request);
    refuseOnDemand(state, before);
    const { TargetShardCount: target } = request;
    refuseBusy(state, before);
    checkTarget(before.shardCount, target, state);
    const stream = await reshard(state, before, { to: target });
    return {
      StreamName: stream.name,
      CurrentShardCount: before.shardCount,
      TargetShardCount: target,
      StreamARN: stream.arn,
    };
  },
});

function checkTarget(current: number, target: number, state: KinesisState): void {
  const refuse = (sentence: string): never => {
    throw kinesisError('InvalidArgumentException', sentence);
  };
  if (target > kinesisLimits.shardsPerStreamMax) {
    throw overLimit(state, 'shard', kinesisLimits.shardsPerStreamMax);
  }
  checkQuota(state, 'PROVISIONED', target - current);
  if (target === current) refuse(`The target shard count ${target} is the number of open shards already.`);
  if (target > current * 2) refuse('UpdateShardCount cannot scale up over double your current open shard count.');
  if (target < current / 2) refuse('UpdateShardCount cannot scale down below half your current open shard count.');
}
