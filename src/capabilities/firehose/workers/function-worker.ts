import type { ShardInfo, StreamInfo } from '../../../ports/records.ts';
import { positionKey, type Offset, type ShardRef } from '../../../ports/stream-store.ts';
import { firehoseEvents } from '../events.ts';
import { countOf, sourceStream, withoutPositions, type DeliveryStream } from '../model.ts';
import { DeletedShards } from './deleted-shards.ts';
import { DeliveryNotes } from './delivery-notes.ts';
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
  readonly #notes: DeliveryNotes;
  readonly #deleted: DeletedShards;
  /** Shards that went with their stream, and of which it is told. */
  readonly #told = new Set<string>();
  #delivery: DeliveryStream;
  #telling: Promise<void> | undefined;
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
      looked: () => {
        this.#settleFlushes();
        this.#telling ??= this.#tellDeleted().finally(() => (this.#telling = undefined));
      },
    });
    this.#notes = new DeliveryNotes(delivery.name, doors.environment);
    this.#deleted = new DeletedShards(doors.records);
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
    await this.#telling;
  }

  async stop(): Promise<void> {
    await this.#follower.stop();
    await this.#telling;
  }

  async flush(signal: AbortSignal): Promise<boolean> {
    const { records, environment } = this.#doors;
    const source = sourceStream(this.#delivery);
    return await this.#flushes.wait({ records, clock: environment.clock, source }, signal, () => this.#follower.wake());
  }

  status(): DeliveryStatus {
    const { objects, records, failed = 0 } = this.#ledger.progress;
    const failure = this.#allNotes.map((notes) => notes.failure).find((one) => one !== undefined);
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
    const problems = new Set(this.#allNotes.flatMap((notes) => notes.problems()));
    return [...sourceProblems(this.#doors.records, this.#delivery), ...problems];
  }

  get #allNotes(): readonly DeliveryNotes[] {
    return [this.#notes, ...this.#follower.feeds.map(({ notes }) => notes)];
  }

  #open(shard: ShardInfo): ShardFeed {
    return new ShardFeed(shard, {
      ...this.#doors,
      ledger: this.#ledger,
      delivery: () => this.#delivery,
      isFlushed: () => this.#flushes.count > 0,
      moved: () => this.#settleFlushes(),
      saw: (one) => this.#deleted.see({ shards: [one] }),
    });
  }

  /** What went with a stream that was deleted is counted, said and shown, once nothing of it is under way. */
  async #tellDeleted(): Promise<void> {
    if (this.#isFenced) return;
    const stream = this.#stream();
    if (stream !== undefined) this.#deleted.see(stream);
    const { lost, settled } = this.#deleted.look(this.#ledger.progress, stream);
    for (const range of lost) {
      const key = positionKey(range);
      if (this.#told.has(key) || this.#follower.isUnderWay(range)) continue;
      this.#notes.lost(countOf(range), 'StreamDeleted');
      this.#told.add(key);
      this.#deleted.forget([key]);
    }
    const over = [...this.#told, ...settled];
    if (over.length === 0) return;
    try {
      await this.#ledger.change((progress) => withoutPositions(progress, over));
      this.#deleted.forget(settled);
      for (const key of over) this.#told.delete(key);
      this.#notes.succeeded();
    } catch (error) {
      if (error instanceof LostOwnership) this.#failed(error);
      else this.#notes.failed(error);
    }
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
