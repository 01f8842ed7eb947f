import { unreachable } from '../../kernel/assert.ts';
import { shardId as shardIdOf } from '../../kernel/names.ts';
import {
  decodeSequenceNumber,
  encodeSequenceNumber,
  type SequenceNumber,
} from '../../kernel/stream/sequence-number.ts';
import type { ShardInfo, StreamInfo } from '../../ports/records.ts';
import type { Offset, ShardRef } from '../../ports/stream-store.ts';
import { kinesisError } from './errors.ts';
import type { KinesisState } from './model.ts';

/** Where a reader can begin, in the order in which AWS names them. */
export const positionTypes = [
  'AFTER_SEQUENCE_NUMBER',
  'LATEST',
  'AT_TIMESTAMP',
  'AT_SEQUENCE_NUMBER',
  'TRIM_HORIZON',
] as const;

/** One of `positionTypes`. */
export type PositionType = (typeof positionTypes)[number];

/** Where a reader wants to begin. */
interface Position {
  readonly type: PositionType;
  readonly sequenceNumber?: string | undefined;
  /** In ms. */
  readonly timestamp?: number | undefined;
}

/** What a reader wants to read, and by which action. */
interface Place {
  readonly stream: StreamInfo;
  readonly shard: ShardInfo;
  readonly action: string;
}

/** Sub-index of a number that stands behind a record, in front of the next one; no record has it. */
const BEHIND = 0xff_ffff;
/** The same of the number in front of a shard's first record, as no number is smaller than that record's. */
const IN_FRONT = 0xff_fffe;

/** A sequence number between what was read and `next`: both at it and after it, reading goes on there. */
export function continuationNumber(shard: ShardRef, next: Offset): string {
  return next === 0n ? encodeSequenceNumber(shard, 0n, IN_FRONT) : encodeSequenceNumber(shard, next - 1n, BEHIND);
}

/** The offset to begin at. InvalidArgumentException where the position makes no sense; rejects as Records does. */
export async function startingPoint(state: KinesisState, place: Place, position: Position): Promise<Offset> {
  const { type, sequenceNumber } = position;
  const byNumber = type === 'AT_SEQUENCE_NUMBER' || type === 'AFTER_SEQUENCE_NUMBER';
  if (byNumber !== (sequenceNumber !== undefined)) {
    const sentence =
      'Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or ' +
      '(2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. ' +
      `Request specified ${type} and ${byNumber ? 'no' : 'also a'} StartingSequenceNumber.`;
    throw kinesisError('InvalidArgumentException', sentence);
  }
  switch (type) {
    case 'TRIM_HORIZON':
      return state.records.bounds(place.shard).start;
    case 'LATEST':
      return state.records.bounds(place.shard).end;
    case 'AT_TIMESTAMP':
      return await state.records.positionAt(place.shard, timestampOf(state, position));
    case 'AT_SEQUENCE_NUMBER':
      return numbered(state, place, sequenceNumber ?? '', 0n);
    case 'AFTER_SEQUENCE_NUMBER':
      return numbered(state, place, sequenceNumber ?? '', 1n);
    default:
      return unreachable(type);
  }
}

function timestampOf(state: KinesisState, { timestamp }: Position): number {
  if (timestamp === undefined) {
    const sentence =
      'Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. ' +
      'Current request has no timestamp parameter.';
    throw kinesisError('InvalidArgumentException', sentence);
  }
  const now = state.environment.clock.now();
  if (timestamp > now) {
    const sentence =
      'The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. ' +
      `timestampInMillis: ${timestamp}, currentTimestampInMillis: ${now}`;
    throw kinesisError('InvalidArgumentException', sentence);
  }
  return timestamp;
}

/** The offset a sequence number of this very shard stands for, or so many behind it. */
function numbered(state: KinesisState, { stream, shard, action }: Place, text: string, behind: bigint): Offset {
  const decoded = decodeSequenceNumber(text);
  const isOfStream = decoded?.generation === shard.ref.generation;
  if (isOfStream && decoded.ordinal !== shard.ref.ordinal) {
    const sentence =
      `Invalid StartingSequenceNumber. It encodes ${shardIdOf(decoded.ordinal)}, ` +
      `while it was used in a call to a shard with ${shard.id}`;
    throw kinesisError('InvalidArgumentException', sentence);
  }
  const offset = isOfStream ? numberedOffset(state, shard, decoded, behind) : undefined;
  if (offset !== undefined) return offset;
  const sentence =
    `StartingSequenceNumber ${text} used in ${action} on shard ${shard.id} in stream ${stream.name} ` +
    `under account ${state.identity.account} is invalid.`;
  throw kinesisError('InvalidArgumentException', sentence);
}

/**
 * The offset at a number of the shard, or so many behind its record; one between two records stands for one place.
 * Undefined for a number beyond the shard's end, which the shard never gave: records would be skipped until it grows
 * past that. The end's own number is none of a record, so nothing is skipped behind it either.
 */
export function numberedOffset(
  { records }: Pick<KinesisState, 'records'>,
  shard: ShardInfo,
  { offset, subIndex }: SequenceNumber,
  behind: bigint,
): Offset | undefined {
  const { end } = records.bounds(shard);
  if (offset > end) return undefined;
  if (offset === end || subIndex === IN_FRONT) return offset;
  return subIndex === BEHIND ? offset + 1n : offset + behind;
}
