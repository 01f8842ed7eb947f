import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { addressedStream } from '../address.ts';
import { kinesisLimits } from '../limits.ts';
import { describeCommon, describeShards, pageOfShards, type KinesisState } from '../model.ts';
import { TARGET, describedStream, shard, shardId, streamArn, streamId, streamName } from '../shapes.ts';

const input = s.struct({
  StreamName: s.optional(streamName),
  Limit: s.optional(s.integer({ min: 1, max: 10_000 })),
  ExclusiveStartShardId: s.optional(shardId),
  StreamARN: s.optional(streamArn),
  StreamId: s.optional(streamId),
});

const output = s.struct({
  StreamDescription: s.struct({ ...describedStream, Shards: s.list(shard), HasMoreShards: s.boolean() }),
});

/** Describes a stream with a page of its shards. */
export const describeStream = operation<KinesisState>()({
  name: 'DescribeStream',
  target: TARGET,
  input,
  output,
  errors: ['InvalidArgumentException', 'ResourceNotFoundException'],
  plane: 'control',
  doc: 'Describes a stream with a page of its shards.',
  async handle(request, { state }) {
    const stream = addressedStream(state, request);
    const { ExclusiveStartShardId: after, Limit: max = kinesisLimits.describeShardsDefault } = request;
    const { shards, hasMore } = pageOfShards(state, stream, { after, max });
    return {
      StreamDescription: {
        ...describeCommon(stream),
        Shards: await describeShards(state, shards),
        HasMoreShards: hasMore,
      },
    };
  },
});
