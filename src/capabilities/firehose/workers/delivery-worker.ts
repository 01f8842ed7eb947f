import { Defect, DeliveryError, EnvironmentError } from '../../../kernel/errors.ts';
import { backoffMs } from '../../../kernel/flow/backoff.ts';
import type { BlobStore } from '../../../ports/blob-store.ts';
import type { Catalog, Revision } from '../../../ports/catalog.ts';
import type { AnyDestination, Batch, OpenDestination, OutgoingRecord } from '../../../ports/destination.ts';
import type { Environment } from '../../../ports/environment.ts';
import { StreamNotFound, type Records, type ShardInfo, type StreamInfo } from '../../../ports/records.ts';
import { Damaged, Unavailable, UnknownShard, type Offset, type Slice } from '../../../ports/stream-store.ts';
import { firehoseEvents } from '../events.ts';
import { Gathering } from '../gathering.ts';
import { firehoseLimits } from '../limits.ts';
import {
  completed,
  NO_PROGRESS,
  positionKey,
  PROGRESS_PREFIX,
  progressFromJson,
  progressToJson,
  sourceStream,
  withoutGone,
  type DeliveryStream,
  type Intent,
  type Outcome,
  type Progress,
  type Target,
} from '../model.ts';
import { isFirstOfStored, outgoingRecords, READ_LIMIT } from '../outgoing.ts';

/** What a worker works with. */
export interface WorkerDoors {
  readonly records: Records;
  readonly catalog: Catalog;
  readonly blobs: BlobStore;
  readonly destinations: readonly AnyDestination[];
  readonly environment: Environment;
}

/** How a delivery fares, for people. */
export interface DeliveryStatus {
  readonly objects: number;
  readonly records: number;
  readonly last: string | undefined;
  /** Records and bytes gathered for the next batch. */
  readonly waitingRecords: number;
  readonly waitingBytes: number;
  /** Why the last attempt failed, while it is being repeated. */
  readonly failure: string | undefined;
}

/** Causes can quote keys of a thousand characters. */
const MESSAGE_MAX = 300;

type LossCause = 'RetentionExceeded' | 'StreamDeleted' | 'LogDamaged';

interface Flush {
  readonly targets: ReadonlyMap<string, Offset>;
  readonly done: () => void;
}

/**
 * Delivers one stream: gathers a range of records, writes the intent to the log, hands the records to the destination
 * as often as it takes, then writes how far it is. A crash at any moment repeats the same batch to the same place.
 */
export class DeliveryWorker {
  readonly #doors: WorkerDoors;
  readonly #stop = new AbortController();
  readonly #cut = new AbortController();
  #delivery: DeliveryStream;
  #progress: Progress;
  #revision: Revision | undefined;
  #gathering: Gathering;
  /** When the first record of the gathering was found, on the clock that never steps back. */
  #gatheredSince = 0;
  #wake = new AbortController();
  #flushes: readonly Flush[] = [];
  #failure: string | undefined;
  #attempts = 0;
  #lostAt = -Infinity;
  /** Records that the latest pass over an intent found. */
  #yielded = 0;
  #lossNotedOf: string | undefined;
  #isFenced = false;
  #running: Promise<void> | undefined;

