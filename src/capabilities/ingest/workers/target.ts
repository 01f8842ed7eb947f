import type { Arrival } from '../../../ports/source.ts';
import type { ResumeMark } from '../arrival-headers.ts';
import type { Positions } from '../model.ts';

/** An event on its way, with how it is known again. */
export interface Waiting {
  readonly arrival: Arrival;
  readonly digest: string | undefined;
}

/** Where the events of a source go. */
export interface Target {
  /** Absent: not a stream. */
  readonly stream: string | undefined;
  /** Whether the position must be written after each batch, since nothing else says how far the source is. */
  readonly needsPosition: boolean;
  /** What is wrong with it, for people. */
  problem(): string | undefined;
  /** Resolves once all events are where they belong, or `signal` has aborted: then with false. */
  take(events: readonly Waiting[], mark: ResumeMark, signal: AbortSignal): Promise<boolean>;
  /** Behind everything that stands there now, by shard. */
  positions(): Positions;
}
