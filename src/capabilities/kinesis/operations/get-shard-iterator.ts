import * as s from '../../../kernel/schema/declare.ts';
import { unreachable } from '../../../kernel/assert.ts';
import { decodeSequenceNumber } from '../../../kernel/stream/sequence-number.ts';
import { operation } from '../../../ports/operation.ts';
import type { ShardInfo, StreamInfo } from '../../../ports/records.ts';
import type { Offset } from '../../../ports/stream-store.ts';
import { shardId as shardIdOf } from '../../../kernel/names.ts';
import { addressedStream, findShard, onStream } from '../address.ts';
import { kinesisError } from '../errors.ts';
import type { KinesisState } from '../model.ts';
import { sealIterator } from '../shard-iterator.ts';
import { TARGET, sequenceNumber, shardId, streamArn, streamName } from '../shapes.ts';

const TYPES = ['AFTER_SEQUENCE_NUMBER', 'LATEST', 'AT_TIMESTAMP', 'AT_SEQUENCE_NUMBER', 'TRIM_HORIZON'] as const;
type IteratorType = (typeof TYPES)[number];

const input = s.struct({
  StreamName: s.optional(streamName),
  ShardId: shardId,
  ShardIteratorType: s.string({ values: TYPES }),
  StartingSequenceNumber: s.optional(sequenceNumber),
  Timestamp: s.optional(s.timestamp()),
  StreamARN: s.optional(streamArn),
});

const output = s.struct({ ShardIterator: s.string({ min: 1, max: 512 }) });

type Input = s.Static<typeof input>;

/** Gives an iterator: a place to read on, good for five minutes. */
export const getShardIterator = operation<KinesisState>()({
  name: 'GetShardIterator',
  target: TARGET,
  input,
  output,
  errors: ['InvalidArgumentException', 'ProvisionedThroughputExceededException', 'ResourceNotFoundException'],
  plane: 'data',
  doc: 'Gives an iterator: a place to read on, good for five minutes.',
  async handle(request, { state }) {
    const stream = addressedStream(state, request);
    const shard = findShard(state, stream, request.ShardId);
    const from = await onStream(state, stream, async () => await startingPoint(state, stream, shard, request));
    return { ShardIterator: sealIterator(stream.name, shard, from, state.environment.clock.now()) };
  },
});

async function startingPoint(
  state: KinesisState,
  stream: StreamInfo,
  shard: ShardInfo,
  request: Input,
): Promise<Offset> {
  const type = request.ShardIteratorType as IteratorType;
  const byNumber = type === 'AT_SEQUENCE_NUMBER' || type === 'AFTER_SEQUENCE_NUMBER';
  if (byNumber !== (request.StartingSequenceNumber !== undefined)) {
    const sentence =
      'Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or ' +
      '(2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. ' +
      `Request specified ${type} and ${byNumber ? 'no' : 'also a'} StartingSequenceNumber.`;
    throw kinesisError('InvalidArgumentException', sentence);
  }
  switch (type) {
    case 'TRIM_HORIZON':
      return state.records.bounds(shard).start;
    case 'LATEST':
      return state.records.bounds(shard).end;
    case 'AT_TIMESTAMP':
      return await state.records.positionAt(shard, timestampOf(state, request));
    case 'AT_SEQUENCE_NUMBER':
      return numbered(state, stream, shard, request.StartingSequenceNumber ?? '');
    case 'AFTER_SEQUENCE_NUMBER':
      return numbered(state, stream, shard, request.StartingSequenceNumber ?? '') + 1n;
    default:
      return unreachable(type);
  }
}

function timestampOf(state: KinesisState, { Timestamp }: Input): number {
  if (Timestamp === undefined) {
    const sentence =
      'Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. ' +
      'Current request has no timestamp parameter.';
    throw kinesisError('InvalidArgumentException', sentence);
  }
  const now = state.environment.clock.now();
  if (Timestamp > now) {
    const sentence =
      'The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. ' +
      `timestampInMillis: ${Timestamp}, currentTimestampInMillis: ${now}`;
    throw kinesisError('InvalidArgumentException', sentence);
  }
  return Timestamp;
}

/** The offset a sequence number of this very shard stands for. */
function numbered(state: KinesisState, stream: StreamInfo, shard: ShardInfo, text: string): Offset {
  const decoded = decodeSequenceNumber(text);
  if (decoded === undefined || decoded.generation !== shard.ref.generation) {
    const sentence =
      `StartingSequenceNumber ${text} used in GetShardIterator on shard ${shard.id} in stream ${stream.name} ` +
      `under account ${state.identity.account} is invalid.`;
    throw kinesisError('InvalidArgumentException', sentence);
  }
  if (decoded.ordinal !== shard.ref.ordinal) {
    const sentence =
      `Invalid StartingSequenceNumber. It encodes ${shardIdOf(decoded.ordinal)}, ` +
      `while it was used in a call to a shard with ${shard.id}`;
    throw kinesisError('InvalidArgumentException', sentence);
  }
  return decoded.offset;
}
