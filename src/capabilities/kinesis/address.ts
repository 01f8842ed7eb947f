import { isInternal, shardId } from '../../kernel/names.ts';
import { StreamNotFound, type ShardInfo, type StreamInfo } from '../../ports/records.ts';
import { kinesisError, shardNotFound, streamNotFound } from './errors.ts';
import type { KinesisState } from './model.ts';

/** Where the name of a stream begins in an ARN. */
const OF_STREAM = /:\d{11,13}:stream\/(?=.)/g;
/** The ordinal in the id of a shard, however many zeros are before it. */
const ORDINAL = /^(?:[^-]*-)?0*(\d{1,12})$/;
const SERVICE = ':kinesis:';

/**
 * How a request names its stream; an ARN of any region and account finds the local one by its name. `StreamId`, which
 * AWS reserves for later, names none.
 */
export interface StreamAddress {
  readonly StreamName?: string | undefined;
  readonly StreamARN?: string | undefined;
}

/** The name in a stream's ARN, or undefined when the text is none; what a stream contains has no name of a stream. */
export function streamNameOfArn(arn: string): string | undefined {
  // Not by one pattern: whoever makes a text for it keeps it busy trying.
  const last = Array.from(arn.matchAll(OF_STREAM)).at(-1);
  if (!arn.startsWith('arn:aws') || last === undefined) return undefined;
  const service = arn.indexOf(SERVICE);
  const isOfKinesis = service >= 0 && service + SERVICE.length <= last.index;
  return isOfKinesis ? arn.slice(last.index + last[0].length) : undefined;
}

/** The stream's name; InvalidArgumentException when both or neither are given, or they disagree. */
export function addressedName({ StreamName, StreamARN }: StreamAddress): string {
  const fromArn = StreamARN === undefined ? undefined : (streamNameOfArn(StreamARN) ?? StreamARN);
  if (StreamName !== undefined && fromArn !== undefined && fromArn !== StreamName) {
    throw kinesisError('InvalidArgumentException', 'StreamARN and StreamName do not match.');
  }
  const name = StreamName ?? fromArn;
  if (name === undefined) {
    throw kinesisError('InvalidArgumentException', 'Either StreamARN or StreamName must be provided.');
  }
  return name;
}

/** The stream of that name; ResourceNotFoundException when there is none, or it is millrace's own. */
export function findStream(state: KinesisState, name: string): StreamInfo {
  const stream = isInternal(name) ? undefined : state.records.describe(name);
  if (stream === undefined) throw streamNotFound(name, state.identity.account);
  return stream;
}

/** The stream that a request names. */
export function addressedStream(state: KinesisState, address: StreamAddress): StreamInfo {
  return findStream(state, addressedName(address));
}

/** Runs work on a stream; deleted meanwhile, it is not found, as it would be a moment later. */
export async function onStream<T>(state: KinesisState, { name }: StreamInfo, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StreamNotFound) throw streamNotFound(name, state.identity.account);
    throw error;
  }
}

/** The shard of that id, or of any text with its ordinal, such as `shardId-0`, as AWS takes it. */
export function findShard(state: KinesisState, stream: StreamInfo, id: string): ShardInfo {
  const digits = ORDINAL.exec(id)?.[1];
  const whole = digits === undefined ? id : shardId(Number(digits));
  const shard = stream.shards.find((one) => one.id === whole);
  if (shard === undefined) throw shardNotFound(whole, stream.name, state.identity.account);
  return shard;
}
