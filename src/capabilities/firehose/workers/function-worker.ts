import type { ShardInfo, StreamInfo } from '../../../ports/records.ts';
import { positionKey, type Offset, type ShardRef } from '../../../ports/stream-store.ts';
import { firehoseEvents } from '../events.ts';
import { firehoseLimits } from '../limits.ts';
import { sourceStream, type DeliveryStream } from '../model.ts';
import { FlushRequests } from './flush-requests.ts';
import { LostOwnership, ProgressLedger } from './progress-ledger.ts';
import { ShardFeed } from './shard-feed.ts';
import { FENCED, sourceProblems, type DeliveryStatus, type Worker, type WorkerDoors } from './worker.ts';

/**
 * Hands one stream to a function: each shard on its own and in order, a shard only once its parents are at their end.
 */
export class FunctionWorker implements Worker {
  readonly #doors: WorkerDoors;
  readonly #ledger: ProgressLedger;
  readonly #flushes = new FlushRequests();
  /** By shard; those that have ended went. */
  readonly #feeds = new Map<string, ShardFeed>();
  /** How far shards are whose position the catalog does not say: behind their last record may be nothing. */
  readonly #ended = new Map<string, Offset>();
  readonly #ending = new Set<Promise<void>>();
  #delivery: DeliveryStream;
  #wake = new AbortController();
  #isStopped = false;
  #isFenced = false;
  #running: Promise<void> | undefined;

  constructor(delivery: DeliveryStream, doors: WorkerDoors) {
    this.#delivery = delivery;
    this.#doors = doors;
    this.#ledger = new ProgressLedger(delivery.name, doors.catalog);
  }

  start(): void {
    this.#running = this.#run();
  }

  update(delivery: DeliveryStream): void {
    this.#delivery = delivery;
    for (const feed of this.#feeds.values()) feed.wake();
  }

  async drain(withinMs: number): Promise<void> {
    this.#end((feed) => feed.stop());
    const cancel = this.#doors.environment.clock.timer(withinMs, () => this.#end((feed) => feed.cut()));
    await this.#running;
    cancel();
  }

  async stop(): Promise<void> {
    this.#end((feed) => feed.cut());
    await this.#running;
  }

  async flush(signal: AbortSignal): Promise<boolean> {
    const { records, environment } = this.#doors;
    const source = sourceStream(this.#delivery);
    return await this.#flushes.wait({ records, clock: environment.clock, source }, signal, () => {
      for (const feed of this.#feeds.values()) feed.wake();
      this.#wake.abort();
    });
  }

  status(): DeliveryStatus {
    const { objects, records, failed = 0 } = this.#ledger.progress;
    const failure = [...this.#feeds.values()].map(({ notes }) => notes.failure).find((one) => one !== undefined);
    return {
      objects,
      records,
      last: undefined,
      failed,
      waitingRecords: this.#waiting(),
      waitingBytes: 0,
      failure: this.#isFenced ? FENCED : failure,
    };
  }

  position(shard: Pick<ShardRef, 'generation' | 'ordinal'>): Offset {
    return this.#feeds.get(positionKey(shard))?.position ?? this.#ledger.position(shard);
  }

  problems(): string[] {
    // Several shards mostly suffer from the same.
    const notes = new Set([...this.#feeds.values()].flatMap((feed) => feed.notes.problems()));
    return [...sourceProblems(this.#doors.records, this.#delivery), ...notes];
  }

  #end(how: (feed: ShardFeed) => void): void {
    this.#isStopped = true;
    for (const feed of this.#feeds.values()) how(feed);
    this.#wake.abort();
  }

  /** Looks for shards to begin with whenever one has ended, and for a stream that comes and goes. */
  async #run(): Promise<void> {
    const { clock } = this.#doors.environment;
    while (!this.#isStopped) {
      this.#wake = new AbortController();
      this.#follow();
      this.#settleFlushes();
      await clock.sleep(firehoseLimits.idleMs, this.#wake.signal);
    }
    await Promise.all(this.#ending);
  }

  #follow(): void {
    const stream = this.#stream();
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
    return closedAt !== undefined && this.#reached(shard) >= closedAt;
  }

  #reached(shard: ShardInfo): Offset {
    const key = positionKey(shard.ref);
    return this.#feeds.get(key)?.position ?? this.#ended.get(key) ?? this.#ledger.position(shard.ref);
  }

  #begin(key: string, shard: ShardInfo): void {
    const feed = new ShardFeed(shard, {
      ...this.#doors,
      ledger: this.#ledger,
      delivery: () => this.#delivery,
      isFlushed: () => this.#flushes.count > 0,
      moved: () => this.#settleFlushes(),
    });
    this.#feeds.set(key, feed);
    const ending = this.#feed(feed).finally(() => {
      this.#feeds.delete(key);
      this.#ended.set(key, feed.position);
      this.#ending.delete(ending);
      this.#wake.abort();
    });
    this.#ending.add(ending);
  }

  async #feed(feed: ShardFeed): Promise<void> {
    try {
      await feed.run();
    } catch (error) {
      // Nothing else ends a feed.
      if (!(error instanceof LostOwnership)) throw error;
      if (!this.#isFenced) {
        this.#doors.environment.log.warn(firehoseEvents.fenced, { delivery: this.#delivery.name });
      }
      this.#isFenced = true;
      this.#end((one) => one.cut());
    }
  }

  #settleFlushes(): void {
    if (this.#flushes.count === 0) return;
    const shards = this.#stream()?.shards ?? [];
    this.#flushes.settle(new Map(shards.map((shard) => [positionKey(shard.ref), this.#reached(shard)])));
  }

  /** About so many records are to come. */
  #waiting(): number {
    const shards = this.#stream()?.shards ?? [];
    return shards.reduce((sum, shard) => {
      const { start, end } = this.#doors.records.bounds(shard);
      const reached = this.#reached(shard);
      return sum + Number(end - (reached > start ? reached : start));
    }, 0);
  }

  #stream(): StreamInfo | undefined {
    return this.#doors.records.describe(sourceStream(this.#delivery));
  }
}
