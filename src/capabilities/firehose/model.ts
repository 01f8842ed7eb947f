import { Defect } from '../../kernel/errors.ts';
import type { Identity } from '../../ports/capability.ts';
import type { Catalog, Json } from '../../ports/catalog.ts';
import type { AnyDestination, DeliverySettings } from '../../ports/destination.ts';
import type { Environment } from '../../ports/environment.ts';
import type { HttpClient } from '../../ports/http-client.ts';
import type { Records } from '../../ports/records.ts';
import { positionKey, type Offset, type ShardRef } from '../../ports/stream-store.ts';
import type { Deliveries } from './deliveries.ts';
import type { Marks } from './merged-word.ts';

/** What Firehose actions work with. */
export interface FirehoseState {
  readonly records: Records;
  readonly catalog: Catalog;
  readonly destinations: readonly AnyDestination[];
  readonly http: HttpClient;
  readonly identity: Identity;
  readonly environment: Environment;
  readonly deliveries: Deliveries;
}

/** A destination with its options as given. */
export interface Target {
  /** The AWS member, for example `ExtendedS3DestinationConfiguration`. */
  readonly kind: string;
  readonly options: Json;
}

/** The key that records are said to be encrypted with, in AWS's words. */
export interface EncryptionKey {
  readonly KeyType: string;
  /** Of a key of the customer's own. */
  readonly KeyARN?: string;
}

/** What is said of the encryption of records that are put directly. */
export interface DeliveryEncryption {
  /** Absent: they are not encrypted. */
  readonly key?: EncryptionKey;
  /** When it was started or stopped within the last day, in ms; newest last. */
  readonly changedAt: readonly number[];
}

