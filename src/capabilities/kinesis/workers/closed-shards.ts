import type { Clock } from '../../../ports/environment.ts';
import type { Records } from '../../../ports/records.ts';
import { kinesisLimits } from '../limits.ts';

/** A worker that lets closed shards go some time after the last of their records. */
export interface ClosedShards {
  stop(): void;
}

/** Starts it. */
export function forgetClosedShards(records: Records, clock: Clock): ClosedShards {
  const stop = new AbortController();
  void (async () => {
    while (!stop.signal.aborted) {
      await clock.sleep(kinesisLimits.closedShardsEveryMs, stop.signal);
      if (!stop.signal.aborted) await records.forgetClosed();
    }
  })();
  return { stop: () => stop.abort() };
}
