import { messageOf } from '../../kernel/errors.ts';
import { OneAtATime } from '../../kernel/flow/one-at-a-time.ts';
import { nameOfArn } from '../../kernel/names.ts';
import { createByteBudget } from '../../kernel/flow/byte-budget.ts';
import type { CatalogOp, Json, Verdict } from '../../ports/catalog.ts';
import { dropInternalStream, ensureInternalStream } from '../../ports/internal-stream.ts';
import type { StreamInfo } from '../../ports/records.ts';
import { positionKey } from '../../ports/stream-store.ts';
import { comingDestinations, type DeliveriesOptions, type DeliveryOptions } from './config.ts';
import { deliveryStreamNotFound, firehoseError } from './errors.ts';
import { firehoseEvents } from './events.ts';
import { byFile, withoutFile } from './file-word.ts';
import { FUNCTION } from './function-options.ts';
import { firehoseLimits } from './limits.ts';
import {
  DELIVERY_PREFIX,
  deliveryFromJson,
  deliveryToJson,
  DIRECT_PREFIX,
  HISTORY_PREFIX,
  NO_PROGRESS,
  PROGRESS_PREFIX,
  progressToJson,
  sourceStream,
  type DeliveryStream,
  type Target,
} from './model.ts';
import { marksOf } from './merged-word.ts';
import { previewDelivery, type Sample } from './preview.ts';
import { PROCESSED_PREFIX } from './processed-record.ts';
import { REPLAY_PREFIX } from './replay.ts';
import { optionsProblem } from './target-problem.ts';
import { DeliveryLanes } from './workers/delivery-lanes.ts';
import { FunctionWorker } from './workers/function-worker.ts';
import type { Worker, WorkerDoors } from './workers/worker.ts';

/** Where a new delivery starts to read: a place, or a time in ms. */
export type StartAt = 'TRIM_HORIZON' | 'LATEST' | number;

/** A delivery stream to be made. */
export type NewDelivery = Omit<DeliveryStream, 'version' | 'createdAt' | 'updatedAt' | 'changedBeside'>;

type Doors = Omit<WorkerDoors, 'eventBytes'>;

/** The delivery streams of the node with their workers: what the API and the file both change. */
export class Deliveries {
  readonly #doors: WorkerDoors;
  readonly #removed: (name: string) => Promise<void>;
  readonly #workers = new Map<string, Worker>();
  /** Each looks first and acts then. */
  readonly #changes = new OneAtATime();
  /** Those of paused deliveries, which do nothing. */
  readonly #resting = new Set<string>();
  /** Names of the file, and those of them whose destination does not exist yet. */
  #named: ReadonlySet<string> = new Set();
  #waiting: ReadonlyMap<string, DeliveryOptions> = new Map();

  readonly #stopped = new AbortController();
  #measuring: Promise<void> | undefined;

  /** `removed`: called once one is gone. */
  constructor(doors: Doors, removed: (name: string) => Promise<void>) {
    this.#removed = removed;
    this.#doors = { ...doors, eventBytes: createByteBudget(firehoseLimits.functionBytesMax) };
  }

  /** Starts the workers of what the catalog holds. */
  async open(): Promise<void> {
    await this.#dropOrphans();
    for (const delivery of this.list()) await this.#begin(delivery);
    this.#measuring = this.#measureOften();
  }

  get(name: string): DeliveryStream | undefined {
    const entry = this.#doors.catalog.get(DELIVERY_PREFIX + name);
    return entry === undefined ? undefined : deliveryFromJson(entry.key, entry.value);
  }

