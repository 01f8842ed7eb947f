import type { Environment } from '../../ports/environment.ts';
import type { Segment } from './segment.ts';
import type { SegmentSet } from './segment-set.ts';
import type { ShardTable } from './shard-table.ts';

const CHECK_INTERVAL_MS = 60_000;

/** Removes segments of which nobody needs a record any more: when asked to, and every minute. */
export class Retention {
  readonly #environment: Environment;
  readonly #segments: SegmentSet;
  readonly #table: ShardTable;
  #cancelTimer: () => void = () => {};
  #running: Promise<void> | undefined;
  #isAskedAgain = false;
  #closed = false;

  constructor(environment: Environment, segments: SegmentSet, table: ShardTable) {
    this.#environment = environment;
    this.#segments = segments;
    this.#table = table;
  }

  start(): void {
    if (this.#closed) return;
    this.#cancelTimer = this.#environment.clock.timer(CHECK_INTERVAL_MS, () => {
      this.ask();
      this.start();
    });
  }

  /** Checks now, or again after the check under way. */
  ask(): void {
    this.#isAskedAgain = true;
    this.#running ??= this.#checkAll().finally(() => {
      this.#running = undefined;
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer();
    await this.#running;
  }

  async #checkAll(): Promise<void> {
    while (this.#isAskedAgain && !this.#closed) {
      this.#isAskedAgain = false;
      // The newest one tells the next start where all shards stand; one without a commit is only being begun.
      const newest = this.#segments.newest?.number ?? 0;
      for (const segment of this.#segments.all()) {
        if (segment.number < newest && this.#isExpired(segment)) await this.#delete(segment);
      }
    }
  }

  async #delete(segment: Segment): Promise<void> {
    for (const share of segment.shares.values()) {
      const { state } = share;
      const at = state.shares.indexOf(share);
      if (at >= 0) state.shares.splice(at, 1);
      if (share.hasRecords) state.advanceStart(share.end);
      state.mentions -= 1;
      this.#table.forgetIfGone(state);
    }
    try {
      await this.#segments.delete(segment);
      this.#environment.log.info('log.segment.deleted', { path: segment.path, bytes: segment.fileBytes });
    } catch (error) {
      // The next start finds the file again, and removes it again.
      this.#environment.log.warn('log.segment.stuck', { path: segment.path, error: String(error) });
    }
  }

  #isExpired(segment: Segment): boolean {
    return segment.liveBytes(this.#environment.clock.now()) === 0;
  }
}
