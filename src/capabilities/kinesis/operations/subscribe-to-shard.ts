import * as s from '../../../kernel/schema/declare.ts';
import { EventAnswer, operation } from '../../../ports/operation.ts';
import { findShard, onStream } from '../address.ts';
import { consumerOfArn } from '../consumer-address.ts';
import { endDryRun } from '../dry-run.ts';
import { formOf } from '../form.ts';
import type { KinesisState } from '../model.ts';
import { childShard, consumerArn, record, sequenceNumber, shardId, streamId, TARGET } from '../shapes.ts';
import { positionTypes, startingPoint, type PositionType } from '../starting-point.ts';
import { subscriber } from '../workers/subscriber.ts';

const startingPosition = s.struct({
  Type: s.string({ values: positionTypes }),
  SequenceNumber: s.optional(sequenceNumber),
  Timestamp: s.optional(s.timestamp()),
});

const input = s.struct({
  ConsumerARN: consumerArn,
  StreamId: s.optional(streamId),
  ShardId: shardId,
  StartingPosition: startingPosition,
  DryRun: s.optional(s.boolean()),
});

const event = s.struct({
  Records: s.list(record),
  ContinuationSequenceNumber: s.optional(sequenceNumber),
  MillisBehindLatest: s.long(),
  ChildShards: s.optional(s.list(childShard)),
});

/** Sends a consumer the records of a shard as they come, for five minutes. */
export const subscribeToShard = operation<KinesisState>()({
  name: 'SubscribeToShard',
  target: TARGET,
  input,
  events: { SubscribeToShardEvent: event },
  errors: [
    'DryRunOperationException',
    'InvalidArgumentException',
    'ResourceInUseException',
    'ResourceNotFoundException',
  ],
  plane: 'data',
  doc: 'Sends a consumer the records of a shard as they come, for five minutes or to the end of the shard.',
  async handle(request, call) {
    const { state, signal } = call;
    const { ConsumerARN, ShardId, StartingPosition } = request;
    const consumer = consumerOfArn(state, ConsumerARN);
    const { stream } = consumer;
    const shard = findShard(state, stream, ShardId);
    const { Type, SequenceNumber, Timestamp } = StartingPosition;
    // The shape lets no other type pass.
    const position = { type: Type as PositionType, sequenceNumber: SequenceNumber, timestamp: Timestamp };
    const place = { stream, shard, action: 'SubscribeToShard' };
    const from = await onStream(state, stream, async () => await startingPoint(state, place, position));
    endDryRun(request);
    const subscription = state.fanOut.begin(consumer, shard, signal);
    return new EventAnswer(subscriber(state, subscription, from, formOf(call)), subscription.cutSignal);
  },
});
