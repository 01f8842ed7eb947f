import type { StreamInfo } from '../../../ports/records.ts';
import { positionKey, type Offset, type ShardRef } from '../../../ports/stream-store.ts';
import { firehoseEvents } from '../events.ts';
import type { LaneMetrics } from '../lane-metrics.ts';
import { firehoseLimits } from '../limits.ts';
import {
  completed,
  countOf,
  withoutGone,
  withoutPositions,
  type DeliveryStream,
  type Intent,
  type LossCause,
} from '../model.ts';
import { bufferingOf } from '../targets.ts';
import { BatchDelivery, type BatchOutcome } from './batch-delivery.ts';
import { planBatch } from './batch-plan.ts';
import type { StreamSource } from './batch-records.ts';
import { DeletedShards } from './deleted-shards.ts';
import { DeliveryNotes } from './delivery-notes.ts';
import { FlushRequests } from './flush-requests.ts';
import { LostOwnership, ProgressLedger, repeatsOf } from './progress-ledger.ts';
import { SourceGatherer } from './source-gatherer.ts';
import { FENCED, sourceProblems, type DeliveryStatus, type Worker, type WorkerDoors } from './worker.ts';

/** What differs between what one delivery stream sets going. */
export interface DeliveryLane {
  /** Names the position in the catalog. */
  readonly progress: string;
  /** What it reads. */
  readonly source: () => StreamSource;
  /** Kept over workers that follow each other. */
  readonly notes?: DeliveryNotes;
  /** What it is measured by, where it goes to a destination of this kind. */
  readonly metrics: (kind: string) => LaneMetrics;
  /** When the oldest record arrived that is to be processed before it can be read here; absent: there is none. */
  readonly unprocessedAt?: () => number;
  /** What was read, and is to be delivered. */
  readonly begun?: (intent: Intent) => void;
  /** What was delivered: before the position says so, so that a crash in between delivers it again. */
  readonly delivered: (intent: Intent, outcome: BatchOutcome) => Promise<void>;
  /** Resolves once what nobody needs any more is trimmed. */
  readonly trim: () => Promise<void>;
}

/**
 * Delivers one stream: gathers a range of records, writes the intent to the log, hands the records to the destination
 * as often as it takes, then writes how far it is. A crash at any moment repeats the same batch to the same place.
 */
export class DeliveryWorker implements Omit<Worker, 'measure'> {
  readonly notes: DeliveryNotes;
  readonly #doors: WorkerDoors;
  readonly #lane: DeliveryLane;
  readonly #stop = new AbortController();
  readonly #cut = new AbortController();
  readonly #ledger: ProgressLedger;
  readonly #flushes = new FlushRequests();
  readonly #gatherer: SourceGatherer;
  readonly #deleted: DeletedShards;
  #delivery: DeliveryStream;
  /** The intent of which an attempt may have been made, in this life or in the one before. */
  #begun: string | undefined;
  /** Records of the batch under way of which was told that they are gone, however often it is begun. */
  #lostOfBatch = 0;
  #measuredKind: string | undefined;
  #isFenced = false;
  #isFinishing = false;
  #running: Promise<void> | undefined;

