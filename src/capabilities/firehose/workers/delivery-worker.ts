import { Defect, DeliveryError } from '../../../kernel/errors.ts';
import { backoffMs } from '../../../kernel/flow/backoff.ts';
import { deliveryStreamArn } from '../../../kernel/names.ts';
import type { AnyDestination, Batch, OpenDestination, OutgoingRecord } from '../../../ports/destination.ts';
import type { ShardInfo, StreamInfo } from '../../../ports/records.ts';
import { positionKey, type Offset } from '../../../ports/stream-store.ts';
import { firehoseEvents } from '../events.ts';
import { Gathering } from '../gathering.ts';
import { firehoseLimits } from '../limits.ts';
import {
  completed,
  sourceStream,
  withoutGone,
  type DeliveryStream,
  type Intent,
  type Outcome,
  type Target,
} from '../model.ts';
import { isFirstOfStored, outgoingRecords } from '../outgoing.ts';
import { DeliveryNotes, type LossCause } from './delivery-notes.ts';
import { FlushRequests } from './flush-requests.ts';
import { LostOwnership, ProgressLedger } from './progress-ledger.ts';
import { readOnward } from './read-onward.ts';
import { FENCED, sourceProblems, type DeliveryStatus, type Worker, type WorkerDoors } from './worker.ts';

/**
 * Delivers one stream: gathers a range of records, writes the intent to the log, hands the records to the destination
 * as often as it takes, then writes how far it is. A crash at any moment repeats the same batch to the same place.
 */
export class DeliveryWorker implements Worker {
  readonly #doors: WorkerDoors;
  readonly #stop = new AbortController();
  readonly #cut = new AbortController();
  readonly #ledger: ProgressLedger;
  readonly #notes: DeliveryNotes;
  readonly #flushes = new FlushRequests();
  #delivery: DeliveryStream;
  #gathering: Gathering;
  /** When the first record of the gathering was found, on the clock that never steps back. */
  #gatheredSince = 0;
  #wake = new AbortController();
  /** Records that the latest pass over an intent found. */
  #yielded = 0;
  #lossNotedOf: string | undefined;
  #isFenced = false;
  #running: Promise<void> | undefined;

  constructor(delivery: DeliveryStream, doors: WorkerDoors) {
    this.#delivery = delivery;
    this.#doors = doors;
    this.#ledger = new ProgressLedger(delivery.name, doors.catalog);
    this.#notes = new DeliveryNotes(delivery.name, doors.environment);
    this.#gathering = new Gathering(this.#bytesMax());
  }

  start(): void {
    this.#running = this.#run();
  }

  update(delivery: DeliveryStream): void {
    this.#delivery = delivery;
    this.#gathering = new Gathering(this.#bytesMax());
    this.#wake.abort();
  }

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

  async flush(signal: AbortSignal): Promise<boolean> {
    const { records, environment } = this.#doors;
    const source = sourceStream(this.#delivery);
    return await this.#flushes.wait({ records, clock: environment.clock, source }, signal, () => this.#wake.abort());
  }

  status(): DeliveryStatus {
    const { objects, records, last } = this.#ledger.progress;
    return {
      objects,
      records,
      last,
      failed: 0,
      waitingRecords: this.#gathering.recordCount,
      waitingBytes: this.#gathering.sizeBytes,
      failure: this.#isFenced ? FENCED : this.#notes.failure,
    };
  }

  problems(): string[] {
    return [...sourceProblems(this.#doors.records, this.#delivery), ...this.#notes.problems()];
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
        this.#notes.failed(error);
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
        const onward = await readOnward(this.#doors.records, stream, shard, cursor, this.#notes);
        if (gathering.recordCount === 0) this.#gatheredSince = this.#doors.environment.clock.monotonic();
        gathering.take(shard.ref, position, onward.records, onward.next);
        hasMore ||= onward.hasMore;
      }
    }
  }

  #position(shard: ShardInfo): Offset {
    return this.#ledger.position(shard.ref);
  }

  #isDue(): boolean {
    const { recordCount, oldestAt, isFull } = this.#gathering;
    if (recordCount === 0) return false;
    if (isFull || this.#flushes.count > 0) return true;
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
    if (this.#flushes.count > 0 && this.#gathering.recordCount > 0) return;
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
    await this.#ledger.change((progress) => ({ ...withoutGone(progress, shards), intent }));
    this.#gathering = new Gathering(this.#bytesMax());
  }

  /** Hands the batch over until it has arrived. */
  async #complete(intent: Intent): Promise<void> {
    const { environment } = this.#doors;
    const open = this.#open(intent.target);
    try {
      for (this.#notes.attempts = 0; !this.#stop.signal.aborted || this.#notes.attempts === 0;) {
        const outcome = await this.#attempt(open, intent);
        if (outcome === 'plan again') return await this.#planAgain(intent);
        if (outcome !== undefined) {
          await this.#ledger.change((progress) => completed(progress, outcome));
          this.#arrived(intent, outcome);
          await this.#trim();
          return;
        }
        const { backoffBaseMs: baseMs, backoffMaxMs: maxMs } = firehoseLimits;
        const ms = backoffMs(this.#notes.attempts, { baseMs, maxMs }, environment.random.fraction());
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
      this.#notes.failed(error);
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
    await this.#ledger.change((progress) => ({ ...progress, intent }));
  }

  async #plan(range: Pick<Intent, 'ranges' | 'recordCount' | 'sizeBytes' | 'oldestAt'>): Promise<Intent> {
    const { version, target } = this.#delivery;
    const { ranges, recordCount, sizeBytes, oldestAt } = range;
    const id = this.#doors.environment.random.uuid();
    const open = this.#open(target);
    const versionId = String(version);
    const batch = { id, ...this.#names(), versionId, oldestAt, recordCount, sizeBytes };
    const place = open.place(batch);
    await open.close();
    return { id, place, version, target, ranges, recordCount, sizeBytes, oldestAt };
  }

  #names(): Pick<Batch, 'deliveryStream' | 'deliveryStreamArn'> {
    const { region, account } = this.#doors.identity;
    const { name } = this.#delivery;
    return { deliveryStream: name, deliveryStreamArn: deliveryStreamArn(region, account, name) };
  }

  #batch(intent: Intent): Batch {
    return {
      id: intent.id,
      ...this.#names(),
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
    this.#notes.lost(intent.recordCount - stored, cause);
  }

  #arrived(intent: Intent, { place, records }: Outcome): void {
    const { environment } = this.#doors;
    const delivery = this.#delivery.name;
    this.#notes.succeeded();
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
    if (this.#flushes.count === 0) return;
    const reached = new Map(stream.shards.map((shard) => [positionKey(shard.ref), this.#position(shard)]));
    // With nothing gathered there is nothing left before the end, though a position may not say so.
    this.#flushes.settle(reached, this.#gathering.recordCount === 0);
  }

  async #reread(): Promise<void> {
    const isNew = await this.#ledger.reread().catch(() => false);
    if (isNew) this.#gathering = new Gathering(this.#bytesMax());
  }

  #open(target: Target): OpenDestination {
    const { blobs, http, documents, environment } = this.#doors;
    return this.#destination(target).open(
      target.options as never,
      { blobs, http, documents, settings: { on413: 'bisect' } },
      environment,
    );
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
