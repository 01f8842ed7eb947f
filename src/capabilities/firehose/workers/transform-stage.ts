import { deliveryStreamArn, streamArn } from '../../../kernel/names.ts';
import type { ShardInfo, StreamInfo } from '../../../ports/records.ts';
import { orPastDamage, positionKey, type Offset, type ShardRef } from '../../../ports/stream-store.ts';
import { firehoseEvents } from '../events.ts';
import { firehoseLimits } from '../limits.ts';
import { sourceStream, type DeliveryStream } from '../model.ts';
import { READ_LIMIT, sourceForm } from '../outgoing.ts';
import { originOf, PROCESSED_PREFIX, type Origin } from '../processed-record.ts';
import { transformOf } from '../transform-options.ts';
import type { TransformSource } from '../transform-event.ts';
import type { DeliveryNotes } from './delivery-notes.ts';
import { FlushRequests } from './flush-requests.ts';
import { LostOwnership, ProgressLedger } from './progress-ledger.ts';
import { ShardFollower } from './shard-follower.ts';
import { ShardTransformer } from './shard-transformer.ts';
import type { WorkerDoors } from './worker.ts';

/** Behind the delivery's name: the key of its position. */
export const PROCESSING = '/processing';

/** What the stage works with beside what all workers do. */
export interface StageDoors extends WorkerDoors {
  readonly notes: DeliveryNotes;
}

/**
 * Has the records of a delivery's source transformed, and keeps what comes of them in an internal stream, which the
 * delivery reads in place of the source: so an attempt to deliver never calls the function again.
 */
export class TransformStage {
  readonly #doors: StageDoors;
  readonly #ledger: ProgressLedger;
  readonly #follower: ShardFollower<ShardTransformer>;
  readonly #flushes = new FlushRequests();
  readonly #stopped = new AbortController();
  /** What the internal stream holds beyond what the catalog says, by shard of the source. */
  #stored: ReadonlyMap<string, Origin> = new Map();
  #delivery: DeliveryStream;
  #isFenced = false;
  #isDirty = false;
  #saving: Promise<void> | undefined;

  constructor(delivery: DeliveryStream, doors: StageDoors) {
    this.#delivery = delivery;
    this.#doors = doors;
    this.#ledger = new ProgressLedger(delivery.name + PROCESSING, doors.catalog);
    this.#follower = new ShardFollower<ShardTransformer>({
      records: doors.records,
      clock: doors.environment.clock,
      stream: () => doors.records.describe(sourceStream(this.#delivery)),
      position: (shard) => this.#start(shard),
      open: (shard) => this.#open(shard),
      failed: (error) => {
        throw error;
      },
      looked: () => this.#settleFlushes(),
    });
  }

  /** Name of the internal stream. */
  get into(): string {
    return PROCESSED_PREFIX + this.#delivery.name;
  }

  /** What stands below it in the internal stream is not looked for after a crash. */
  get mark(): Offset {
    return BigInt(this.#ledger.progress.mark ?? '0');
  }

  /** Finds out how far it came, then begins. Rejects as Records.read does. */
  async start(): Promise<void> {
    this.#stored = await this.#scan();
    this.#follower.start();
  }

  update(delivery: DeliveryStream): void {
    this.#delivery = delivery;
    this.#follower.wake();
  }

  async drain(withinMs: number): Promise<void> {
    await this.#follower.drain(withinMs);
    this.#stopped.abort();
    await this.#saving;
  }

  async stop(): Promise<void> {
    await this.#follower.stop();
    this.#stopped.abort();
    await this.#saving;
  }

  /** Resolves with true once all that stood in the source at the call was transformed, with false after a while. */
  async flush(signal: AbortSignal): Promise<boolean> {
    const { records, environment } = this.#doors;
    const source = sourceStream(this.#delivery);
    return await this.#flushes.wait({ records, clock: environment.clock, source }, signal, () => this.#follower.wake());
  }

  /** The first record of a shard of the source that is not transformed. */
  position(shard: Pick<ShardRef, 'generation' | 'ordinal'>): Offset {
    return this.#follower.reached(shard);
  }

  /** The same as it is known after a crash without what the internal stream tells. */
  savedPosition(shard: Pick<ShardRef, 'generation' | 'ordinal'>): Offset {
    return this.#ledger.position(shard);
  }

  /** The same of all shards, by their keys. */
  reached(): Record<string, string> {
    return Object.fromEntries(this.#shards().map(({ ref }) => [positionKey(ref), String(this.#follower.reached(ref))]));
  }

  /** About so many records of the source are to come. */
  get waitingRecords(): number {
    const { records } = this.#doors;
    return this.#shards().reduce((sum, shard) => {
      const { start, end } = records.bounds(shard);
      const reached = this.#follower.reached(shard.ref);
      return sum + Number(end - (reached > start ? reached : start));
    }, 0);
  }

  #shards(): readonly ShardInfo[] {
    return this.#doors.records.describe(sourceStream(this.#delivery))?.shards ?? [];
  }

