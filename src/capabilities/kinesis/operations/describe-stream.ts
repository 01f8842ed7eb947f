import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { addressedStream } from '../address.ts';
import { kinesisLimits } from '../limits.ts';
import { describeCommon, describeShards, visibleShards, type KinesisState } from '../model.ts';
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
    const after = request.ExclusiveStartShardId;
    const shards = visibleShards(state, stream);
    const rest = after === undefined ? shards : shards.filter(({ id }) => id > after);
    const page = rest.slice(0, Math.min(request.Limit ?? kinesisLimits.describeShardsDefault, rest.length));
    return {
      StreamDescription: {
        ...describeCommon(stream),
        Shards: await describeShards(state, page),
        HasMoreShards: page.length < rest.length,
      },
    };
  },
});
