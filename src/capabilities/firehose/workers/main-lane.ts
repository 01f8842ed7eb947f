import { dropInternalStream, ensureInternalStream } from '../../../ports/internal-stream.ts';
import type { ShardInfo, StreamInfo } from '../../../ports/records.ts';
import type { Offset, ShardRef } from '../../../ports/stream-store.ts';
import { firehoseEvents } from '../events.ts';
import { firehoseLimits } from '../limits.ts';
import {
  NO_PROGRESS,
  progressToJson,
  PROGRESS_PREFIX,
  sourceStream,
  type DeliveryStream,
  type Intent,
  type Progress,
} from '../model.ts';
import { sourceForm } from '../outgoing.ts';
import { PROCESSED_PREFIX } from '../processed-record.ts';
import { behindLatestMs } from '../shard-lag.ts';
import { transformOf } from '../transform-options.ts';
import type { BatchSource } from './batch-records.ts';
import { DeliveryNotes } from './delivery-notes.ts';
import { DeliveryWorker, type DeliveryLane } from './delivery-worker.ts';
import { storedProgress } from './progress-ledger.ts';
import { PROCESSING, TransformStage } from './transform-stage.ts';
import type { DeliveryStatus, WorkerDoors } from './worker.ts';

type ShardPlace = Pick<ShardRef, 'generation' | 'ordinal'>;

/** What was processed and is not delivered yet. */
export interface ProcessedQueue {
  /** The internal stream it stands in; undefined: none yet. */
  readonly stream: StreamInfo | undefined;
  /** Its first place that is not delivered. */
  readonly from: Offset;
  /** By shard of the source, behind the last record that was delivered; undefined: an older version began it. */
  readonly origins: Progress['origins'];
}

/**
 * Brings the records of a delivery's source to its destination: as they came, or as a function made them. Where that
 * changes, what was begun in the one way ends in it, so that all records leave in their order, each once.
 */
export class MainLane {
  readonly notes: DeliveryNotes;
  readonly #doors: WorkerDoors;
  readonly #hooks: Pick<DeliveryLane, 'metrics' | 'delivered' | 'trim'>;
  readonly #stopped = new AbortController();
  #delivery: DeliveryStream;
  #worker: DeliveryWorker;
  #stage: TransformStage | undefined;
  #switching: Promise<void> | undefined;
  /** When the oldest record that waits for the function arrived, as it was measured last. */
  #unprocessedAt = Infinity;

  constructor(
    delivery: DeliveryStream,
    hooks: Pick<DeliveryLane, 'metrics' | 'delivered' | 'trim'>,
    doors: WorkerDoors,
  ) {
    this.#delivery = delivery;
    this.#hooks = hooks;
    this.#doors = doors;
    this.notes = new DeliveryNotes(delivery.name, doors.environment);
    this.#stage = this.#isProcessed() ? this.#newStage() : undefined;
    this.#worker = this.#newWorker();
  }

