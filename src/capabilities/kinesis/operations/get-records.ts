import * as s from '../../../kernel/schema/declare.ts';
import { operation, RawAnswer } from '../../../ports/operation.ts';
import type { ShardInfo, StreamInfo } from '../../../ports/records.ts';
import type { Slice } from '../../../ports/stream-store.ts';
import { onStream } from '../address.ts';
import { kinesisEvents } from '../events.ts';
import { kinesisLimits } from '../limits.ts';
import type { KinesisState } from '../model.ts';
import { readRecords, type ReadRecords } from '../read-records.ts';
import { openIterator, sealIterator } from '../shard-iterator.ts';
import { TARGET, data, partitionKey, sequenceNumber, shardId, streamArn } from '../shapes.ts';

const HEAD = Buffer.from('{"Records":[');

const input = s.struct({
  ShardIterator: s.string({ min: 1, max: 512 }),
  Limit: s.optional(s.integer({ min: 1, max: kinesisLimits.getRecordsCountMax })),
  StreamARN: s.optional(streamArn),
});

const hashKeyRange = s.struct({ StartingHashKey: s.string(), EndingHashKey: s.string() });

const output = s.struct({
  Records: s.list(
    s.struct({
      SequenceNumber: sequenceNumber,
      ApproximateArrivalTimestamp: s.timestamp(),
      Data: data,
      PartitionKey: partitionKey,
    }),
  ),
  NextShardIterator: s.optional(s.string()),
  MillisBehindLatest: s.long(),
  ChildShards: s.optional(
    s.list(s.struct({ ShardId: shardId, ParentShards: s.list(shardId), HashKeyRange: hashKeyRange })),
  ),
});

/** Reads on from an iterator: up to 10,000 records or 10 MiB. */
export const getRecords = operation<KinesisState>()({
  name: 'GetRecords',
  target: TARGET,
  input,
  output,
  errors: [
    'ExpiredIteratorException',
    'InvalidArgumentException',
    'ProvisionedThroughputExceededException',
    'ResourceNotFoundException',
  ],
  plane: 'data',
  doc: 'Reads on from an iterator: up to 10,000 records or 10 MiB.',
  async handle(request, call) {
    const { state } = call;
    const { stream, shard, from } = openIterator(state, request.ShardIterator);
    const recordsMax = request.Limit ?? kinesisLimits.getRecordsCountMax;
    // What the answer may take counts before it is read.
    await call.hold(kinesisLimits.getRecordsBytesMax);
    const answer = await onStream(state, stream, async () => await readRecords(state, stream, shard, from, recordsMax));
    const { meter } = state.environment;
    meter.count(kinesisEvents.recordsOut, { stream: stream.name }, answer.count);
    meter.count(kinesisEvents.bytesOut, { stream: stream.name }, answer.bytes);
    return new RawAnswer([HEAD, ...answer.pieces, Buffer.from(`]${tail(state, stream, shard, answer)}}`)]);
  },
});

/** Everything after the records: where to go on, how far behind, and who the children are at a closed shard's end. */
function tail(state: KinesisState, stream: StreamInfo, shard: ShardInfo, { slice, lastAt }: ReadRecords): string {
  const now = state.environment.clock.now();
  const ended = slice.closedAt !== undefined && slice.next >= slice.closedAt;
  const behind = `,"MillisBehindLatest":${millisBehind(slice, lastAt, now)}`;
  if (!ended) return `,"NextShardIterator":"${sealIterator(stream.name, shard, slice.next, now)}"${behind}`;
  return `${behind},"ChildShards":${JSON.stringify(childShards(stream, shard))}`;
}

/** 0 at the tip and at a closed shard's end, else how old the place is that was reached; at least 1. */
function millisBehind(slice: Slice, lastAt: number | undefined, now: number): number {
  if (slice.next >= slice.end) return 0;
  return lastAt === undefined ? 1 : Math.max(1, now - lastAt);
}

function childShards(stream: StreamInfo, parent: ShardInfo): unknown[] {
  return stream.shards
    .filter(({ parentShardId, adjacentParentShardId }) => [parentShardId, adjacentParentShardId].includes(parent.id))
    .map((child) => ({
      ShardId: child.id,
      ParentShards: [child.parentShardId, child.adjacentParentShardId].filter((id) => id !== undefined),
      HashKeyRange: {
        StartingHashKey: child.startingHashKey.toString(),
        EndingHashKey: child.endingHashKey.toString(),
      },
    }));
}
