import { DeliveryError, messageOf } from '../../../kernel/errors.ts';
import type { Json } from '../../../ports/catalog.ts';
import { mayPass, type StreamInfo } from '../../../ports/records.ts';
import { orPastDamage, positionKey } from '../../../ports/stream-store.ts';
import { derivedRandom } from '../derived-random.ts';
import { errorRecords } from '../error-objects.ts';
import { firehoseEvents } from '../events.ts';
import { Gathering } from '../gathering.ts';
import { firehoseLimits } from '../limits.ts';
import { completed, DIRECT_PREFIX, rangeFromJson, type DeliveryStream, type Intent, type Progress } from '../model.ts';
import type { RecordForm } from '../outgoing.ts';
import { READ_LIMIT } from '../range-slices.ts';
import { OBJECT_POSITION, replayKey, replayProgressName, type StoredReplay } from '../replay.ts';
import { bufferingOf, errorTarget } from '../targets.ts';
import { BatchDelivery } from './batch-delivery.ts';
import { planBatch } from './batch-plan.ts';
import type { BatchSource } from './batch-records.ts';
import { DeliveryNotes } from './delivery-notes.ts';
import { LostOwnership, ProgressLedger, repeatsOf } from './progress-ledger.ts';
import type { WorkerDoors } from './worker.ts';

/** What a replay works with. */
export interface ReplayDoors extends Omit<WorkerDoors, 'eventBytes' | 'functions'> {
  /** The delivery of that name, as it is now. */
  readonly delivery: (name: string) => DeliveryStream | undefined;
  /** Whether the delivery itself has a batch under way. */
  readonly isBusy: (name: string) => boolean;
}

type Gathered = Pick<Intent, 'ranges' | 'recordCount' | 'leavingCount' | 'sizeBytes' | 'oldestAt'> & {
  readonly object?: number;
};

/**
 * Delivers records once more, batch after batch, beside the delivery itself and whenever that has none under way. What
 * a batch holds and where it goes follows from what was asked for: a crash, or the same request, does the same again.
 */
export class ReplayWorker {
  readonly notes: DeliveryNotes;
  readonly #replay: StoredReplay;
  readonly #doors: ReplayDoors;
  readonly #ledger: ProgressLedger;
  readonly #stop = new AbortController();
  /** The intent of which an attempt may have been made, in this life or in the one before. */
  #begun: string | undefined;
  #running: Promise<void> | undefined;

  constructor(replay: StoredReplay, doors: ReplayDoors) {
    this.#replay = replay;
    this.#doors = doors;
    this.#ledger = new ProgressLedger(replayProgressName(replay), doors.catalog);
    this.#begun = this.#ledger.progress.intent?.id;
    this.notes = new DeliveryNotes(replay.delivery, doors.environment);
  }

  get progress(): Progress {
    return this.#ledger.progress;
  }

  /** Whether it had its turn. */
  get hasBegun(): boolean {
    return this.#running !== undefined;
  }

  /** Resolves at its end, when its delivery is gone, or when it was stopped. */
  async run(): Promise<void> {
    this.#running = this.#run();
    await this.#running;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running?.catch(() => undefined);
  }

