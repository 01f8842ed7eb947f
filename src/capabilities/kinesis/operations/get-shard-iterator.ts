import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { addressedStream, findShard, onStream } from '../address.ts';
import { endDryRun } from '../dry-run.ts';
import type { KinesisState } from '../model.ts';
import { sealIterator } from '../shard-iterator.ts';
import { positionTypes, startingPoint, type PositionType } from '../starting-point.ts';
import { TARGET, sequenceNumber, shardId, streamArn, streamId, streamName } from '../shapes.ts';

const input = s.struct({
  StreamName: s.optional(streamName),
  ShardId: shardId,
  ShardIteratorType: s.string({ values: positionTypes }),
  StartingSequenceNumber: s.optional(sequenceNumber),
  Timestamp: s.optional(s.timestamp()),
  StreamARN: s.optional(streamArn),
  StreamId: s.optional(streamId),
  DryRun: s.optional(s.boolean()),
});

const output = s.struct({ ShardIterator: s.string({ min: 1, max: 512 }) });

/** Gives an iterator: a place to read on, good for five minutes. */
export const getShardIterator = operation<KinesisState>()({
  name: 'GetShardIterator',
  target: TARGET,
  input,
  output,
  errors: [
    'DryRunOperationException',
    'InvalidArgumentException',
    'ProvisionedThroughputExceededException',
    'ResourceNotFoundException',
  ],
  plane: 'data',
  doc: 'Gives an iterator: a place to read on, good for five minutes.',
  async handle(request, { state }) {
    const stream = addressedStream(state, request);
    const shard = findShard(state, stream, request.ShardId);
    const { ShardIteratorType, StartingSequenceNumber, Timestamp } = request;
    // The shape lets no other type pass.
    const type = ShardIteratorType as PositionType;
    const position = { type, sequenceNumber: StartingSequenceNumber, timestamp: Timestamp };
    const place = { stream, shard, action: 'GetShardIterator' };
    const from = await onStream(state, stream, async () => await startingPoint(state, place, position));
    endDryRun(request);
    return { ShardIterator: sealIterator(stream.name, shard, from, state.environment.clock.now()) };
  },
});
