import type { Json } from '../../ports/catalog.ts';
import type { ResumeToken } from '../../ports/source.ts';

/** Keys of the catalog that say how far each source is. */
export const POSITION_PREFIX = 'source/';
/** Keys of those that rest. */
export const PAUSED_PREFIX = 'source-paused/';

/** Offsets by shard, as positionKey names them. */
export type Positions = Readonly<Record<string, string>>;

/**
 * How far a source is: everything up to `token` is durable, and stands in front of `positions`. Batches written later
 * name where to go on in a header of their last record.
 */
export interface Checkpoint {
  /** Absent: events go to a function. */
  readonly stream?: string;
  readonly token?: ResumeToken;
  /** Number of the last batch. */
  readonly batch: number;
  readonly positions: Positions;
  /** Where the ids begin that a repeat is known by. */
  readonly window: Positions;
}

/** Nothing came yet. */
export const NOTHING_YET: Checkpoint = { batch: 0, positions: {}, window: {} };

/** The checkpoint as the catalog keeps it. */
export function checkpointToJson({ stream, token, batch, positions, window }: Checkpoint): Json {
  return {
    ...(stream !== undefined && { stream }),
    ...(token !== undefined && { token }),
    batch,
    positions: { ...positions },
    window: { ...window },
  };
}

/** What the catalog keeps, read back; it was written by checkpointToJson. */
export function checkpointFromJson(json: Json): Checkpoint {
  return json as unknown as Checkpoint;
}

/** What came of the events of one source since the start. */
export interface SourceCounts {
  received: number;
  stored: number;
  storedBytes: number;
  /** Known already, and left out. */
  repeated: number;
  /** Larger than a record of the stream, or given up by a function. */
  failed: number;
}

/** Nothing came since the start. */
export const NO_COUNTS: Readonly<SourceCounts> = { received: 0, stored: 0, storedBytes: 0, repeated: 0, failed: 0 };
