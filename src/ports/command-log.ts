import type { Offset } from './stream-store.ts';

/** One command as it stands in the total order; `at` is the log's time in ms. */
export interface LoggedCommand {
  readonly offset: Offset;
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** Multi-writer log with one total order, for the catalog only. A command may stand twice: the fold drops the copy. */
export interface CommandLog {
  /** Resolves once durable; says nothing about the verdict, which only reading the command back gives. */
  append(commands: readonly Uint8Array[]): Promise<void>;
  /** Durable commands from `from` on, waiting for more until `signal` aborts. */
  tail(from: Offset, signal: AbortSignal): AsyncIterable<readonly LoggedCommand[]>;
  /** First offset not yet durable. */
  end(): Promise<Offset>;
  /** Stores the parts, one behind the other, as one snapshot: whole or not at all. */
  saveSnapshot(at: Offset, parts: AsyncIterable<Uint8Array>): Promise<void>;
  /** The newest whole snapshot, if any; `at` is the first offset it does not cover. */
  loadSnapshot(): Promise<{ readonly at: Offset; readonly bytes: Uint8Array } | undefined>;
  /** A hint: commands below `before` are covered by a snapshot. */
  trim(before: Offset): Promise<void>;
}
