import { Defect } from '../../kernel/errors.ts';
import type { Identity } from '../../ports/capability.ts';
import type { Catalog, Json } from '../../ports/catalog.ts';
import type { AnyDestination } from '../../ports/destination.ts';
import type { Environment } from '../../ports/environment.ts';
import type { Records } from '../../ports/records.ts';
import { positionKey, type Offset, type ShardRef } from '../../ports/stream-store.ts';
import type { Deliveries } from './deliveries.ts';

/** What Firehose actions work with. */
export interface FirehoseState {
  readonly records: Records;
  readonly catalog: Catalog;
  readonly destinations: readonly AnyDestination[];
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

/** A delivery stream as the catalog keeps it. */
export interface DeliveryStream {
  readonly name: string;
  readonly target: Target;
  /** The stream it reads; absent: DirectPut. */
  readonly from?: string;
  /** As the API gave them; only described. */
  readonly source?: { readonly KinesisStreamARN: string; readonly RoleARN?: string };
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
  readonly sizeBytes: number;
  readonly oldestAt: number;
}

/** How far a delivery is. `positions`: by shard (`generation/ordinal`), the first record not yet delivered. */
export interface Progress {
  readonly positions: Readonly<Record<string, string>>;
  readonly objects: number;
  readonly records: number;
  readonly last?: string;
  /** Records that a function did not take, and that were given up; absent: none. */
  readonly failed?: number;
  readonly intent?: Intent;
}

/** Nothing was delivered yet. */
export const NO_PROGRESS: Progress = { positions: {}, objects: 0, records: 0 };

/** Catalog keys. */
export const DELIVERY_PREFIX = 'delivery/';
/** Apart from the delivery's own key: it changes with every object. */
export const PROGRESS_PREFIX = 'delivery-position/';
/** Internal streams of what is put directly. */
export const DIRECT_PREFIX = '$direct/';

/** The stream that a delivery reads. */
export function sourceStream({ name, from }: DeliveryStream): string {
  return from ?? DIRECT_PREFIX + name;
}

/** As the catalog stores it. */
export function deliveryToJson(delivery: DeliveryStream): Json {
  const { from, source, version, createdAt, updatedAt } = delivery;
  return {
    target: { ...delivery.target },
    ...(from !== undefined && { from }),
    ...(source !== undefined && { source }),
    version,
    createdAt,
    updatedAt,
  };
}

/** As the catalog stored it. */
export function deliveryFromJson(key: string, value: Json): DeliveryStream {
  return { name: key.slice(DELIVERY_PREFIX.length), ...(value as unknown as Omit<DeliveryStream, 'name'>) };
}

/** As the catalog stores it: offsets as digits. */
export function progressToJson(progress: Progress): Json {
  const { intent, ...rest } = progress;
  if (intent === undefined) return rest;
  const ranges = intent.ranges.map(({ generation, ordinal, from, to }) => [generation, ordinal, `${from}`, `${to}`]);
  return { ...rest, intent: { ...intent, target: { ...intent.target }, ranges } };
}

/** As the catalog stored it. */
export function progressFromJson(value: Json): Progress {
  const { intent, ...rest } = value as unknown as Omit<Progress, 'intent'> & { intent?: StoredIntent };
  if (intent === undefined) return rest;
  const ranges = intent.ranges.map(([generation, ordinal, from, to]) => ({
    generation,
    ordinal,
    from: BigInt(from),
    to: BigInt(to),
  }));
  return { ...rest, intent: { ...intent, ranges } };
}

type StoredIntent = Omit<Intent, 'ranges'> & { readonly ranges: readonly [number, number, string, string][] };

/** What came of an intent: `records` of its records were still there, and arrived at `place`; none had no place. */
export interface Outcome {
  readonly place: string | undefined;
  readonly records: number;
}

/** The progress once an intent is over. */
export function completed(progress: Progress, { place, records }: Outcome): Progress {
  const { intent, ...rest } = progress;
  if (intent === undefined) throw new Defect('nothing was under way');
  const moved = intent.ranges.map((range) => [positionKey(range), range.to.toString()] as const);
  return {
    ...rest,
    positions: { ...rest.positions, ...Object.fromEntries(moved) },
    objects: rest.objects + (place === undefined ? 0 : 1),
    records: rest.records + records,
    ...(place !== undefined && { last: place }),
  };
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

/** Positions of shards that still exist: those of others would only pile up. */
export function withoutGone(progress: Progress, shards: readonly Pick<ShardRef, 'generation' | 'ordinal'>[]): Progress {
  const kept = new Set(shards.map(positionKey));
  const positions = Object.fromEntries(Object.entries(progress.positions).filter(([key]) => kept.has(key)));
  return { ...progress, positions };
}