  /** Begins, in the way in which it was left; another way is found afterwards. */
  async start(): Promise<void> {
    if (this.#wantsProcessing() && !this.#isProcessed() && this.#worker.isIdle) await this.#switch();
    else await this.#run();
    this.#follow();
  }

  update(delivery: DeliveryStream): void {
    this.#delivery = delivery;
    this.#worker.update(delivery);
    this.#stage?.update(delivery);
    this.#follow();
  }

  async drain(withinMs: number): Promise<void> {
    this.#stopped.abort();
    await Promise.all([this.#worker.drain(withinMs), this.#stage?.drain(withinMs)]);
    await this.#switching;
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await Promise.all([this.#worker.stop(), this.#stage?.stop()]);
    await this.#switching;
  }

  /** Resolves once records go the way they are to go. */
  async switched(): Promise<void> {
    await this.#switching;
  }

  async flush(signal: AbortSignal): Promise<boolean> {
    if (this.#stage !== undefined && !(await this.#stage.flush(signal))) return false;
    return await this.#worker.flush(signal);
  }

  status(): DeliveryStatus {
    const status = this.#worker.status();
    if (this.#stage === undefined) return status;
    const { waitingRecords: unprocessedRecords } = this.#stage;
    const { origins } = this.#hasProcessed(this.#stage.into)
      ? storedProgress(this.#doors.catalog, this.#delivery.name).progress
      : NO_PROGRESS;
    return { ...status, unprocessedRecords, ...(origins !== undefined && { origins }) };
  }

  /** What was processed and is not delivered yet; undefined: nothing is processed. */
  get queue(): ProcessedQueue | undefined {
    if (this.#stage === undefined) return undefined;
    const stream = this.#doors.records.describe(this.#stage.into);
    const [shard] = stream?.shards ?? [];
    const { origins } = storedProgress(this.#doors.catalog, this.#delivery.name).progress;
    return { stream, from: shard === undefined ? 0n : this.#worker.position(shard.ref), origins };
  }

  /** Whether what was processed is still to be delivered. */
  #hasProcessed(into: string): boolean {
    const shards = this.#doors.records.describe(into)?.shards ?? [];
    return shards.some((shard) => this.#worker.position(shard.ref) < this.#doors.records.bounds(shard).end);
  }

  /** The first record of a shard of the source that is neither delivered nor processed. */
  position(shard: ShardPlace): Offset {
    return (this.#stage ?? this.#worker).position(shard);
  }

  /** The same as it is known after a crash: what stands before it in the source nobody needs. */
  savedPosition(shard: ShardPlace): Offset {
    return this.#stage?.savedPosition(shard) ?? this.#worker.position(shard);
  }

  /** The first record of a shard of the source that was not read. */
  readTo({ ref }: ShardInfo): Offset {
    return this.#stage?.position(ref) ?? this.#worker.readTo(ref);
  }

  /** Measures the age of what waits, be it for the function that processes it. */
  async measure(): Promise<void> {
    const { clock } = this.#doors.environment;
    const stage = this.#stage;
    const source = this.#doors.records.describe(sourceStream(this.#delivery));
    const waits = stage !== undefined && source !== undefined;
    const ageMs = waits ? await behindLatestMs(this.#doors, source, ({ ref }) => stage.position(ref)) : 0;
    this.#unprocessedAt = ageMs === 0 ? Infinity : clock.now() - ageMs;
    this.#worker.measure();
  }

  problems(): string[] {
    return this.#worker.problems();
  }

  /** Gives up what was processed and delivered. */
  async trim(): Promise<void> {
    const { records } = this.#doors;
    const stage = this.#stage;
    const shard = stage === undefined ? undefined : records.describe(stage.into)?.shards[0];
    if (stage === undefined || shard === undefined) return;
    const delivered = this.#worker.position(shard.ref);
    await records.trim(shard, delivered < stage.mark ? delivered : stage.mark);
  }

  #wantsProcessing(): boolean {
    return transformOf(this.#delivery.target) !== undefined;
  }

  #isProcessed(): boolean {
    return this.#doors.catalog.get(this.#stageKey()) !== undefined;
  }

  #stageKey(): string {
    return PROGRESS_PREFIX + this.#delivery.name + PROCESSING;
  }

  #newStage(): TransformStage {
    const read = (records: number, bytes: number): void => this.#read(records, bytes);
    return new TransformStage(this.#delivery, { ...this.#doors, notes: this.notes, read });
  }

  #newWorker(): DeliveryWorker {
    const source: BatchSource =
      this.#stage === undefined
        ? { stream: sourceStream(this.#delivery), form: sourceForm(this.#delivery) }
        : { stream: this.#stage.into, form: 'processed' };
    const { notes } = this;
    const isProcessed = this.#stage !== undefined;
    const begun = ({ recordCount, sizeBytes }: Intent): void => {
      // What was processed was read before.
      if (!isProcessed) this.#read(recordCount, sizeBytes);
    };
    const unprocessedAt = (): number => this.#unprocessedAt;
    const lane = { ...this.#hooks, progress: this.#delivery.name, source: () => source, notes, unprocessedAt, begun };
    return new DeliveryWorker(this.#delivery, lane, this.#doors);
  }

  #read(records: number, bytes: number): void {
    if (this.#delivery.from === undefined) return;
    const { meter } = this.#doors.environment;
    const labels = { delivery: this.#delivery.name };
    meter.count(firehoseEvents.readRecords, labels, records);
    meter.count(firehoseEvents.readBytes, labels, bytes);
  }

  /** Starts stage and worker as the catalog has it. */
  async #run(): Promise<void> {
    const { clock } = this.#doors.environment;
    for (let isStarted = false; !isStarted && !this.#stopped.signal.aborted;) {
      try {
        await this.#stage?.start();
        isStarted = true;
      } catch (error) {
        this.notes.failed(error);
        await clock.sleep(firehoseLimits.idleMs, this.#stopped.signal);
      }
    }
    if (this.#stopped.signal.aborted) await this.#stage?.stop();
    else this.#worker.start();
  }

  #follow(): void {
    this.#switching ??= this.#switchAll().finally(() => (this.#switching = undefined));
  }

  async #switchAll(): Promise<void> {
    while (!this.#stopped.signal.aborted && this.#wantsProcessing() !== this.#isProcessed()) await this.#switch();
  }

  /** From the one way to the other, or, where that fails, on in the one. */
  async #switch(): Promise<void> {
    const { catalog, environment } = this.#doors;
    try {
      await (this.#isProcessed() ? this.#endProcessing() : this.#beginProcessing());
    } catch (error) {
      this.notes.failed(error);
      await environment.clock.sleep(firehoseLimits.idleMs, this.#stopped.signal);
      // Whether the change was written is not known.
      await catalog.sync().catch((problem: unknown) => this.notes.failed(problem));
    }
    if (this.#stopped.signal.aborted) return;
    this.#stage = this.#isProcessed() ? this.#newStage() : undefined;
    this.#worker = this.#newWorker();
    await this.#run();
  }

  async #beginProcessing(): Promise<void> {
    const { records, catalog } = this.#doors;
    await this.#worker.finish();
    if (this.#stopped.signal.aborted) return;
    const name = PROCESSED_PREFIX + this.#delivery.name;
    // What an earlier one left behind when it was cut short was delivered.
    await dropInternalStream(records, name);
    await ensureInternalStream(records, {
      name,
      shardCount: 1,
      retentionMs: firehoseLimits.directRetentionMs,
      maxRecordBytes: firehoseLimits.processedBytesMax,
    });
    const { key, progress, revision } = storedProgress(catalog, this.#delivery.name);
    await catalog.propose([
      { key, expect: revision, put: progressToJson({ ...progress, positions: {}, origins: progress.positions }) },
      {
        key: this.#stageKey(),
        expect: null,
        put: progressToJson({ ...NO_PROGRESS, positions: progress.positions }),
      },
    ]);
  }

  async #endProcessing(): Promise<void> {
    const { catalog, records } = this.#doors;
    const stage = this.#stage;
    if (stage === undefined) return;
    await stage.drain(firehoseLimits.pauseMs);
    // All that was processed leaves at once: nothing is added to it.
    while (!(await this.#worker.flush(this.#stopped.signal))) {
      if (this.#stopped.signal.aborted || this.#wantsProcessing()) break;
    }
    await this.#worker.finish();
    if (this.#stopped.signal.aborted || this.#wantsProcessing()) return;
    const { key, progress, revision } = storedProgress(catalog, this.#delivery.name);
    const { origins: _, ...rest } = progress;
    await catalog.propose([
      { key, expect: revision, put: progressToJson({ ...rest, positions: stage.left() }) },
      { key: this.#stageKey(), remove: true },
    ]);
    await dropInternalStream(records, stage.into);
  }
}
