import type { Contender } from './contenders.ts';
import type { Figures } from './figures.ts';
import type { BenchOptions } from './options.ts';

/** Where and with what a measurement runs. */
export interface Place {
  readonly contender: Contender;
  /** An empty directory of its own, on the disk that is measured. */
  readonly scratch: string;
  readonly options: BenchOptions;
  /** Aborted when the measurement takes too long: servers are killed then. */
  readonly signal: AbortSignal;
}

/** What a measurement found out. */
export interface Outcome {
  readonly figures: Figures;
  /** What is wrong with what came back; empty: nothing. */
  readonly problems: readonly string[];
}

/** One row group of the table. */
export interface Scenario {
  /** For `--only`. */
  readonly name: string;
  /** Says in the table what is done. */
  readonly title: string;
  /** Runs only when `--only` names it: it needs much time or disk. */
  readonly onRequest: boolean;
  /** Measures millrace only: the peers keep everything in memory. */
  readonly millraceOnly: boolean;
  /** Needs consumers and SubscribeToShard. */
  readonly isFanOut?: true;
  /** Rounds that are enough, whatever `--rounds` says. */
  readonly roundsMax?: number;
  /** A measurement that takes longer than this hangs. */
  secondsMax(options: BenchOptions): number;
  measure(place: Place): Promise<Outcome>;
}
