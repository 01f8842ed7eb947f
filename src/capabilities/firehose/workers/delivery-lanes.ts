import type { ShardInfo } from '../../../ports/records.ts';
import type { ShardRef, Offset } from '../../../ports/stream-store.ts';
import { firehoseLimits } from '../limits.ts';
import { firehoseEvents } from '../events.ts';
import { backupMetrics, destinationMetrics } from '../lane-metrics.ts';
import {
  NO_PROGRESS,
  progressToJson,
  PROGRESS_PREFIX,
  sourceStream,
  type DeliveryStream,
  type Intent,
} from '../model.ts';
import { sourceForm } from '../outgoing.ts';
import { behindLatestMs } from '../shard-lag.ts';
import { backupTarget } from '../targets.ts';
import type { BatchOutcome } from './batch-delivery.ts';
import { DeliveryHistory, historyEntry } from './delivery-history.ts';
import { DeliveryWorker } from './delivery-worker.ts';
import { MainLane, type ProcessedQueue } from './main-lane.ts';
import { storedProgress } from './progress-ledger.ts';
import { PROCESSING } from './transform-stage.ts';
import type { DeliveryStatus, Worker, WorkerDoors } from './worker.ts';

/** Behind the delivery's name: no delivery has a `/` in its own. */
export const BACKUP = '/backup';

/**
 * One delivery stream: a worker for its destination and, where each record also goes to a backup, one more for that.
 * Both read the stream on their own, so that neither waits for the other.
 */
export class DeliveryLanes implements Worker {
  readonly history: DeliveryHistory;
  readonly #doors: WorkerDoors;
  readonly #main: MainLane;
  #delivery: DeliveryStream;
  #backup: DeliveryWorker | undefined;
  #isStopped = false;
  /** Changes of the backup, one after the other. */
  #turn: Promise<void> = Promise.resolve();

