import { InTurns } from '../../kernel/flow/in-turns.ts';
import { nextTurn } from '../../kernel/flow/next-turn.ts';
import type { Clock } from '../../ports/environment.ts';
import type { Records, ShardInfo } from '../../ports/records.ts';
import { type Offset, shardKey } from '../../ports/stream-store.ts';

/** Who is woken goes on with a page over all shards. */
const WOKEN_PER_TURN = 1;
/** Shards that one watcher joins, or leaves, in one turn: about a millisecond's work. */
const JOINED_PER_TURN = 100;
/** Why waits are given up that nobody has any more; where nothing is said, the platform makes an error for each. */
const NOBODY_WAITS = 'nobody waits';

/** One who waits for any of several shards. */
interface Watcher {
  readonly wake: () => void;
  readonly fail: (error: unknown) => void;
  /** Its turn is to come, or it went away: what else happens to its shards tells it nothing new. */
  isDue: boolean;
  /** It is watching no longer. */
  isGone: boolean;
  readonly joined: [string, Shared][];
}

/** The one wait for a shard that all who watch it share, from the shard's end on. */
interface Shared {
  readonly end: bigint;
  readonly stop: AbortController;
  readonly watchers: Set<Watcher>;
}

/**
 * Waits of many for many shards: each shard is waited for once, so that a record costs as much as there are watchers of
 * its own shard.
 */
export class ShardWaits {
  readonly #records: Records;
  readonly #clock: Clock;
  readonly #woken: InTurns;
  readonly #shared = new Map<string, Shared>();
  #watching = 0;

  constructor(records: Records, clock: Clock) {
    this.#records = records;
    this.#clock = clock;
    this.#woken = new InTurns(WOKEN_PER_TURN, (run) => clock.soon(run));
  }

  /** How many wait. */
  get watching(): number {
    return this.#watching;
  }

  /** How many shards are waited for; for tests. */
  get shards(): number {
    return this.#shared.size;
  }

  /**
   * Resolves when a shard gets more than up to its end as it is now, or is closed, or at `signal`; rejects as Records
   * does. The caller has seen the ends already, and to look once more at hundreds takes as long again.
   */
  async any(ends: ReadonlyMap<ShardInfo, Offset>, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    let watcher: Watcher | undefined;
    this.#watching += 1;
    try {
      await new Promise<void>((wake, fail) => {
        watcher = { wake, fail, isDue: false, isGone: false, joined: [] };
        signal.addEventListener('abort', () => wake(), { once: true });
        this.#joinAll(ends, watcher).catch(fail);
      });
    } finally {
      this.#watching -= 1;
      if (watcher !== undefined) void this.#leaveAll(watcher);
    }
  }

  async #joinAll(ends: ReadonlyMap<ShardInfo, Offset>, watcher: Watcher): Promise<void> {
    let index = 0;
    for (const [shard, end] of ends) {
      if (index > 0 && index % JOINED_PER_TURN === 0) await this.#turn();
      if (watcher.isGone) return;
      if (index >= JOINED_PER_TURN && this.#records.bounds(shard).end > end) return watcher.wake();
      const key = shardKey(shard.ref);
      watcher.joined.push([key, this.#join(key, shard, end, watcher)]);
      index += 1;
    }
  }

  /** Never rejects. */
  async #leaveAll(watcher: Watcher): Promise<void> {
    watcher.isGone = true;
    watcher.isDue = true;
    for (const [index, [key, shared]] of watcher.joined.entries()) {
      if (index > 0 && index % JOINED_PER_TURN === 0) await this.#turn();
      this.#leave(key, shared, watcher);
    }
  }

  async #turn(): Promise<void> {
    await nextTurn(this.#clock);
  }

  #join(key: string, shard: ShardInfo, end: bigint, watcher: Watcher): Shared {
    let shared = this.#shared.get(key);
    // One from before the last record is about to wake those who wait for that.
    if (shared?.end !== end) {
      shared = { end, stop: new AbortController(), watchers: new Set() };
      this.#shared.set(key, shared);
      void this.#wait(shard, shared);
    }
    shared.watchers.add(watcher);
    return shared;
  }

  /** Never rejects. */
  async #wait(shard: ShardInfo, shared: Shared): Promise<void> {
    try {
      await this.#records.waitForMore(shard, shared.end, shared.stop.signal);
      this.#forget(shardKey(shard.ref), shared);
      this.#woken.run(newlyDue(shared).map(({ wake }) => wake));
    } catch (error) {
      this.#forget(shardKey(shard.ref), shared);
      this.#woken.run(
        Array.from(
          shared.watchers,
          ({ fail }) =>
            () =>
              fail(error),
        ),
      );
    }
  }

  #leave(key: string, shared: Shared, watcher: Watcher): void {
    shared.watchers.delete(watcher);
    if (shared.watchers.size > 0) return;
    this.#forget(key, shared);
    shared.stop.abort(NOBODY_WAITS);
  }

  #forget(key: string, shared: Shared): void {
    if (this.#shared.get(key) === shared) this.#shared.delete(key);
  }
}

/** Those of a shard's watchers who were not waiting for their turn yet. */
function newlyDue({ watchers }: Shared): readonly Watcher[] {
  const due = Array.from(watchers).filter(({ isDue }) => !isDue);
  for (const watcher of due) watcher.isDue = true;
  return due;
}
