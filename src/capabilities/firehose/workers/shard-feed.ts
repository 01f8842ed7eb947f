import type { ShardInfo, StreamInfo } from '../../../ports/records.ts';
import { positionKey, type Offset } from '../../../ports/stream-store.ts';
import { PieceGathering, type Piece } from '../function-batch.ts';
import { functionTarget, type FunctionTarget } from '../function-options.ts';
import { firehoseLimits } from '../limits.ts';
import { sourceStream, stepped, withoutGone, type DeliveryStream, type Range, type Step } from '../model.ts';
import { DeliveryNotes } from './delivery-notes.ts';
import { PieceDelivery } from './piece-delivery.ts';
import { LostOwnership, type ProgressLedger } from './progress-ledger.ts';
import { readOnward } from '../../../ports/read-onward.ts';
import { READ_LIMIT, readBytesMax } from '../range-slices.ts';
import type { WorkerDoors } from './worker.ts';

/** What the feeds of one delivery share. */
export interface FeedDoors extends WorkerDoors {
  readonly ledger: ProgressLedger;
  /** As it is now. */
  readonly delivery: () => DeliveryStream;
  /** Whether somebody waits for all that is there. */
  readonly isFlushed: () => boolean;
  /** The feed has come so far. */
  readonly moved: () => void;
  /** The shard is there, and was looked at. */
  readonly saw: (shard: ShardInfo) => void;
}

/**
 * Hands the records of one shard to a function, one event after the other: the next is made once the one before was
 * taken, or given up, and the position says so. A crash repeats the event that was under way. Nothing of an event is
 * held while it waits to be tried again.
 */
export class ShardFeed {
  readonly notes: DeliveryNotes;
  readonly #doors: FeedDoors;
  readonly #shard: ShardInfo;
  readonly #delivery: PieceDelivery;
  readonly #stop = new AbortController();
  readonly #cut = new AbortController();
  #wake = new AbortController();
  #position: Offset;
  /** When the first record of the gathering was found, on the clock that never steps back. */
  #gatheredSince = 0;