  constructor(delivery: DeliveryStream, doors: WorkerDoors) {
    this.#delivery = delivery;
    this.#doors = doors;
    this.history = new DeliveryHistory(delivery.name, doors);
    this.#main = new MainLane(
      delivery,
      {
        metrics: (kind) => destinationMetrics(doors.environment.meter, kind, delivery.name),
        delivered: async (intent, outcome) => await this.#delivered(intent, outcome),
        trim: async () => await this.#trim(),
      },
      doors,
    );
  }

  start(): void {
    // What goes to both is to be found by both: the backup's place stands before anything is trimmed.
    this.#turn = this.#turn.then(async () => {
      await this.#followBackup();
      if (!this.#isStopped) await this.#main.start();
    });
  }

  update(delivery: DeliveryStream): void {
    this.#delivery = delivery;
    this.#main.update(delivery);
    this.#turn = this.#turn.then(async () => await this.#followBackup());
  }

  async drain(withinMs: number): Promise<void> {
    this.#isStopped = true;
    const main = this.#main.drain(withinMs);
    await this.#turn;
    await Promise.all([main, this.#backup?.drain(withinMs)]);
    this.history.end();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    const main = this.#main.stop();
    await this.#turn;
    await Promise.all([main, this.#backup?.stop()]);
    this.history.end();
  }

  async flush(signal: AbortSignal): Promise<boolean> {
    if (!(await this.#stands(signal))) return false;
    const flushed = await Promise.all([this.#main.flush(signal), this.#backup?.flush(signal) ?? true]);
    return flushed.every(Boolean);
  }

  /** Waits for the workers that are to be, a while: nobody settles what one is asked that gives way to another. */
  async #stands(signal: AbortSignal): Promise<boolean> {
    let stands = false;
    const waited = new AbortController();
    const leave = (): void => waited.abort();
    signal.addEventListener('abort', leave, { once: true });
    void this.#turn.then(async () => {
      await this.#main.switched();
      stands = true;
      leave();
    });
    await this.#doors.environment.clock.sleep(firehoseLimits.flushMs, waited.signal);
    signal.removeEventListener('abort', leave);
    return stands;
  }

  status(): DeliveryStatus {
    const backup = this.#backup?.status();
    return { ...this.#main.status(), ...(backup !== undefined && { backup }) };
  }

  position(shard: Pick<ShardRef, 'generation' | 'ordinal'>): Offset {
    return this.#main.position(shard);
  }

  /** What was processed and is not delivered yet; undefined: nothing is processed. */
  get queue(): ProcessedQueue | undefined {
    return this.#main.queue;
  }

  async measure(): Promise<void> {
    await this.#main.measure();
    this.#backup?.measure();
    const { records, environment } = this.#doors;
    const { name: delivery, from } = this.#delivery;
    if (from === undefined) return;
    const stream = records.describe(from);
    // Behind a stream that was deleted nobody is.
    const readTo = (shard: ShardInfo): Offset => this.#main.readTo(shard);
    const behindMs = stream === undefined ? 0 : await behindLatestMs(this.#doors, stream, readTo);
    environment.meter.gauge(firehoseEvents.behindLatest, { delivery }, behindMs);
  }

  problems(): string[] {
    const own = this.#main.problems();
    const others = (this.#backup?.problems() ?? []).filter((problem) => !own.includes(problem));
    return [...own, ...others.map((problem) => `backup: ${problem}`)];
  }

  /** Starts, changes or ends the backup's worker, by the options as they are now. */
  async #followBackup(): Promise<void> {
    const target = backupTarget(this.#doors.destinations, this.#delivery.target);
    if (target === undefined) return await this.#endBackup();
    const delivery = { ...this.#delivery, target };
    if (this.#backup !== undefined) return this.#backup.update(delivery);
    if (this.#isStopped || !(await this.#placeBackup())) return;
    this.#backup = new DeliveryWorker(
      delivery,
      {
        progress: delivery.name + BACKUP,
        metrics: () => backupMetrics(this.#doors.environment.meter, delivery.name),
        source: () => ({ stream: sourceStream(this.#delivery), form: sourceForm(this.#delivery) }),
        delivered: async (_intent, outcome) => this.#backedUp(outcome),
        trim: async () => await this.#trim(),
      },
      this.#doors,
    );
    this.#backup.start();
  }

  /** A backup begins where the delivery stands; true once the catalog says where. */
  async #placeBackup(): Promise<boolean> {
    const { catalog, environment } = this.#doors;
    const key = PROGRESS_PREFIX + this.#delivery.name + BACKUP;
    for (let isFirst = true; !this.#isStopped; isFirst = false) {
      try {
        if (!isFirst) await catalog.sync();
        if (catalog.get(key) !== undefined) return true;
        const { name } = this.#delivery;
        const stage = storedProgress(catalog, name + PROCESSING);
        const { positions } = (stage.revision === null ? storedProgress(catalog, name) : stage).progress;
        await catalog.propose([{ key, expect: null, put: progressToJson({ ...NO_PROGRESS, positions }) }]);
      } catch (error) {
        this.#main.notes.failed(error);
        await environment.clock.sleep(1000);
      }
    }
    return false;
  }

  async #endBackup(): Promise<void> {
    const { catalog } = this.#doors;
    const key = PROGRESS_PREFIX + this.#delivery.name + BACKUP;
    if (this.#backup !== undefined) {
      await this.#backup.stop();
      backupMetrics(this.#doors.environment.meter, this.#delivery.name).oldest(0);
    }
    this.#backup = undefined;
    if (catalog.get(key) === undefined || this.#isStopped) return;
    // Left behind, it would only be a place nobody reads.
    await catalog.propose([{ key, remove: true }]).catch((error: unknown) => this.#main.notes.failed(error));
  }

  async #delivered(intent: Intent, outcome: BatchOutcome): Promise<void> {
    const { environment } = this.#doors;
    const { clock } = environment;
    const { progress } = storedProgress(this.#doors.catalog, this.#delivery.name);
    const entry = historyEntry(intent, outcome, progress, clock.now());
    await this.history.add(entry, sourceStream(this.#delivery));
    this.#measure(intent, outcome);
  }

  #measure(intent: Intent, outcome: BatchOutcome): void {
    const { meter, log } = this.#doors.environment;
    const delivery = this.#delivery.name;
    const { place, records, failed, failedAt, unprocessedAt } = outcome;
    const bytes = intent.sizeBytes;
    if (failed > 0) {
      meter.count(firehoseEvents.recordsFailed, { delivery }, failed);
      log.error(firehoseEvents.errorOutput, { delivery, records: failed, place: failedAt ?? unprocessedAt });
    }
    if (place === undefined) return;
    meter.count(firehoseEvents.objects, { delivery });
    meter.count(firehoseEvents.recordsOut, { delivery }, records);
    meter.count(firehoseEvents.bytesOut, { delivery }, bytes);
    log.info(firehoseEvents.delivered, { delivery, records, bytes, place });
  }

  #backedUp({ place, records }: BatchOutcome): void {
    const { log } = this.#doors.environment;
    const delivery = this.#delivery.name;
    if (place !== undefined) log.info(firehoseEvents.backedUp, { delivery, records, place });
  }

  /** What was put directly is kept for nobody else than these two. */
  async #trim(): Promise<void> {
    const { records } = this.#doors;
    await this.#main.trim();
    if (this.#delivery.from !== undefined) return;
    for (const shard of records.describe(sourceStream(this.#delivery))?.shards ?? []) {
      const [own, backup] = [this.#main.savedPosition(shard.ref), this.#backup?.position(shard.ref)];
      await records.trim(shard, backup === undefined || own < backup ? own : backup);
    }
  }
}