  /** RequestError ResourceNotFoundException. */
  existing(name: string): DeliveryStream {
    const delivery = this.get(name);
    if (delivery === undefined) throw deliveryStreamNotFound(name, this.#doors.identity.account);
    return delivery;
  }

  /** Sorted by name. */
  list(): readonly DeliveryStream[] {
    return this.#doors.catalog.list(DELIVERY_PREFIX).map(({ key, value }) => deliveryFromJson(key, value));
  }

  worker(name: string): Worker | undefined {
    return this.#workers.get(name);
  }

  /** Deliveries of the file whose destination does not exist yet, with the stream each reads. */
  get waiting(): ReadonlyMap<string, DeliveryOptions> {
    return this.#waiting;
  }

  /** Whether the file names it. */
  isNamed(name: string): boolean {
    return this.#named.has(name);
  }

  /** Resolves once the delivery stream is ACTIVE. RequestErrors: ResourceInUse, LimitExceeded, ResourceNotFound. */
  async create(wanted: NewDelivery, startAt: StartAt): Promise<DeliveryStream> {
    return await this.#changes.run(async () => await this.#create(wanted, startAt));
  }

  /** Changes what is kept of a delivery stream as it stands. Rejects as `change` does; ResourceNotFoundException. */
  async change(name: string, change: (current: DeliveryStream) => DeliveryStream): Promise<void> {
    await this.#changes.run(async () => {
      await this.#change(name, change);
    });
  }

  /** What was gathered and not delivered is dropped, as on AWS. RequestError ResourceNotFoundException. */
  async remove(name: string): Promise<void> {
    await this.#changes.run(async () => {
      const { catalog, records } = this.#doors;
      this.existing(name);
      await this.#workers.get(name)?.stop();
      this.#workers.delete(name);
      await this.#propose(name, [
        { key: DELIVERY_PREFIX + name, remove: true },
        { key: PROGRESS_PREFIX + name, remove: true },
        ...[...catalog.list(`${PROGRESS_PREFIX}${name}/`), ...catalog.list(`${REPLAY_PREFIX}${name}/`)].map(
          ({ key }) => ({ key, remove: true as const }),
        ),
      ]);
      this.#resting.delete(name);
      await this.#removed(name);
      for (const stream of [DIRECT_PREFIX + name, HISTORY_PREFIX + name, PROCESSED_PREFIX + name]) {
        await dropInternalStream(records, stream);
      }
      this.#doors.environment.meter.forget({ delivery: name });
    });
  }

  /** What would become of these records as a batch; nothing is stored. RequestErrors: BadRequest, ResourceNotFound. */
  async preview(name: string, samples: readonly Sample[], signal: AbortSignal): Promise<object> {
    return await previewDelivery(this.#doors, this.existing(name), samples, signal);
  }

  /**
   * Nothing of it is delivered any more until it is resumed, also after a restart: what is under way ends first.
   * RequestError ResourceNotFoundException.
   */
  async pause(name: string): Promise<void> {
    await this.#changes.run(async () => {
      const isPaused = this.existing(name).isPaused === true;
      if (!isPaused) await this.#change(name, (current) => ({ ...current, isPaused: true }));
      // Also where the answer to an earlier pause was an error, and it stands all the same.
      await this.#workers.get(name)?.drain(firehoseLimits.pauseMs);
      this.#resting.add(name);
      if (isPaused) return;
      this.#doors.environment.log.info(firehoseEvents.paused, { delivery: name, reason: 'asked' });
    });
  }

  /** It goes on where it stands. RequestError ResourceNotFoundException. */
  async resume(name: string): Promise<void> {
    await this.#changes.run(async () => {
      if (this.existing(name).isPaused !== true && !this.#resting.has(name)) return;
      const delivery = await this.#change(name, withoutPause);
      await this.#workers.get(name)?.stop();
      await this.#begin(delivery);
      this.#doors.environment.log.info(firehoseEvents.resumed, { delivery: name });
    });
  }

  /** Creates what the file names and is missing, updates what differs and can be changed, leaves everything else. */
  async apply(options: DeliveriesOptions): Promise<void> {
    await this.#changes.run(async () => {
      const { log } = this.#doors.environment;
      const waiting = new Map<string, DeliveryOptions>();
      for (const [name, wanted] of Object.entries(options)) {
        const kind = this.#kinds().find((one) => wanted[one] !== undefined);
        if (kind === undefined || !this.#isKnownOrBuilt(name, { kind, options: wanted[kind] as Json })) {
          waiting.set(name, wanted);
          const destination = kind ?? comingDestinations.find((one) => wanted[one] !== undefined);
          log.info(firehoseEvents.paused, { delivery: name, destination, reason: 'not built' });
        } else await this.#applyOne(name, kind, wanted);
      }
      this.#named = new Set(Object.keys(options));
      for (const { name } of this.list()) if (!this.#named.has(name)) await this.#change(name, withoutFile);
      this.#waiting = waiting;
    });
  }

  /** What a target would have to name to be delivered to, in words; undefined: nothing, or it is not known here. */
  lacks({ kind, options }: Target): string | undefined {
    return this.#doors.destinations.find(({ name }) => name === kind)?.lacks?.(options as never);
  }

  async drain(withinMs: number): Promise<void> {
    await Promise.all([...this.#workers.values()].map(async (worker) => await worker.drain(withinMs)));
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#measuring;
    await Promise.all([...this.#workers.values()].map(async (worker) => await worker.stop()));
  }

  problems(): string[] {
    return [...this.#workers].flatMap(([name, worker]) => (this.get(name)?.isPaused === true ? [] : worker.problems()));
  }

  /** While a destination is down nothing else would say how old what waits becomes. */
  async #measureOften(): Promise<void> {
    const { clock, log } = this.#doors.environment;
    while (!this.#stopped.signal.aborted) {
      await clock.sleep(firehoseLimits.measureEveryMs, this.#stopped.signal);
      for (const [delivery, worker] of this.#workers) {
        if (this.#stopped.signal.aborted) return;
        await worker.measure?.().catch((error: unknown) => {
          log.error(firehoseEvents.bug, { delivery, message: messageOf(error) });
        });
      }
    }
  }

  async #applyOne(name: string, kind: string, wanted: DeliveryOptions): Promise<void> {
    const { log, clock } = this.#doors.environment;
    const target = { kind, options: wanted[kind] as Json };
    const from = wanted.from === undefined ? undefined : nameOfArn(wanted.from);
    const settings = wanted.on413 === undefined ? undefined : { on413: wanted.on413 };
    const existing = this.get(name);
    if (existing === undefined) {
      const delivery = {
        name,
        target,
        ...(from !== undefined && { from }),
        ...(settings !== undefined && { settings }),
        fileMarks: marksOf(target.options),
      };
      await this.#create(delivery, startOf(wanted.startAt));
      log.info(firehoseEvents.created, { delivery: name, from });
      return;
    }
    const word = { target, from, settings };
    const { destinations, http } = this.#doors;
    const problem = (merged: Target): string | undefined => optionsProblem(merged, destinations, http);
    const { hint } = byFile(existing, word, { now: clock.now(), problem });
    if (hint !== undefined) log.warn(firehoseEvents.drift, { delivery: name, hint });
    const { version } = await this.#change(
      name,
      (current) => byFile(current, word, { now: clock.now(), problem }).delivery,
    );
    if (version !== existing.version) log.info(firehoseEvents.updated, { delivery: name, version });
  }

  async #change(name: string, change: (current: DeliveryStream) => DeliveryStream): Promise<DeliveryStream> {
    const { catalog } = this.#doors;
    const key = DELIVERY_PREFIX + name;
    for (;;) {
      const current = this.existing(name);
      const updated = change(current);
      if (updated === current) return current;
      const expect = catalog.get(key)?.revision ?? null;
      const verdict = await this.#propose(name, [{ key, expect, put: deliveryToJson(updated) }]);
      // Somebody else changed it: that stands, and this comes on top of it.
      if (!verdict.accepted) continue;
      if (updated.version !== current.version) await this.#follow(updated);
      return updated;
    }
  }

  async #create(wanted: NewDelivery, startAt: StartAt): Promise<DeliveryStream> {
    const { environment, identity } = this.#doors;
    if (this.get(wanted.name) !== undefined) throw inUse(wanted.name, identity.account);
    if (!this.#isBuilt(wanted.target)) {
      const { kind } = wanted.target;
      const lacked = this.lacks(wanted.target);
      const sentence = lacked === undefined ? `What ${kind} names is not built yet.` : `${kind}: ${lacked}.`;
      throw firehoseError('InvalidArgumentException', sentence);
    }
    if (this.list().length >= firehoseLimits.deliveryStreamsMax) {
      const sentence = `You have reached the limit of ${firehoseLimits.deliveryStreamsMax} delivery streams.`;
      throw firehoseError('LimitExceededException', sentence);
    }
    const now = environment.clock.now();
    const delivery: DeliveryStream = { ...wanted, version: 1, createdAt: now, updatedAt: now };
    if (delivery.from === undefined) await this.#makeDirect(DIRECT_PREFIX + delivery.name);
    const positions = await this.#startingPositions(sourceStream(delivery), startAt);
    const ops: CatalogOp[] = [
      { key: DELIVERY_PREFIX + delivery.name, expect: null, put: deliveryToJson(delivery) },
      { key: PROGRESS_PREFIX + delivery.name, expect: null, put: progressToJson({ ...NO_PROGRESS, positions }) },
    ];
    const verdict = await this.#propose(delivery.name, ops);
    if (!verdict.accepted) throw inUse(wanted.name, identity.account);
    await this.#begin(delivery);
    return delivery;
  }

  async #begin(delivery: DeliveryStream): Promise<void> {
    if (!this.#isBuilt(delivery.target)) return;
    if (delivery.from === undefined) await this.#makeDirect(DIRECT_PREFIX + delivery.name);
    const isFunction = delivery.target.kind === FUNCTION;
    const worker = isFunction ? new FunctionWorker(delivery, this.#doors) : new DeliveryLanes(delivery, this.#doors);
    this.#workers.set(delivery.name, worker);
    if (delivery.isPaused === true) this.#resting.add(delivery.name);
    else {
      this.#resting.delete(delivery.name);
      worker.start();
    }
  }

  /** Whether a change stands that ended with an error is not known: the worker goes by what the catalog says then. */
  async #propose(name: string, ops: readonly CatalogOp[]): Promise<Verdict> {
    const { catalog } = this.#doors;
    try {
      return await catalog.propose(ops);
    } catch (error) {
      await catalog.sync().catch(() => undefined);
      const delivery = this.get(name);
      if (delivery !== undefined) await this.#follow(delivery);
      throw error;
    }
  }

  /** The worker goes by what the delivery has become. */
  async #follow(delivery: DeliveryStream): Promise<void> {
    const worker = this.#workers.get(delivery.name);
    if (worker === undefined) {
      await this.#begin(delivery);
    } else if (this.#isBuilt(delivery.target)) {
      worker.update(delivery);
    } else {
      await worker.stop();
      this.#workers.delete(delivery.name);
    }
  }

  /** What exists is changed as the file says; what does not exist and cannot be built yet waits. */
  #isKnownOrBuilt(name: string, target: Target): boolean {
    return this.get(name) !== undefined || this.#isBuilt(target);
  }

  /** Another version of millrace may have made it for a destination that this one does not have, or not yet. */
  #isBuilt(target: Target): boolean {
    return this.#kinds().includes(target.kind) && this.lacks(target) === undefined;
  }

  /** What a delivery can be to. */
  #kinds(): readonly string[] {
    return [...this.#doors.destinations.map(({ name }) => name), FUNCTION];
  }

  /** A creation that was cut short by a crash left it behind, empty. */
  async #makeDirect(name: string): Promise<void> {
    const retentionMs = firehoseLimits.directRetentionMs;
    const stream = await ensureInternalStream(this.#doors.records, {
      name,
      shardCount: 1,
      retentionMs,
      maxRecordBytes: firehoseLimits.recordBytesMax + 1024,
    });
    // Older versions kept them for a year.
    if (stream.retentionMs < retentionMs) await this.#doors.records.update(name, () => ({ retentionMs }));
  }

  /** A shard that is not named here, of a stream made later or split, is read from its first record. */
  async #startingPositions(name: string, startAt: StartAt): Promise<Record<string, string>> {
    const stream = this.#doors.records.describe(name);
    const positions: Record<string, string> = {};
    for (const shard of stream?.shards ?? []) {
      positions[positionKey(shard.ref)] = String(await this.#startingPosition(shard, startAt));
    }
    return positions;
  }

  async #startingPosition(shard: StreamInfo['shards'][number], startAt: StartAt): Promise<bigint> {
    const { records } = this.#doors;
    if (startAt === 'LATEST') return records.bounds(shard).end;
    return await records.positionAt(shard, startAt === 'TRIM_HORIZON' ? 0 : startAt);
  }

  async #dropOrphans(): Promise<void> {
    for (const { name } of this.#doors.records.list({ internal: true })) {
      const prefix = [DIRECT_PREFIX, HISTORY_PREFIX, PROCESSED_PREFIX].find((one) => name.startsWith(one));
      if (prefix !== undefined && this.get(name.slice(prefix.length)) === undefined)
        await dropInternalStream(this.#doors.records, name);
    }
  }
}

function withoutPause(delivery: DeliveryStream): DeliveryStream {
  const { isPaused: _, ...rest } = delivery;
  return rest;
}

function startOf(startAt: string | number | undefined): StartAt {
  if (startAt === undefined || startAt === 'TRIM_HORIZON' || startAt === 'LATEST') return startAt ?? 'TRIM_HORIZON';
  return typeof startAt === 'number' ? startAt * 1000 : Date.parse(startAt);
}

function inUse(name: string, account: string): Error {
  return firehoseError('ResourceInUseException', `Firehose ${name} under accountId ${account} already exists`);
}
