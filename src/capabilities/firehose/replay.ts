import { createHash } from 'node:crypto';
import { canonicalJson } from '../../kernel/json.ts';
import { positionKey } from '../../ports/stream-store.ts';
import { NO_PROGRESS, rangeFromJson, type Progress, type StoredRange } from './model.ts';

/** Catalog keys of what is delivered once more: `delivery-replay/DELIVERY/ID`. */
export const REPLAY_PREFIX = 'delivery-replay/';

/** What is delivered once more: fixed when it is asked for, so that asking twice does the same. */
export interface Replay {
  readonly id: string;
  /** The delivery that gets it. */
  readonly delivery: string;
  /** The stream whose records it is; absent: lines of error objects. */
  readonly stream?: string;
  readonly ranges?: readonly StoredRange[];
  /** The delivery whose error objects these are. */
  readonly errorsOf?: string;
  readonly objects?: readonly string[];
  /** More objects were there than one replay takes. */
  readonly isCut?: boolean;
  /** Times of arrival, ms. */
  readonly from?: number;
  readonly until?: number;
}

/** As the catalog keeps it. */
export interface StoredReplay extends Replay {
  readonly askedAt: number;
  readonly doneAt?: number;
  /** How it ended before all was delivered; absent: it was. */
  readonly ended?: 'failed' | 'cancelled';
  /** Why it failed. */
  readonly failure?: string;
}

/** Where the catalog has one. */
export function replayKey({ delivery, id }: Pick<Replay, 'delivery' | 'id'>): string {
  return `${REPLAY_PREFIX}${delivery}/${id}`;
}

/** The same request for the same records has the same id. */
export function replayId(replay: Omit<Replay, 'id'>): string {
  return createHash('sha256')
    .update(canonicalJson({ ...replay }))
    .digest('hex')
    .slice(0, 32);
}

/** Names the position of a replay in the catalog, behind the delivery's own. */
export function replayProgressName({ delivery, id }: Pick<Replay, 'delivery' | 'id'>): string {
  return `${delivery}/replay/${id}`;
}

/** Where a replay begins. */
export function firstProgress({ ranges = [] }: Replay): Progress {
  // A shard with several ranges begins with its first.
  const positions = ranges.map((range) => [positionKey(rangeFromJson(range)), range[2]] as const).reverse();
  return { ...NO_PROGRESS, positions: Object.fromEntries(positions) };
}

/** Name of the position among the objects of a replay. */
export const OBJECT_POSITION = 'object';
