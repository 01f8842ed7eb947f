import type { Clock } from '../../../ports/environment.ts';
import type { Records, ShardInfo, StreamInfo } from '../../../ports/records.ts';
import { positionKey, type Offset, type ShardRef } from '../../../ports/stream-store.ts';
import { firehoseLimits } from '../limits.ts';

/** What works through one shard, from its position to its end. */
export interface Feed {
  /** The first record that is not done. */
  readonly position: Offset;
  /** Resolves at the end of the shard, when it is gone, or when it was stopped. */
  run(): Promise<void>;
  /** Ends a wait. */
  wake(): void;
  /** Ends behind what is under way. */
  stop(): void;
  /** Ends what is under way; it counts as never begun. */
  cut(): void;
}

/** A shard within its stream. */
type ShardPlace = Pick<ShardRef, 'generation' | 'ordinal'>;

/** What a stream is followed with. */
export interface FollowerDoors<F extends Feed> {
  readonly records: Records;
  readonly clock: Clock;
  /** The stream as it is now; undefined: it is not there. */
  readonly stream: () => StreamInfo | undefined;
  /** Where a shard stands that has no feed yet. */
  readonly position: (shard: ShardPlace) => Offset;
  readonly open: (shard: ShardInfo) => F;
  /** A feed ended with an error; all others are cut off then. */
  readonly failed: (error: unknown) => void;
  /** Called whenever the stream was looked at. */
  readonly looked: () => void;
}

/** Works through a stream: each shard on its own and in order, a shard only once its parents are at their end. */
export class ShardFollower<F extends Feed> {
  readonly #doors: FollowerDoors<F>;
  /** By shard; those that have ended went. */
  readonly #feeds = new Map<string, F>();
  /** How far shards are whose position is not kept: behind their last record may be nothing. */
  readonly #ended = new Map<string, Offset>();
  readonly #ending = new Set<Promise<void>>();
  #wake = new AbortController();
  #isStopped = false;
  #running: Promise<void> | undefined;

  constructor(doors: FollowerDoors<F>) {
    this.#doors = doors;
  }

  get feeds(): readonly F[] {
    return [...this.#feeds.values()];
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Ends all waits. */
  wake(): void {
    for (const feed of this.#feeds.values()) feed.wake();
    this.#wake.abort();
  }

  /** Ends what is under way within `withinMs`, then cuts it off. */
  async drain(withinMs: number): Promise<void> {
    this.#end((feed) => feed.stop());
    const cancel = this.#doors.clock.timer(withinMs, () => this.#end((feed) => feed.cut()));
    await this.#running;
    cancel();
  }

  /** Cuts off what is under way. */
  async stop(): Promise<void> {
    this.#end((feed) => feed.cut());
    await this.#running;
  }

  /** Whether something of the shard is under way. */
  isUnderWay(shard: ShardPlace): boolean {
    return this.#feeds.has(positionKey(shard));
  }

  /** How far a shard is. */
  reached(shard: ShardPlace): Offset {
    const key = positionKey(shard);
    return this.#feeds.get(key)?.position ?? this.#ended.get(key) ?? this.#doors.position(shard);
  }

  #end(how: (feed: F) => void): void {
    this.#isStopped = true;
    for (const feed of this.#feeds.values()) how(feed);
    this.#wake.abort();
  }

  /** Looks for shards to begin with whenever one has ended, and for a stream that comes and goes. */
  async #run(): Promise<void> {
    while (!this.#isStopped) {
      this.#wake = new AbortController();
      this.#follow();
      this.#doors.looked();
      await this.#doors.clock.sleep(firehoseLimits.idleMs, this.#wake.signal);
    }
    await Promise.all(this.#ending);
  }

  #follow(): void {
    const stream = this.#doors.stream();
    const shards = new Map(stream?.shards.map((shard) => [positionKey(shard.ref), shard] as const));
    for (const [key, feed] of this.#feeds) if (!shards.has(key)) feed.wake();
    for (const key of this.#ended.keys()) if (!shards.has(key)) this.#ended.delete(key);
    if (stream === undefined) return;
    for (const [key, shard] of shards) {
      if (!this.#feeds.has(key) && this.#isNext(stream, shard)) this.#begin(key, shard);
    }
  }

  #isNext(stream: StreamInfo, shard: ShardInfo): boolean {
    if (this.#isOver(shard)) return false;
    const parents = [shard.parentShardId, shard.adjacentParentShardId];
    return stream.shards.every((one) => !parents.includes(one.id) || this.#isOver(one));
  }

  #isOver(shard: ShardInfo): boolean {
    const { closedAt } = this.#doors.records.bounds(shard);
    return closedAt !== undefined && this.reached(shard.ref) >= closedAt;
  }

  #begin(key: string, shard: ShardInfo): void {
    const feed = this.#doors.open(shard);
    this.#feeds.set(key, feed);
    const ending = this.#feed(feed).finally(() => {
      this.#feeds.delete(key);
      this.#ended.set(key, feed.position);
      this.#ending.delete(ending);
      this.#wake.abort();
    });
    this.#ending.add(ending);
  }

  async #feed(feed: F): Promise<void> {
    try {
      await feed.run();
    } catch (error) {
      this.#doors.failed(error);
      this.#end((one) => one.cut());
    }
  }
}