  constructor(delivery: DeliveryStream, doors: WorkerDoors) {
    this.#delivery = delivery;
    this.#doors = doors;
    const stored = doors.catalog.get(PROGRESS_PREFIX + delivery.name);
    this.#progress = stored === undefined ? NO_PROGRESS : progressFromJson(stored.value);
    this.#revision = stored?.revision;
    this.#gathering = new Gathering(this.#bytesMax());
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Batches begun from now on go by these options. */
  update(delivery: DeliveryStream): void {
    this.#delivery = delivery;
    this.#gathering = new Gathering(this.#bytesMax());
    this.#wake.abort();
  }

  /** Finishes the batch that is under way; what is only gathered stays in the log. */
  async drain(withinMs: number): Promise<void> {
    this.#stop.abort();
    this.#wake.abort();
    const cancel = this.#doors.environment.clock.timer(withinMs, () => this.#cut.abort());
    await this.#running;
    cancel();
  }

  async stop(): Promise<void> {
    this.#cut.abort();
    await this.drain(0);
  }

  /** Resolves with true once everything that stood in the stream at the call is delivered, with false after a while. */
  async flush(signal: AbortSignal): Promise<boolean> {
    const { records, environment } = this.#doors;
    const stream = records.describe(sourceStream(this.#delivery));
    if (stream === undefined) return true;
    const targets = new Map(stream.shards.map((shard) => [positionKey(shard.ref), records.bounds(shard).end] as const));
    let isDone = false;
    const waited = new AbortController();
    const flush: Flush = {
      targets,
      done: () => {
        isDone = true;
        waited.abort();
      },
    };
    this.#flushes = [...this.#flushes, flush];
    this.#wake.abort();
    const leave = (): void => waited.abort();
    signal.addEventListener('abort', leave, { once: true });
    await environment.clock.sleep(firehoseLimits.flushMs, waited.signal);
    signal.removeEventListener('abort', leave);
    this.#flushes = this.#flushes.filter((one) => one !== flush);
    return isDone;
  }

  status(): DeliveryStatus {
    const { objects, records, last } = this.#progress;
    return {
      objects,
      records,
      last,
      waitingRecords: this.#gathering.recordCount,
      waitingBytes: this.#gathering.sizeBytes,
      failure: this.#isFenced ? 'somebody else delivers this stream now' : this.#failure,
    };
  }

  /** What is wrong, for people. */
  problems(): string[] {
    const { name } = this.#delivery;
    const { records, environment } = this.#doors;
    const source = sourceStream(this.#delivery);
    const problems: string[] = [];
    if (records.describe(source) === undefined) problems.push(`delivery ${name}: no stream ${source}`);
    if (this.#failure !== undefined && this.#attempts >= firehoseLimits.unhealthyAttempts) {
      problems.push(`delivery ${name}: ${this.#failure}`);
    }
    if (environment.clock.monotonic() - this.#lostAt < firehoseLimits.lossShownMs) {
      problems.push(`delivery ${name}: records were gone before they were delivered`);
    }
    return problems;
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#doors.environment;
    while (!this.#stop.signal.aborted) {
      try {
        await this.#turn();
      } catch (error) {
        if (error instanceof LostOwnership) {
          this.#isFenced = true;
          log.warn(firehoseEvents.fenced, { delivery: this.#delivery.name });
          return;
        }
        this.#note(error);
        await clock.sleep(firehoseLimits.idleMs, this.#stop.signal);
        await this.#reread();
      }
    }
  }

  async #turn(): Promise<void> {
    if (this.#progress.intent !== undefined) {
      await this.#complete(this.#progress.intent);
      return;
    }
    const stream = this.#doors.records.describe(sourceStream(this.#delivery));
    if (stream === undefined) {
      await this.#doors.environment.clock.sleep(firehoseLimits.idleMs, this.#stop.signal);
      return;
    }
    await this.#gather(stream);
    if (this.#stop.signal.aborted) return;
    this.#finishFlushes(stream);
    if (this.#isDue()) await this.#begin(stream);
    else await this.#wait(stream);
  }

  /** Looks at what came, shard after shard, until nothing more is there or a batch is full. */
  async #gather(stream: StreamInfo): Promise<void> {
    const gathering = this.#gathering;
    let hasMore = true;
    while (hasMore && !gathering.isFull && !this.#stop.signal.aborted) {
      hasMore = false;
      for (const shard of stream.shards) {
        if (gathering.isFull || gathering !== this.#gathering) return;
        const position = this.#position(shard);
        const cursor = gathering.cursor(shard.ref, position);
        if (cursor >= this.#doors.records.bounds(shard).end) continue;
        const slice = await this.#read(stream, shard, cursor);
        if (slice === undefined) {
          hasMore = true;
          continue;
        }
        const first = slice.records[0]?.offset ?? slice.next;
        // Behind the oldest that is kept may stand numbers that nobody has.
        const gone = (slice.start < first ? slice.start : first) - cursor;
        if (gone > 0n) this.#lost(Number(gone), 'RetentionExceeded');
        if (gathering.recordCount === 0) this.#gatheredSince = this.#doors.environment.clock.monotonic();
        gathering.take(shard.ref, position, slice.records, slice.next);
        hasMore ||= slice.next < slice.end;
      }
    }
  }

  /** Undefined where the log is damaged: the records there are given up, and the gathering goes on behind them. */
  async #read(stream: StreamInfo, shard: ShardInfo, cursor: Offset): Promise<Slice | undefined> {
    try {
      return await this.#doors.records.read(stream, shard, cursor, READ_LIMIT);
    } catch (error) {
      if (!(error instanceof Damaged)) throw error;
      this.#lost(Number(error.next - cursor), 'LogDamaged');
      this.#gathering.take(shard.ref, this.#position(shard), [], error.next);
      return undefined;
    }
  }

  #lost(records: number, error: LossCause): void {
    const { environment } = this.#doors;
    const delivery = this.#delivery.name;
    this.#lostAt = environment.clock.monotonic();
    environment.log.error(firehoseEvents.lost, { delivery, records, error });
    environment.meter.count(firehoseEvents.recordsLost, { delivery }, records);
  }

  #position(shard: ShardInfo): Offset {
    return BigInt(this.#progress.positions[positionKey(shard.ref)] ?? '0');
  }

  #isDue(): boolean {
    const { recordCount, oldestAt, isFull } = this.#gathering;
    if (recordCount === 0) return false;
    if (isFull || this.#flushes.length > 0) return true;
    return this.#dueInMs(oldestAt) <= 0;
  }

  /** Counted from the oldest record's arrival, also over restarts; a clock set back does not make it longer. */
  #dueInMs(oldestAt: number): number {
    const { clock } = this.#doors.environment;
    const { intervalMs } = this.#buffering();
    return Math.min(oldestAt + intervalMs - clock.now(), this.#gatheredSince + intervalMs - clock.monotonic());
  }

  async #wait(stream: StreamInfo): Promise<void> {
    const { records, environment } = this.#doors;
    this.#wake = new AbortController();
    // A flush that was asked for just now must not wait for the next record.
    if (this.#flushes.length > 0 && this.#gathering.recordCount > 0) return;
    const gathering = this.#gathering;
    const untilDue = gathering.recordCount === 0 ? firehoseLimits.idleMs : this.#dueInMs(gathering.oldestAt);
    const ms = Math.max(0, Math.min(untilDue, firehoseLimits.idleMs));
    const woken = this.#wake;
    // One signal for each shard: the platform warns of one that many wait for.
    const ends = stream.shards.map(() => new AbortController());
    const waits = stream.shards.map(async (shard, index) => {
      const signal = (ends[index] as AbortController).signal;
      await records.waitForMore(shard, gathering.cursor(shard.ref, this.#position(shard)), signal);
    });
    await Promise.race([...waits, environment.clock.sleep(ms, woken.signal)]);
    const isAsked = woken.signal.aborted;
    woken.abort();
    for (const end of ends) end.abort();
    await Promise.allSettled(waits);
    const pauseMs = Math.min(firehoseLimits.scanEveryMs, ms);
    // A stream that is written all the time is looked at in larger pieces.
    if (!isAsked) await environment.clock.sleep(pauseMs, this.#stop.signal);
  }

  async #begin(stream: StreamInfo): Promise<void> {
    const intent = await this.#plan(this.#gathering);
    const shards = stream.shards.map(({ ref }) => ref);
    await this.#store({ ...withoutGone(this.#progress, shards), intent });
    this.#gathering = new Gathering(this.#bytesMax());
  }

  /** Hands the batch over until it has arrived. */
  async #complete(intent: Intent): Promise<void> {
    const { environment } = this.#doors;
    const open = this.#open(intent.target);
    try {
      for (this.#attempts = 0; !this.#stop.signal.aborted || this.#attempts === 0;) {
        const outcome = await this.#attempt(open, intent);
        if (outcome === 'plan again') return await this.#planAgain(intent);
        if (outcome !== undefined) {
          await this.#store(completed(this.#progress, outcome));
          this.#arrived(intent, outcome);
          await this.#trim();
          return;
        }
        const { backoffBaseMs: baseMs, backoffMaxMs: maxMs } = firehoseLimits;
        const ms = backoffMs(this.#attempts, { baseMs, maxMs }, environment.random.fraction());
        await environment.clock.sleep(ms, this.#stop.signal);
      }
    } finally {
      await open.close();
    }
  }

  async #attempt(open: OpenDestination, intent: Intent): Promise<Outcome | 'plan again' | undefined> {
    try {
      this.#yielded = 0;
      // Where all of it is gone, there is nothing to make an object of.
      if (!(await this.#hasRecords(intent))) return { place: undefined, records: 0 };
      const delivered = await open.deliver(this.#batch(intent), intent.place, this.#cut.signal);
      return { place: delivered.place, records: this.#yielded };
    } catch (error) {
      if (!(error instanceof DeliveryError)) throw error;
      this.#note(error);
      // What cannot arrive as it was planned, and left nothing behind, goes by the options as they are now.
      return !error.retryable && this.#delivery.version !== intent.version ? 'plan again' : undefined;
    }
  }

  async #hasRecords(intent: Intent): Promise<boolean> {
    for await (const some of this.#records(intent)) if (some.length > 0) return true;
    return false;
  }

  /** The same records to where the options of now say. */
  async #planAgain(before: Intent): Promise<void> {
    const intent = await this.#plan(before);
    await this.#store({ ...this.#progress, intent });
  }

  async #plan(range: Pick<Intent, 'ranges' | 'recordCount' | 'sizeBytes' | 'oldestAt'>): Promise<Intent> {
    const { name, version, target } = this.#delivery;
    const { ranges, recordCount, sizeBytes, oldestAt } = range;
    const id = this.#doors.environment.random.uuid();
    const open = this.#open(target);
    const batch = { id, deliveryStream: name, versionId: String(version), oldestAt, recordCount, sizeBytes };
    const place = open.place(batch);
    await open.close();
    return { id, place, version, target, ranges, recordCount, sizeBytes, oldestAt };
  }

  #batch(intent: Intent): Batch {
    return {
      id: intent.id,
      deliveryStream: this.#delivery.name,
      versionId: String(intent.version),
      oldestAt: intent.oldestAt,
      recordCount: intent.recordCount,
      sizeBytes: intent.sizeBytes,
      records: () => this.#records(intent),
    };
  }

  async *#records(intent: Intent): AsyncGenerator<readonly OutgoingRecord[]> {
    const { records, environment } = this.#doors;
    const stream = records.describe(sourceStream(this.#delivery));
    let count = 0;
    let stored = 0;
    // Only a stream can be a source to producers that pack: what is put directly leaves as it came.
    const unpack = this.#delivery.from !== undefined;
    let cause: LossCause = stream === undefined ? 'StreamDeleted' : 'RetentionExceeded';
    const damaged = (): void => {
      cause = 'LogDamaged';
    };
    const turn = async (): Promise<void> => await new Promise((resolve) => environment.clock.soon(resolve));
    for await (const some of outgoingRecords(records, stream, intent, { unpack, damaged, turn })) {
      count += some.length;
      stored += some.filter(isFirstOfStored).length;
      yield some;
    }
    this.#yielded = count;
    if (stored === intent.recordCount || this.#lossNotedOf === intent.id) return;
    this.#lossNotedOf = intent.id;
    this.#lost(intent.recordCount - stored, cause);
  }

  #arrived(intent: Intent, { place, records }: Outcome): void {
    const { environment } = this.#doors;
    const delivery = this.#delivery.name;
    this.#failure = undefined;
    this.#attempts = 0;
    if (place === undefined) return;
    const { meter, log, clock } = environment;
    meter.count(firehoseEvents.objects, { delivery });
    meter.count(firehoseEvents.recordsOut, { delivery }, records);
    meter.count(firehoseEvents.bytesOut, { delivery }, intent.sizeBytes);
    meter.gauge(firehoseEvents.freshness, { delivery }, Math.max(0, clock.now() - intent.oldestAt));
    log.info(firehoseEvents.delivered, { delivery, records, bytes: intent.sizeBytes, place });
  }

  /** What was put directly is kept for nobody else. */
  async #trim(): Promise<void> {
    const { records } = this.#doors;
    const stream = this.#delivery.from === undefined ? records.describe(sourceStream(this.#delivery)) : undefined;
    for (const shard of stream?.shards ?? []) await records.trim(shard, this.#position(shard));
  }

  #finishFlushes(stream: StreamInfo): void {
    if (this.#flushes.length === 0) return;
    const reached = new Map(stream.shards.map((shard) => [positionKey(shard.ref), this.#position(shard)]));
    for (const { targets, done } of this.#flushes) {
      const isReached = [...targets].every(([key, end]) => (reached.get(key) ?? end) >= end);
      // With nothing gathered there is nothing left before the end, though a position may not say so.
      if (isReached || this.#gathering.recordCount === 0) done();
    }
  }

  #note(error: unknown): void {
    const { log, meter } = this.#doors.environment;
    const delivery = this.#delivery.name;
    const whole = error instanceof Error ? error.message : String(error);
    const message = whole.length > MESSAGE_MAX ? `${whole.slice(0, MESSAGE_MAX)}...` : whole;
    const isExpected =
      error instanceof DeliveryError ||
      error instanceof EnvironmentError ||
      error instanceof Unavailable ||
      error instanceof StreamNotFound ||
      error instanceof UnknownShard;
    this.#attempts += 1;
    this.#failure = message;
    meter.count(firehoseEvents.attemptsFailed, { delivery });
    if (isExpected) log.warn(firehoseEvents.failed, { delivery, attempt: this.#attempts, message });
    else log.error(firehoseEvents.bug, { delivery, message, stack: error instanceof Error ? error.stack : undefined });
  }

  /** Whether a change was written is not known after some failures: the catalog says. */
  async #reread(): Promise<void> {
    const { catalog } = this.#doors;
    await catalog.sync().catch(() => undefined);
    const stored = catalog.get(PROGRESS_PREFIX + this.#delivery.name);
    if (stored === undefined || stored.revision === this.#revision) return;
    this.#progress = progressFromJson(stored.value);
    this.#revision = stored.revision;
    this.#gathering = new Gathering(this.#bytesMax());
  }

  async #store(progress: Progress): Promise<void> {
    const { name } = this.#delivery;
    const key = PROGRESS_PREFIX + name;
    const expect = this.#revision ?? null;
    const verdict = await this.#doors.catalog.propose([{ key, expect, put: progressToJson(progress) }]);
    // Deleted, or somebody else's: either way no longer ours to deliver.
    if (!verdict.accepted) throw new LostOwnership();
    this.#progress = progress;
    this.#revision = verdict.revision;
  }

  #open(target: Target): OpenDestination {
    const { blobs, environment } = this.#doors;
    return this.#destination(target).open(target.options as never, { blobs }, environment);
  }

  #buffering(): { readonly bytesMax: number; readonly intervalMs: number } {
    const { target } = this.#delivery;
    return this.#destination(target).buffering(target.options as never);
  }

  #bytesMax(): number {
    return this.#buffering().bytesMax;
  }

  #destination({ kind }: Target): AnyDestination {
    const found = this.#doors.destinations.find(({ name }) => name === kind);
    if (found === undefined) throw new Defect(`no destination ${kind}`);
    return found;
  }
}

/** The delivery's position was written by somebody else, or removed. */
class LostOwnership extends Error {
  override readonly name = 'LostOwnership';
}
