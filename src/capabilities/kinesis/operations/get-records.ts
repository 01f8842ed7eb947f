import * as s from '../../../kernel/schema/declare.ts';
import { operation, RawAnswer } from '../../../ports/operation.ts';
import type { ShardInfo, StreamInfo } from '../../../ports/records.ts';
import { addressedName, onStream } from '../address.ts';
import { AnswerPieces } from '../answer-pieces.ts';
import { endDryRun } from '../dry-run.ts';
import { formOf } from '../form.ts';
import { kinesisError } from '../errors.ts';
import { kinesisEvents } from '../events.ts';
import { kinesisLimits } from '../limits.ts';
import { childShards, millisBehind, type KinesisState } from '../model.ts';
import { RecordsWriter } from '../outgoing.ts';
import { readRecords, type ReadRecords } from '../read-records.ts';
import { encryptedAt } from '../settings.ts';
import { openIterator, sealIterator } from '../shard-iterator.ts';
import { TARGET, childShard, record, streamArn, streamId } from '../shapes.ts';

const input = s.struct({
  ShardIterator: s.string({ min: 1, max: 512 }),
  Limit: s.optional(s.integer({ min: 1, max: kinesisLimits.getRecordsCountMax })),
  StreamARN: s.optional(streamArn),
  StreamId: s.optional(streamId),
  DryRun: s.optional(s.boolean()),
});

const output = s.struct({
  Records: s.list(record),
  NextShardIterator: s.optional(s.string()),
  MillisBehindLatest: s.long(),
  ChildShards: s.optional(s.list(childShard)),
});

/** Reads on from an iterator: up to 10,000 records or 10 MiB. */
export const getRecords = operation<KinesisState>()({
  name: 'GetRecords',
  target: TARGET,
  input,
  output,
  errors: [
    'DryRunOperationException',
    'ExpiredIteratorException',
    'InvalidArgumentException',
    'ProvisionedThroughputExceededException',
    'ResourceNotFoundException',
  ],
  plane: 'data',
  doc: 'Reads on from an iterator: up to 10,000 records or 10 MiB.',
  async handle(request, call) {
    const { state } = call;
    const form = formOf(call);
    const { stream, shard, from } = openIterator(state, request.ShardIterator);
    refuseOther(request.StreamARN, stream);
    endDryRun(request);
    const recordsMax = request.Limit ?? kinesisLimits.getRecordsCountMax;
    // What the answer may take counts before it is read.
    await call.hold(kinesisLimits.getRecordsBytesMax);
    const pieces = new AnswerPieces(state.memory.answers);
    pieces.add(form.before(0));
    const writer = new RecordsWriter(form.record, shard.ref, state.memory.text, pieces, encryptedAt(stream));
    const read = await onStream(
      state,
      stream,
      async () => await readRecords(state, stream, shard, from, recordsMax, writer),
    );
    const { meter } = state.environment;
    meter.count(kinesisEvents.recordsOut, { stream: stream.name }, read.count);
    meter.count(kinesisEvents.bytesOut, { stream: stream.name }, read.bytes);
    pieces.setFront(form.before(read.count));
    pieces.add(form.after(standing(state, stream, shard, read)));
    return new RawAnswer(pieces.end(), () => pieces.giveBack());
  },
});

/** An iterator reads the stream it was made for. */
function refuseOther(StreamARN: string | undefined, { name }: StreamInfo): void {
  if (StreamARN === undefined || addressedName({ StreamARN }) === name) return;
  throw kinesisError('InvalidArgumentException', `StreamARN does not name the stream of the ShardIterator: ${name}.`);
}

/**
 * Everything after the records: where to go on, how far behind, and who the children are at a closed shard's end. The
 * end is an answer of its own: there are clients (Telegraf's consumer) that look for a next iterator first and throw
 * away the records of an answer without one.
 */
function standing(
  state: KinesisState,
  stream: StreamInfo,
  shard: ShardInfo,
  { bounds, lastAt, count }: ReadRecords,
): Readonly<Record<string, unknown>> {
  const now = state.environment.clock.now();
  const ended = count === 0 && bounds.closedAt !== undefined && bounds.next >= bounds.closedAt;
  const MillisBehindLatest = millisBehind(bounds.next >= bounds.end, lastAt, now);
  // A shard that a reshard is closing this moment has no children yet.
  const ChildShards = ended ? childShards(state, stream, shard) : undefined;
  if (ChildShards !== undefined) return { MillisBehindLatest, ChildShards };
  return { NextShardIterator: sealIterator(stream.name, shard, bounds.next, now), MillisBehindLatest };
}
