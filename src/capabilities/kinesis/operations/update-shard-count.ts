import * as s from '../../../kernel/schema/declare.ts';
import { splitHashKeys } from '../../../kernel/stream/hash-key.ts';
import { operation } from '../../../ports/operation.ts';
import { isOpen, type Reshard, type StreamInfo } from '../../../ports/records.ts';
import { addressedStream } from '../address.ts';
import { kinesisError } from '../errors.ts';
import { kinesisLimits } from '../limits.ts';
import { checkQuota, overLimit, type KinesisState } from '../model.ts';
import { refuseOnDemand, reshard, reshardErrors } from '../resharding.ts';
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
  doc: 'Splits and merges until so many open shards share the hash keys evenly; done when the answer comes.',
  async handle(request, { state }) {
    const before = addressedStream(state, request);
    refuseOnDemand(state, before);
    const { TargetShardCount: target } = request;
    checkTarget(before.shardCount, target, state);
    const starts = new Set(splitHashKeys(target).map(({ start }) => start));
    let stream = before;
    for (let step = nextStep(stream, starts); step !== undefined; step = nextStep(stream, starts)) {
      stream = await reshard(state, stream, step);
    }
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

/** First every wanted boundary is cut, then every other one is healed: each step keeps all hash keys owned. */
function nextStep(stream: StreamInfo, starts: ReadonlySet<bigint>): Reshard | undefined {
  const open = stream.shards.filter(isOpen).sort((one, two) => (one.startingHashKey < two.startingHashKey ? -1 : 1));
  for (const { id, startingHashKey, endingHashKey } of open) {
    const at = [...starts].find((start) => start > startingHashKey && start <= endingHashKey);
    if (at !== undefined) return { split: id, at };
  }
  const [, ...rest] = open;
  for (const [index, shard] of rest.entries()) {
    const before = open[index];
    if (before !== undefined && !starts.has(shard.startingHashKey)) return { merge: before.id, with: shard.id };
  }
  return undefined;
}