  constructor(delivery: DeliveryStream, lane: DeliveryLane, doors: WorkerDoors) {
    this.#delivery = delivery;
    this.#lane = lane;
    this.#doors = doors;
    this.#ledger = new ProgressLedger(lane.progress, doors.catalog);
    this.#begun = this.#ledger.progress.intent?.id;
    this.notes = lane.notes ?? new DeliveryNotes(delivery.name, doors.environment);
    this.#deleted = new DeletedShards(doors.records);
    this.#gatherer = new SourceGatherer({
      ...doors,
      notes: this.notes,
      buffering: () => bufferingOf(doors.destinations, this.#delivery.target),
      form: () => lane.source().form,
      position: ({ ref }) => this.#ledger.position(ref),
      stopped: this.#stop.signal,
    });
  }

  start(): void {
    this.#running = this.#run();
  }

  update(delivery: DeliveryStream): void {
    this.#delivery = delivery;
    this.#gatherer.reset();
    this.#gatherer.wake();
  }

  async drain(withinMs: number): Promise<void> {
    this.#stop.abort();
    this.#gatherer.wake();
    const cancel = this.#doors.environment.clock.timer(withinMs, () => this.#cut.abort());
    await this.#running;
    cancel();
  }

  async stop(): Promise<void> {
    this.#cut.abort();
    await this.drain(0);
  }

  /** Whether no batch is under way. */
  get isIdle(): boolean {
    return this.#ledger.progress.intent === undefined;
  }

  /** Begins no other batch; resolves once none is under way. What was only gathered stays in the log. */
  async finish(): Promise<void> {
    this.#isFinishing = true;
    this.#gatherer.wake();
    await this.#running;
  }

  async flush(signal: AbortSignal): Promise<boolean> {
    const { records, environment } = this.#doors;
    const { stream: source } = this.#lane.source();
    return await this.#flushes.wait({ records, clock: environment.clock, source }, signal, () => this.#gatherer.wake());
  }

  status(): DeliveryStatus {
    const { objects, records, last, failed = 0, lost = 0, duplicates = 0, intent } = this.#ledger.progress;
    const { recordCount, sizeBytes } = this.#gatherer.gathering;
    return {
      objects,
      records,
      last,
      failed,
      lost,
      duplicates,
      waitingRecords: recordCount,
      waitingBytes: sizeBytes,
      dueInMs: this.#gatherer.dueInMs,
      underway: intent,
      attempts: this.notes.log,
      nextAttemptInMs: this.notes.nextInMs,
      failure: this.#isFenced ? FENCED : this.notes.failure,
    };
  }

  position(shard: Pick<ShardRef, 'generation' | 'ordinal'>): Offset {
    return this.#ledger.position(shard);
  }

  /** The first record of the shard that was not read, to be delivered sooner or later. */
  readTo(shard: ShardRef): Offset {
    const { intent } = this.#ledger.progress;
    const underway = intent?.ranges.find((range) => positionKey(range) === positionKey(shard));
    return this.#gatherer.gathering.cursor(shard, underway?.to ?? this.position(shard));
  }

  /** Measures the age of the oldest record that was read, or waits to be processed, and is not delivered. */
  measure(): void {
    const { intent } = this.#ledger.progress;
    const unprocessedAt = this.#lane.unprocessedAt?.() ?? Infinity;
    const oldestAt = Math.min(intent?.oldestAt ?? Infinity, this.#gatherer.gathering.oldestAt, unprocessedAt);
    const ageMs = oldestAt === Infinity ? 0 : Math.max(0, this.#doors.environment.clock.now() - oldestAt);
    const { kind } = (intent ?? this.#delivery).target;
    if (this.#measuredKind !== kind) this.#endMeasures();
    this.#measuredKind = kind;
    this.#lane.metrics(kind).oldest(ageMs);
  }

  /** Nothing waits for a destination that nothing goes to any more. */
  #endMeasures(): void {
    if (this.#measuredKind !== undefined) this.#lane.metrics(this.#measuredKind).oldest(0);
  }

  problems(): string[] {
    return [...sourceProblems(this.#doors.records, this.#delivery), ...this.notes.problems()];
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#doors.environment;
    while (!this.#stop.signal.aborted && !(this.#isFinishing && this.isIdle)) {
      try {
        await this.#turn();
      } catch (error) {
        if (error instanceof LostOwnership) {
          this.#isFenced = true;
          log.warn(firehoseEvents.fenced, { delivery: this.#delivery.name });
          return;
        }
        this.notes.failed(error);
        await clock.sleep(firehoseLimits.idleMs, this.#stop.signal);
        await this.#reread();
      }
    }
  }

  async #turn(): Promise<void> {
    const { intent } = this.#ledger.progress;
    if (intent !== undefined) {
      await this.#complete(intent);
      return;
    }
    const stream = this.#doors.records.describe(this.#lane.source().stream);
    if (stream !== undefined) this.#deleted.see(stream);
    if (await this.#tellDeleted(stream)) return;
    if (stream === undefined) {
      await this.#doors.environment.clock.sleep(firehoseLimits.idleMs, this.#stop.signal);
      return;
    }
    const gatherer = this.#gatherer;
    await gatherer.gather(stream);
    if (this.#stop.signal.aborted || this.#isFinishing) return;
    this.#finishFlushes(stream);
    const isAsked = this.#flushes.count > 0;
    if (gatherer.isDue(isAsked)) return await this.#begin(stream);
    gatherer.listen();
    // A flush that was asked for just now must not wait for the next record.
    if (this.#flushes.count > 0 && !gatherer.gathering.isEmpty) return;
    await gatherer.wait(stream);
  }

  async #begin(stream: StreamInfo): Promise<void> {
    const intent = await this.#plan(this.#gatherer.gathering);
    const shards = stream.shards.map(({ ref }) => ref);
    await this.#ledger.change((progress) => ({ ...withoutGone(progress, shards), intent }));
    this.#gatherer.reset();
    this.#lane.begun?.(intent);
  }

  async #plan(gathered: Parameters<typeof planBatch>[2]): Promise<Intent> {
    return await planBatch(this.#doors, this.#delivery, gathered, this.#lane.source().form);
  }

  /** What went with a stream that was deleted becomes a batch of its own; false: nothing did. */
  async #tellDeleted(stream: StreamInfo | undefined): Promise<boolean> {
    const { lost: ranges, settled } = this.#deleted.look(this.#ledger.progress, stream);
    if (settled.length > 0) {
      await this.#ledger.change((progress) => withoutPositions(progress, settled));
      this.#deleted.forget(settled);
    }
    if (ranges.length === 0) return false;
    const recordCount = ranges.reduce((sum, range) => sum + countOf(range), 0);
    const gone = { ranges, recordCount, sizeBytes: 0, oldestAt: this.#doors.environment.clock.now() };
    const intent = { ...(await this.#plan(gone)), isOfDeleted: true as const };
    await this.#ledger.change((progress) => ({ ...withoutPositions(progress, ranges.map(positionKey)), intent }));
    this.#gatherer.reset();
    return true;
  }

  /** Hands the batch over until it has arrived, or stands in the error output. */
  async #complete(intent: Intent): Promise<void> {
    const batch = new BatchDelivery(intent, {
      ...this.#doors,
      notes: this.notes,
      source: this.#lane.source(),
      delivery: () => this.#delivery,
      stopped: this.#stop.signal,
      cut: this.#cut.signal,
      isRepeated: intent.id === this.#begun,
      repeats: repeatsOf(this.#ledger),
      attempted: () => {
        this.#lane.metrics(intent.target.kind).attempted();
        this.measure();
      },
      lost: (count, cause) => this.#lost(count, cause),
    });
    this.#begun = intent.id;
    const outcome = await batch.run();
    if (outcome === undefined) return;
    if (outcome === 'plan again') {
      const planned = await this.#plan(intent);
      await this.#ledger.change((progress) => ({ ...progress, intent: planned }));
      return;
    }
    const { place, records } = outcome;
    const measures = { records, bytes: intent.sizeBytes, isSuccess: place !== undefined };
    this.#lane.metrics(intent.target.kind).over(measures);
    await this.#lane.delivered(intent, outcome);
    await this.#ledger.change((progress) => completed(progress, outcome));
    this.#lostOfBatch = 0;
    if (intent.isOfDeleted === true) this.#deleted.forget(intent.ranges.map(positionKey));
    this.notes.succeeded();
    await this.#lane.trim();
  }

  #lost(count: number, cause: LossCause): void {
    if (count <= this.#lostOfBatch) return;
    this.notes.lost(count - this.#lostOfBatch, cause);
    this.#lostOfBatch = count;
  }

  #finishFlushes(stream: StreamInfo): void {
    if (this.#flushes.count === 0) return;
    const reached = new Map(stream.shards.map((shard) => [positionKey(shard.ref), this.position(shard.ref)]));
    // With nothing gathered there is nothing left before the end, though a position may not say so.
    this.#flushes.settle(reached, this.#gatherer.gathering.isEmpty);
  }

  async #reread(): Promise<void> {
    const isNew = await this.#ledger.reread().catch(() => false);
    if (isNew) this.#gatherer.reset();
  }
}
