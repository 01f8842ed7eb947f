import type { ShardInfo, StreamInfo } from '../../ports/records.ts';
import type { Offset } from '../../ports/stream-store.ts';
import { findStream } from './address.ts';
import { kinesisError, shardNotFound } from './errors.ts';
import { kinesisLimits } from './limits.ts';
import type { KinesisState } from './model.ts';
import { openOpaque, sealOpaque } from './opaque.ts';

const KIND = 'iterator';
/** The last ms of the platform's dates. */
const TIME_MAX = 8.64e15;

/** A place to read on in one shard. */
export interface ShardPlace {
  readonly stream: StreamInfo;
  readonly shard: ShardInfo;
  readonly from: Offset;
}

/** Stream, generation, ordinal, offset and time of an iterator. */
interface Sealed {
  readonly s: string;
  readonly g: number;
  readonly o: number;
  readonly f: string;
  readonly t: number;
}

/** Whoever knows the format can seal what we never would. */
function isSealed(value: object | undefined): value is Sealed {
  const { s, g, o, f, t } = (value ?? {}) as { readonly [name in keyof Sealed]?: unknown };
  if (typeof s !== 'string' || typeof f !== 'string' || !/^\d{1,18}$/.test(f)) return false;
  return typeof g === 'number' && typeof o === 'number' && isTime(t);
}

/** Of a date that can be printed. */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= TIME_MAX;
}

/** The text of an iterator that is good for five minutes; it knows the stream's generation. */
export function sealIterator(stream: string, shard: ShardInfo, from: Offset, now: number): string {
  const { generation, ordinal } = shard.ref;
  const sealed: Sealed = { s: stream, g: generation, o: ordinal, f: from.toString(), t: now };
  return sealOpaque(KIND, { ...sealed });
}

/** `Tue Nov 24 14:00:00 UTC 2026`: how AWS prints the times of an iterator. */
function utc(ms: number): string {
  const [week, day, month, year, time] = new Date(ms).toUTCString().replace(',', '').split(' ');
  return `${week} ${month} ${day} ${time} UTC ${year}`;
}

/** The place an iterator stands for; InvalidArgument, ExpiredIterator or ResourceNotFound exceptions otherwise. */
export function openIterator(state: KinesisState, text: string): ShardPlace {
  const value = openOpaque(KIND, text);
  if (!isSealed(value)) throw kinesisError('InvalidArgumentException', 'Invalid ShardIterator.');
  const { s: name, g: generation, o: ordinal, f: from, t: made } = value;
  const now = state.environment.clock.now();
  if (now - made > kinesisLimits.iteratorLifeMs) {
    const sentence =
      `Iterator expired. The iterator was created at time ${utc(made)} while right now it is ${utc(now)} ` +
      `which is further in the future than the tolerated delay of ${kinesisLimits.iteratorLifeMs} milliseconds.`;
    throw kinesisError('ExpiredIteratorException', sentence);
  }
  const stream = findStream(state, name);
  const shard = stream.shards.find(({ ref }) => ref.generation === generation && ref.ordinal === ordinal);
  // The stream was deleted and created again since: this shard is not the one it was.
  if (shard === undefined) throw shardNotFound(`of generation ${generation}`, stream.name, state.identity.account);
  return { stream, shard, from: BigInt(from) };
}