  constructor(shard: ShardInfo, doors: FeedDoors) {
    this.#shard = shard;
    this.#doors = doors;
    this.#position = doors.ledger.position(shard.ref);
    this.notes = new DeliveryNotes(doors.delivery().name, doors.environment);
    this.#delivery = new PieceDelivery({
      ...doors,
      shard,
      notes: this.notes,
      stopped: this.#stop.signal,
      cut: this.#cut.signal,
      step: async (step) => await this.#step(step),
    });
  }

  /** The first record that was neither taken nor given up. */
  get position(): Offset {
    return this.#position;
  }

  /** Ends a wait: for records, for the end of a window, or for the next try. */
  wake(): void {
    this.#wake.abort();
  }

  /** Ends behind the event that is under way. */
  stop(): void {
    this.#stop.abort();
    this.#wake.abort();
  }

  /** Ends the event that is under way; it counts as never handed over. */
  cut(): void {
    this.#cut.abort();
    this.stop();
  }

  /** Resolves at the end of the shard, when it is gone, or when it was stopped. Rejects with LostOwnership. */
  async run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        const piece = await this.#gather();
        if (piece === undefined) return;
        await this.#settle(piece);
      } catch (error) {
        if (error instanceof LostOwnership) throw error;
        if (this.#stream() === undefined) return;
        this.notes.failed(error);
        await this.#pause(firehoseLimits.idleMs);
      }
    }
  }

  /** The next records that make an event; undefined when there will be none. */
  async #gather(): Promise<Piece | undefined> {
    const { records } = this.#doors;
    let target = this.#target();
    let gathering = new PieceGathering(this.#from(), target);
    while (!this.#stop.signal.aborted) {
      const stream = this.#stream();
      if (stream === undefined) return undefined;
      this.#doors.saw(this.#shard);
      await this.#scan(gathering, stream);
      const { closedAt } = records.bounds(this.#shard);
      const isAtEnd = closedAt !== undefined && gathering.to >= closedAt;
      if (gathering.records === 0) this.#moveTo(gathering.to);
      else if (isAtEnd || this.#isDue(gathering)) return gathering.piece;
      if (isAtEnd) return undefined;
      await this.#wait(gathering);
      const now = this.#target();
      if (now.batchSize !== target.batchSize || gathering.records === 0) {
        target = now;
        gathering = new PieceGathering(this.#from(), target);
      }
    }
    return undefined;
  }

  async #scan(gathering: PieceGathering, stream: StreamInfo): Promise<void> {
    const { records, environment, memory } = this.#doors;
    const { signal } = this.#stop;
    while (!gathering.isFull && gathering.to < records.bounds(this.#shard).end && !this.#stop.signal.aborted) {
      const from = gathering.to;
      const place = { stream, shard: this.#shard, from, limit: READ_LIMIT };
      await memory.forScan(readBytesMax(stream), signal, async () => {
        const { slice } = await readOnward(records, place, this.notes);
        if (gathering.records === 0) this.#gatheredSince = environment.clock.monotonic();
        gathering.take(slice.records, slice.next);
      });
      if (gathering.to === from) return;
    }
  }

  #isDue(gathering: PieceGathering): boolean {
    return gathering.isFull || this.#doors.isFlushed() || this.#dueInMs() <= 0;
  }

  #dueInMs(): number {
    return this.#gatheredSince + this.#target().windowMs - this.#doors.environment.clock.monotonic();
  }

  async #wait(gathering: PieceGathering): Promise<void> {
    const { records, environment } = this.#doors;
    const { clock } = environment;
    if (this.#stop.signal.aborted) return;
    const wake = new AbortController();
    this.#wake = wake;
    const isGathering = gathering.records > 0;
    const cancel = isGathering ? clock.timer(Math.max(0, this.#dueInMs()), () => wake.abort()) : () => undefined;
    try {
      // A shard that is written all the time is looked at in larger pieces.
      if (isGathering) await clock.sleep(firehoseLimits.scanEveryMs, wake.signal);
      await records.waitForMore(this.#shard, gathering.to, wake.signal);
    } finally {
      cancel();
    }
  }

  /** Hands a piece over, whole or in parts, in order; resolves when nothing is left of it, or when it was stopped. */
  async #settle(whole: Piece): Promise<void> {
    let left: readonly Piece[] = [whole];
    while (!this.#stop.signal.aborted) {
      const [piece, ...others] = left;
      if (piece === undefined) return;
      const handed = await this.#delivery.handOver(piece, this.#stream());
      left = [...handed.left, ...others];
      if (handed.pauseMs !== undefined) await this.#pause(handed.pauseMs);
    }
  }

  /** Where an event begins. */
  #from(): Omit<Range, 'to'> {
    const { generation, ordinal } = this.#shard.ref;
    return { generation, ordinal, from: this.#position };
  }

  #moveTo(position: Offset): void {
    if (position === this.#position) return;
    this.#position = position;
    this.#doors.moved();
  }

  /** The stream as it is now; undefined when the shard is not, or no longer, one of its. */
  #stream(): StreamInfo | undefined {
    const stream = this.#doors.records.describe(sourceStream(this.#doors.delivery()));
    const key = positionKey(this.#shard.ref);
    return stream?.shards.some(({ ref }) => positionKey(ref) === key) === true ? stream : undefined;
  }

  #target(): FunctionTarget {
    return functionTarget(this.#doors.delivery().target.options);
  }

  /** Resolves after `ms`, when it is woken, or when it is stopped. */
  async #pause(ms: number): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#wake = new AbortController();
    await this.#doors.environment.clock.sleep(ms, this.#wake.signal);
  }

  /** Writes how far the function is, as often as it takes. Rejects with LostOwnership, at a stop with what kept it. */
  async #step(step: Omit<Step, 'shard'>): Promise<void> {
    const { ledger } = this.#doors;
    for (let isWritten = false; !isWritten;) {
      try {
        await ledger.change((progress) => {
          const after = stepped(progress, { ...step, shard: this.#shard.ref });
          const stream = this.#doors.records.describe(sourceStream(this.#doors.delivery()));
          if (stream === undefined) return after;
          return withoutGone(
            after,
            stream.shards.map(({ ref }) => ref),
          );
        });
        isWritten = true;
      } catch (error) {
        if (error instanceof LostOwnership || this.#stop.signal.aborted) throw error;
        this.notes.failed(error);
        await this.#pause(firehoseLimits.idleMs);
      }
    }
    this.#moveTo(step.to);
  }
}
