import type { ShardInfo, StreamInfo } from '../../../ports/records.ts';
import { positionKey, type Offset, type ShardRef } from '../../../ports/stream-store.ts';
import { firehoseEvents } from '../events.ts';
import { sourceStream, type DeliveryStream } from '../model.ts';
import { FlushRequests } from './flush-requests.ts';
import { LostOwnership, ProgressLedger } from './progress-ledger.ts';
import { ShardFeed } from './shard-feed.ts';
import { ShardFollower } from './shard-follower.ts';
import { FENCED, sourceProblems, type DeliveryStatus, type Worker, type WorkerDoors } from './worker.ts';

/**
 * Hands one stream to a function: each shard on its own and in order, a shard only once its parents are at their end.
 */
export class FunctionWorker implements Worker {
  readonly #doors: WorkerDoors;
  readonly #ledger: ProgressLedger;
  readonly #flushes = new FlushRequests();
  readonly #follower: ShardFollower<ShardFeed>;
  #delivery: DeliveryStream;
  #isFenced = false;

  constructor(delivery: DeliveryStream, doors: WorkerDoors) {
    this.#delivery = delivery;
    this.#doors = doors;
    this.#ledger = new ProgressLedger(delivery.name, doors.catalog);
    this.#follower = new ShardFollower<ShardFeed>({
      records: doors.records,
      clock: doors.environment.clock,
      stream: () => this.#stream(),
      position: (shard) => this.#ledger.position(shard),
      open: (shard) => this.#open(shard),
      failed: (error) => this.#failed(error),
      looked: () => this.#settleFlushes(),
    });
  }

  start(): void {
    this.#follower.start();
  }

  update(delivery: DeliveryStream): void {
    this.#delivery = delivery;
    this.#follower.wake();
  }

  async drain(withinMs: number): Promise<void> {
    await this.#follower.drain(withinMs);
  }

  async stop(): Promise<void> {
    await this.#follower.stop();
  }

  async flush(signal: AbortSignal): Promise<boolean> {
    const { records, environment } = this.#doors;
    const source = sourceStream(this.#delivery);
    return await this.#flushes.wait({ records, clock: environment.clock, source }, signal, () => this.#follower.wake());
  }

  status(): DeliveryStatus {
    const { objects, records, failed = 0 } = this.#ledger.progress;
    const failure = this.#follower.feeds.map(({ notes }) => notes.failure).find((one) => one !== undefined);
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
    return this.#follower.reached(shard);
  }

  problems(): string[] {
    // Several shards mostly suffer from the same.
    const notes = new Set(this.#follower.feeds.flatMap((feed) => feed.notes.problems()));
    return [...sourceProblems(this.#doors.records, this.#delivery), ...notes];
  }

  #open(shard: ShardInfo): ShardFeed {
    return new ShardFeed(shard, {
      ...this.#doors,
      ledger: this.#ledger,
      delivery: () => this.#delivery,
      isFlushed: () => this.#flushes.count > 0,
      moved: () => this.#settleFlushes(),
    });
  }

  #failed(error: unknown): void {
    // Nothing else ends a feed.
    if (!(error instanceof LostOwnership)) throw error;
    if (!this.#isFenced) this.#doors.environment.log.warn(firehoseEvents.fenced, { delivery: this.#delivery.name });
    this.#isFenced = true;
  }

  #settleFlushes(): void {
    if (this.#flushes.count === 0) return;
    const shards = this.#stream()?.shards ?? [];
    this.#flushes.settle(new Map(shards.map((shard) => [positionKey(shard.ref), this.position(shard.ref)])));
  }

  /** About so many records are to come. */
  #waiting(): number {
    const shards = this.#stream()?.shards ?? [];
    return shards.reduce((sum, shard) => {
      const { start, end } = this.#doors.records.bounds(shard);
      const reached = this.position(shard.ref);
      return sum + Number(end - (reached > start ? reached : start));
    }, 0);
  }

  #stream(): StreamInfo | undefined {
    return this.#doors.records.describe(sourceStream(this.#delivery));
  }
}
