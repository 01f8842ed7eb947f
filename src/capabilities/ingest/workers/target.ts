import type { ResumeMark } from '../arrival-headers.ts';
import type { Positions } from '../model.ts';
import type { EventBatch, RecordForm } from './event-batch.ts';

/** Where the events of a source go. */
export interface Target {
  /** Absent: not a stream. */
  readonly stream: string | undefined;
  /** What events are packed as; absent: they stay what came. */
  readonly form: RecordForm | undefined;
  /** Whether the position must be written after each batch, since nothing else says how far the source is. */
  readonly needsPosition: boolean;
  /** What is wrong with it, for people. */
  problem(): string | undefined;
  /** Resolves once all events are where they belong, or `signal` has aborted: then with false. */
  take(events: EventBatch, mark: ResumeMark, signal: AbortSignal): Promise<boolean>;
  /** Behind everything that stands there now, by shard. */
  positions(): Positions;
}