  async #run(): Promise<void> {
    const { clock } = this.#doors.environment;
    while (!this.#stop.signal.aborted) {
      const delivery = this.#doors.delivery(this.#replay.delivery);
      if (delivery === undefined) return;
      try {
        if (!(await this.#step(delivery))) return await this.#finish();
      } catch (error) {
        if (error instanceof LostOwnership) return;
        this.notes.failed(error);
        // Others wait for their turn. What comes of the end of the node itself is no failure of the replay.
        if (isFinal(error) && !this.#stop.signal.aborted && (await this.#fail(messageOf(error)))) return;
        await clock.sleep(firehoseLimits.idleMs, this.#stop.signal);
        await this.#ledger.reread().catch(() => false);
      }
    }
  }

  /** One batch; false: there is none left. */
  async #step(delivery: DeliveryStream): Promise<boolean> {
    const { intent } = this.#ledger.progress;
    if (intent !== undefined) {
      await this.#complete(intent, delivery);
      return true;
    }
    const gathered = await this.#gather(delivery);
    if (gathered === undefined) return false;
    await this.#waitForTurn();
    const first = gathered.ranges[0];
    const name = gathered.object ?? (first === undefined ? '' : `${positionKey(first)}/${first.from}`);
    const random = derivedRandom(`${this.#replay.id}/${name}`);
    const doors = { ...this.#doors, environment: { ...this.#doors.environment, random } };
    const planned = await planBatch(doors, delivery, gathered);
    await this.#ledger.change((progress) => ({ ...progress, intent: planned }));
    return true;
  }

  async #waitForTurn(): Promise<void> {
    const { clock } = this.#doors.environment;
    for (let waited = 0; waited < firehoseLimits.replayWaitMs; waited += firehoseLimits.scanEveryMs) {
      if (!this.#doors.isBusy(this.#replay.delivery) || this.#stop.signal.aborted) return;
      await clock.sleep(firehoseLimits.scanEveryMs, this.#stop.signal);
    }
  }

  async #complete(intent: Intent, delivery: DeliveryStream): Promise<void> {
    const batch = new BatchDelivery(intent, {
      ...this.#doors,
      notes: this.notes,
      source: this.#source(),
      delivery: () => this.#doors.delivery(delivery.name) ?? delivery,
      stopped: this.#stop.signal,
      cut: this.#stop.signal,
      isRepeated: intent.id === this.#begun,
      isReplay: true,
      repeats: repeatsOf(this.#ledger),
      // What is measured is the delivery's own.
      attempted: () => undefined,
      // The delivery told of them, or had them.
      lost: () => undefined,
    });
    this.#begun = intent.id;
    const outcome = await batch.run();
    if (outcome === undefined) return;
    if (outcome === 'plan again') {
      return await this.#ledger.change(({ intent: _old, ...progress }) => progress);
    }
    await this.#ledger.change((progress) => this.#moved(completed(progress, outcome)));
    this.notes.succeeded();
  }

  #moved(progress: Progress): Progress {
    if (this.#replay.objects === undefined) return progress;
    const next = this.#object(progress) + 1;
    return { ...progress, positions: { ...progress.positions, [OBJECT_POSITION]: String(next) } };
  }

  #object({ positions }: Progress): number {
    return Number(positions[OBJECT_POSITION] ?? '0');
  }

  #source(): BatchSource {
    const { stream, objects = [] } = this.#replay;
    if (stream !== undefined) return { stream, form: formOf(stream), isReplay: true };
    const key = objects[this.#object(this.#ledger.progress)] ?? '';
    return { object: () => this.#recordsOf(key) };
  }

  #recordsOf(key: string): ReturnType<typeof errorRecords> {
    const { errorsOf = '', from, until } = this.#replay;
    const delivery = this.#doors.delivery(errorsOf);
    const target = delivery === undefined ? undefined : errorTarget(this.#doors.destinations, delivery.target);
    if (target === undefined) return nothing();
    const { blobs, environment } = this.#doors;
    return errorRecords({ blobs, compute: environment.compute }, target, key, { from, until });
  }

  async #gather(delivery: DeliveryStream): Promise<Gathered | undefined> {
    return this.#replay.objects === undefined ? await this.#gatherRanges(delivery) : await this.#gatherObject();
  }

  async #gatherRanges({ target }: DeliveryStream): Promise<Gathered | undefined> {
    const { records, destinations } = this.#doors;
    const stream = records.describe(this.#replay.stream ?? '');
    const gathering = new Gathering(bufferingOf(destinations, target), formOf(this.#replay.stream ?? ''));
    const begun = new Set<string>();
    for (const range of stream === undefined ? [] : (this.#replay.ranges ?? []).map(rangeFromJson)) {
      if (gathering.isFull) break;
      // Between two ranges of a shard stand records that are not meant: each leaves in a batch of its own.
      if (begun.has(positionKey(range))) continue;
      if (await this.#gatherRange(gathering, stream as StreamInfo, range)) begun.add(positionKey(range));
    }
    const { ranges, recordCount, leavingCount, sizeBytes, oldestAt } = gathering;
    return recordCount === 0 ? undefined : { ranges, recordCount, leavingCount, sizeBytes, oldestAt };
  }

  /** Whether there was something. */
  async #gatherRange(gathering: Gathering, stream: StreamInfo, range: Intent['ranges'][number]): Promise<boolean> {
    const shard = stream.shards.find(({ ref }) => positionKey(ref) === positionKey(range));
    if (shard === undefined) return false;
    const reached = this.#ledger.position(range);
    const position = reached > range.from ? reached : range.from;
    const before = gathering.recordCount;
    for (let at = position; at < range.to && !gathering.isFull;) {
      const found = await orPastDamage(this.#doors.records.read(stream, shard, at, READ_LIMIT));
      const next = found.next < range.to ? found.next : range.to;
      if (next <= at) break;
      if (found.runs.every(({ first }) => first >= next)) {
        at = next;
        continue;
      }
      gathering.take(shard.ref, position, { runs: found.runs, next });
      at = gathering.cursor(shard.ref, position);
    }
    return gathering.recordCount > before;
  }

  /** The next object that has lines which are wanted. */
  async #gatherObject(): Promise<Gathered | undefined> {
    const { objects = [] } = this.#replay;
    for (let object = this.#object(this.#ledger.progress); object < objects.length; object += 1) {
      let [recordCount, sizeBytes, oldestAt] = [0, 0, Infinity];
      for await (const some of this.#recordsOf(objects[object] ?? '')) {
        recordCount += some.length;
        sizeBytes += some.reduce((sum, { data }) => sum + data.length, 0);
        oldestAt = some.reduce((oldest, { at }) => Math.min(oldest, at), oldestAt);
      }
      if (recordCount > 0) return { ranges: [], recordCount, sizeBytes, oldestAt, object };
      await this.#ledger.change((progress) => this.#moved(progress));
    }
    return undefined;
  }

  async #finish(): Promise<void> {
    await this.#end({});
    const { delivery, id } = this.#replay;
    const { records, failed = 0 } = this.progress;
    this.#doors.environment.log.info(firehoseEvents.replayed, { delivery, replay: id, records, failed });
  }

  /** Ends with what cannot be got over; false: that could not be kept. */
  async #fail(failure: string): Promise<boolean> {
    const { delivery, id } = this.#replay;
    try {
      await this.#end({ ended: 'failed', failure });
    } catch (error) {
      if (!mayPass(error)) throw error;
      return false;
    }
    this.#doors.environment.log.warn(firehoseEvents.replayFailed, { delivery, replay: id, failure });
    return true;
  }

  async #end(how: Pick<StoredReplay, 'ended' | 'failure'>): Promise<void> {
    const { catalog, environment } = this.#doors;
    const done: StoredReplay = { ...this.#replay, doneAt: environment.clock.now(), ...how };
    await catalog.propose([{ key: replayKey(this.#replay), put: done as unknown as Json }]);
  }
}

/** Whether the same will not succeed later: it cannot be got over, or is a fault of ours. */
function isFinal(error: unknown): boolean {
  return error instanceof DeliveryError ? !error.retryable : !mayPass(error);
}

function formOf(stream: string): RecordForm {
  return stream.startsWith(DIRECT_PREFIX) ? 'plain' : 'packed';
}

async function* nothing(): AsyncGenerator<never> {}
