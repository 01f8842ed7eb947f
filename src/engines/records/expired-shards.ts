import type { Clock } from '../../ports/environment.ts';
import type { ShardInfo, StreamInfo } from '../../ports/records.ts';
import { shardKey } from '../../ports/stream-store.ts';

/** A clock that was set ahead is believed after so long, as the cleaner of the log does. */
const DOUBT_MS = 15 * 60_000;

/** Finds closed shards that keep nothing any more, neither by the clock of now nor by that of a while ago. */
export class ExpiredShards {
  readonly #clock: Clock;
  /** Since when each is seen to have expired, in monotonic ms, by the store's keys. */
  #since = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Those of the streams that have stayed expired. */
  find(streams: readonly StreamInfo[]): readonly ShardInfo[] {
    const now = this.#clock.monotonic();
    const since = new Map<string, number>();
    const found: ShardInfo[] = [];
    for (const { shards, retentionMs } of streams) {
      const oldestAt = this.#clock.now() - retentionMs;
      for (const shard of shards) {
        if (shard.closedAt === undefined || shard.closedAt >= oldestAt) continue;
        const key = shardKey(shard.ref);
        const first = this.#since.get(key) ?? now;
        since.set(key, first);
        if (now - first >= DOUBT_MS) found.push(shard);
      }
    }
    this.#since = since;
    return found;
  }
}
