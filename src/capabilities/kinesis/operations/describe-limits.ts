import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { kinesisLimits } from '../limits.ts';
import { countStreams, type KinesisState } from '../model.ts';
import { TARGET } from '../shapes.ts';

const count = s.integer({ min: 0, max: 1_000_000 });
const output = s.struct({
  ShardLimit: count,
  OpenShardCount: count,
  OnDemandStreamCount: count,
  OnDemandStreamCountLimit: count,
  ChannelCount: s.optional(count),
  ChannelCountLimit: s.optional(count),
});

/** How many shards and on-demand streams there are and may be. */
export const describeLimits = operation<KinesisState>()({
  name: 'DescribeLimits',
  target: TARGET,
  input: s.struct({}),
  output,
  errors: ['LimitExceededException'],
  plane: 'control',
  doc: 'Tells how many open shards of provisioned streams, and on-demand streams, there are and may be.',
  async handle(_, { state }) {
    const { openShards, onDemandStreams } = countStreams(state);
    return {
      ShardLimit: kinesisLimits.provisionedShardsMax,
      OpenShardCount: openShards,
      OnDemandStreamCount: onDemandStreams,
      OnDemandStreamCountLimit: kinesisLimits.onDemandStreamsMax,
      ChannelCount: 0,
      ChannelCountLimit: 0,
    };
  },
});