/** A delivery stream as the catalog keeps it. */
export interface DeliveryStream {
  readonly name: string;
  readonly target: Target;
  /** The stream it reads; absent: DirectPut. */
  readonly from?: string;
  /** As the API gave them; only described. */
  readonly source?: { readonly KinesisStreamARN: string; readonly RoleARN?: string };
  /** Our own words that the file gave; absent: the defaults. */
  readonly settings?: DeliverySettings;
  /** Nothing is delivered until it is resumed. */
  readonly isPaused?: true;
  /** As the API gave it; only described. */
  readonly directPut?: { readonly ThroughputHintInMBs: number };
  /** Absent: none. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Absent: never started. */
  readonly encryption?: DeliveryEncryption;
  /** What the file said last of the destination; absent: no file names it. */
  readonly fileMarks?: Marks;
  /** Of older versions: the mark of all that the file said when the API changed the destination. */
  readonly changedBeside?: string;
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Records `from` up to but without `to` of one shard. */
export interface Range {
  readonly generation: number;
  readonly ordinal: number;
  readonly from: Offset;
  readonly to: Offset;
  /** Gone with its stream, and it is not known how far it went: `to` is behind the first, which stands for all. */
  readonly isOpen?: true;
}

/** Why records went before they were delivered. */
export type LossCause = 'RetentionExceeded' | 'StreamDeleted' | 'LogDamaged';

/** Records of a range that were gone before they were delivered. */
export interface Gap extends Range {
  readonly cause: LossCause;
}

/** What is to be delivered next, decided before the first attempt and kept until it has succeeded. */
export interface Intent {
  readonly id: string;
  /** Where it goes: an object key. */
  readonly place: string;
  readonly version: number;
  /** Destination and options as they were: a repeated attempt must make the same bytes. */
  readonly target: Target;
  readonly ranges: readonly Range[];
  readonly recordCount: number;
  /** Records that leave, at most, where producers packed several into one; absent: `recordCount`. */
  readonly leavingCount?: number;
  readonly sizeBytes: number;
  readonly oldestAt: number;
  /** Where lines go that tell of records which the destination did not take; absent: it takes all in the end. */
  readonly failedPlace?: string;
  /** Where lines go that tell of records which a function could not process; absent: none processes them. */
  readonly unprocessedPlace?: string;
  /** Where lines go that tell of records which were gone; absent in intents of older versions. */
  readonly lostPlace?: string;
  /** It only tells of what went with a stream: no position is to speak of its shards again. */
  readonly isOfDeleted?: true;
}

/** How far a delivery is. `positions`: by shard (`generation/ordinal`), the first record not yet delivered. */
export interface Progress {
  readonly positions: Readonly<Record<string, string>>;
  readonly objects: number;
  readonly records: number;
  readonly last?: string;
  /** Records that the destination did not take, and that were given up; absent: none. */
  readonly failed?: number;
  /** Numbers of records that were gone before they were delivered; absent: none. */
  readonly lost?: number;
  /** Records of attempts that were repeated while the one before may have arrived; absent: none. */
  readonly duplicates?: number;
  readonly intent?: Intent;
  /** By shard of the source, where its records are processed before: behind the last one that was delivered. */
  readonly origins?: Readonly<Record<string, string>>;
  /** Of what transforms records: all that stands below this place of its internal stream, the positions tell of. */
  readonly mark?: string;
}

/** Nothing was delivered yet. */
export const NO_PROGRESS: Progress = { positions: {}, objects: 0, records: 0 };

/** Catalog keys. */
export const DELIVERY_PREFIX = 'delivery/';
/** Apart from the delivery's own key: it changes with every object. */
export const PROGRESS_PREFIX = 'delivery-position/';
/** Internal streams of what is put directly. */
export const DIRECT_PREFIX = '$direct/';
/** Internal streams of what became of the batches of a delivery. */
export const HISTORY_PREFIX = '$deliveries/';

/** The stream that a delivery reads. */
export function sourceStream({ name, from }: DeliveryStream): string {
  return from ?? DIRECT_PREFIX + name;
}

/** As the catalog stores it. */
export function deliveryToJson(delivery: DeliveryStream): Json {
  const { name: _name, ...rest } = delivery;
  // Members are plain data, whatever they are.
  return rest as unknown as Json;
}

/** As the catalog stored it. */
export function deliveryFromJson(key: string, value: Json): DeliveryStream {
  return { name: key.slice(DELIVERY_PREFIX.length), ...(value as unknown as Omit<DeliveryStream, 'name'>) };
}

/** As the catalog stores it: offsets as digits. */
export function progressToJson(progress: Progress): Json {
  const { intent, ...rest } = progress;
  if (intent === undefined) return rest;
  return { ...rest, intent: { ...intent, target: { ...intent.target }, ranges: intent.ranges.map(rangeToJson) } };
}

/** As the catalog stored it. */
export function progressFromJson(value: Json): Progress {
  const { intent, ...rest } = value as unknown as Omit<Progress, 'intent'> & { intent?: StoredIntent };
  return intent === undefined ? rest : { ...rest, intent: { ...intent, ranges: intent.ranges.map(rangeFromJson) } };
}

/** Generation, ordinal, from and to, offsets as digits; with one more where the end is open. */
export type StoredRange = readonly [number, number, string, string] | readonly [number, number, string, string, true];
type StoredIntent = Omit<Intent, 'ranges'> & { readonly ranges: readonly StoredRange[] };

/** A range as JSON. */
export function rangeToJson({ generation, ordinal, from, to, isOpen }: Range): StoredRange {
  const [first, end] = [`${from}`, `${to}`];
  return isOpen === true ? [generation, ordinal, first, end, true] : [generation, ordinal, first, end];
}

/** A range from JSON. */
export function rangeFromJson([generation, ordinal, from, to, isOpen]: StoredRange): Range {
  return { generation, ordinal, from: BigInt(from), to: BigInt(to), ...(isOpen === true && { isOpen }) };
}

/** Records of a range, at most: numbers may have gone with damage. */
export function countOf({ from, to }: Range): number {
  return Number(to - from);
}

/** What came of an intent: `records` of its records arrived at `place`; none had no place. */
export interface Outcome {
  readonly place: string | undefined;
  readonly records: number;
  /** What of the source the batch was made of, where that is not what the intent names: it was processed before. */
  readonly origins?: readonly Range[];
  /** Given up: lines about them stand in the error output. */
  readonly failed: number;
  readonly lost: number;
}

/** The progress once an intent is over. */
export function completed(progress: Progress, outcome: Outcome): Progress {
  const { place, records, failed, lost, origins } = outcome;
  const { intent, ...rest } = progress;
  if (intent === undefined) throw new Defect('nothing was under way');
  return {
    ...rest,
    positions: { ...rest.positions, ...(intent.isOfDeleted === true ? {} : endsOf(intent.ranges)) },
    ...(origins !== undefined && { origins: newest({ ...rest.origins, ...endsOf(origins) }) }),
    objects: rest.objects + (place === undefined ? 0 : 1),
    records: rest.records + records,
    ...(place !== undefined && { last: place }),
    ...sum('failed', rest.failed, failed),
    ...sum('lost', rest.lost, lost),
  };
}

/** Positions behind ranges, by their shards. */
export function endsOf(ranges: readonly Range[]): Record<string, string> {
  return Object.fromEntries(ranges.map((range) => [positionKey(range), range.to.toString()] as const));
}

/** Without the shards of streams that are gone: what stands behind them is of the one that has the name now. */
function newest(origins: Readonly<Record<string, string>>): Record<string, string> {
  const generations = Object.keys(origins).map((key) => Number.parseInt(key, 10));
  const last = generations.reduce((so, one) => Math.max(so, one), 0);
  return Object.fromEntries(Object.entries(origins).filter((_, index) => generations[index] === last));
}

/** A member that is absent while nothing was counted. */
function sum(name: 'failed' | 'lost', so = 0, more: number): Partial<Progress> {
  return so + more === 0 ? {} : { [name]: so + more };
}

/** One step of a function through a shard: up to but without `to`. */
export interface Step {
  readonly shard: Pick<ShardRef, 'generation' | 'ordinal'>;
  readonly to: Offset;
  /** Records that the function took, and those that were given up. */
  readonly taken: number;
  readonly failed: number;
}

/** The progress after a step; the same when it was taken before. */
export function stepped(progress: Progress, { shard, to, taken, failed }: Step): Progress {
  const key = positionKey(shard);
  if (BigInt(progress.positions[key] ?? '0') >= to) return progress;
  return {
    ...progress,
    positions: { ...progress.positions, [key]: to.toString() },
    objects: progress.objects + (taken > 0 ? 1 : 0),
    records: progress.records + taken,
    ...(progress.failed !== undefined || failed > 0 ? { failed: (progress.failed ?? 0) + failed } : {}),
  };
}

/** Without the positions of these shards, of which all is told. */
export function withoutPositions(progress: Progress, keys: readonly string[]): Progress {
  const left = Object.entries(progress.positions).filter(([key]) => !keys.includes(key));
  return { ...progress, positions: Object.fromEntries(left) };
}

/** Without those of shards that the stream gave up: they would only pile up. What of another stream is left is told. */
export function withoutGone(progress: Progress, shards: readonly Pick<ShardRef, 'generation' | 'ordinal'>[]): Progress {
  const kept = new Set(shards.map(positionKey));
  const isKept = (key: string): boolean => kept.has(key) || Number.parseInt(key, 10) !== shards[0]?.generation;
  const positions = Object.fromEntries(Object.entries(progress.positions).filter(([key]) => isKept(key)));
  return { ...progress, positions };
}