  #open(shard: ShardInfo): ShardTransformer {
    const last = this.#stored.get(positionKey(shard.ref));
    const from = this.#start(shard.ref);
    return new ShardTransformer(shard, from, last?.offset === from ? last : undefined, {
      ...this.#doors,
      transform: () => transformOf(this.#delivery.target),
      stream: () => this.#doors.records.describe(sourceStream(this.#delivery)),
      into: this.into,
      intoEnd: () => this.#intoEnd(),
      form: sourceForm(this.#delivery),
      resumedFrom: this.mark,
      source: () => this.#source(),
      isFlushed: () => this.#flushes.count > 0,
      moved: () => this.#moved(),
    });
  }

  /** Where a shard is begun with: of a record whose last part may not be stored, with that record again. */
  #start(shard: Pick<ShardRef, 'generation' | 'ordinal'>): Offset {
    const kept = this.#ledger.position(shard);
    const last = this.#stored.get(positionKey(shard));
    if (last === undefined || last.offset < kept) return kept;
    // One that came alone is stored whole.
    return last.subSequenceNumber === undefined ? last.offset + 1n : last.offset;
  }

  #source(): TransformSource {
    const { identity, environment } = this.#doors;
    const { region, account } = identity;
    const { name, from, source } = this.#delivery;
    return {
      invocationId: environment.random.uuid(),
      deliveryStreamArn: deliveryStreamArn(region, account, name),
      ...(from !== undefined && {
        sourceKinesisStreamArn: source?.KinesisStreamARN ?? streamArn(region, account, from),
      }),
      region,
    };
  }

  #intoEnd(): Offset {
    const shard = this.#internal()?.shards[0];
    return shard === undefined ? 0n : this.#doors.records.bounds(shard).end;
  }

  #internal(): StreamInfo | undefined {
    return this.#doors.records.describe(this.into);
  }

  #moved(): void {
    this.#settleFlushes();
    this.#isDirty = true;
    this.#saving ??= this.#save().finally(() => (this.#saving = undefined));
  }

  /** Writes how far it is, until that is written. */
  async #save(): Promise<void> {
    const { clock, log } = this.#doors.environment;
    while (this.#isDirty && !this.#isFenced) {
      this.#isDirty = false;
      try {
        await this.#ledger.change((progress) => ({ ...progress, positions: this.reached(), mark: this.#newMark() }));
      } catch (error) {
        if (error instanceof LostOwnership) {
          this.#isFenced = true;
          log.warn(firehoseEvents.fenced, { delivery: this.#delivery.name });
          void this.#follower.stop();
          return;
        }
        this.#isDirty = true;
        this.#doors.notes.failed(error);
        if (this.#stopped.signal.aborted) return;
        await clock.sleep(firehoseLimits.idleMs, this.#stopped.signal);
      }
    }
  }

  /** The place in the internal stream up to which the positions tell all. */
  #newMark(): string {
    const pending = this.#follower.feeds.flatMap(({ pendingFrom }) => (pendingFrom === undefined ? [] : [pendingFrom]));
    const mark = pending.reduce((least, one) => (one < least ? one : least), this.#intoEnd());
    return String(mark);
  }

  #settleFlushes(): void {
    if (this.#flushes.count === 0) return;
    this.#flushes.settle(new Map(this.#shards().map(({ ref }) => [positionKey(ref), this.#follower.reached(ref)])));
  }

  /** The last entry of each shard of the source behind the mark. */
  async #scan(): Promise<ReadonlyMap<string, Origin>> {
    const { records } = this.#doors;
    const found = new Map<string, Origin>();
    const stream = this.#internal();
    const shard = stream?.shards[0];
    if (stream === undefined || shard === undefined) return found;
    const { end } = records.bounds(shard);
    for (let from = this.mark; from < end;) {
      const slice = await orPastDamage(records.read(stream, shard, from, READ_LIMIT), () => undefined);
      for (const record of slice.records) {
        const origin = originOf(record);
        found.set(positionKey(origin), origin);
      }
      if (slice.next <= from) break;
      from = slice.next;
    }
    return found;
  }
}
