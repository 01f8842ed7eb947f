import { deliveryStreamArn, streamArn } from '../../../kernel/names.ts';
import type { ShardInfo, StreamInfo } from '../../../ports/records.ts';
import { orPastDamage, positionKey, type Offset, type ShardRef } from '../../../ports/stream-store.ts';
import { firehoseEvents, processingMetrics } from '../events.ts';
import { firehoseLimits } from '../limits.ts';
import { sourceStream, type DeliveryStream } from '../model.ts';
import { sourceForm } from '../outgoing.ts';
import { isOfDeleted, originOf, PROCESSED_PREFIX, type Origin } from '../processed-record.ts';
import { READ_LIMIT } from '../range-slices.ts';
import { transformOf } from '../transform-options.ts';
import type { TransformSource } from '../transform-event.ts';
import { DeletedSource } from './deleted-source.ts';
import type { DeliveryNotes } from './delivery-notes.ts';
import { FlushRequests } from './flush-requests.ts';
import { LostOwnership, ProgressLedger } from './progress-ledger.ts';
import { ShardFollower } from './shard-follower.ts';
import { ShardTransformer } from './shard-transformer.ts';
import type { WorkerDoors } from './worker.ts';

type ShardPlace = Pick<ShardRef, 'generation' | 'ordinal'>;

/** Behind the delivery's name: the key of its position. */
export const PROCESSING = '/processing';

/** What the stage works with beside what all workers do. */
export interface StageDoors extends WorkerDoors {
  readonly notes: DeliveryNotes;
  /** So much of the source was read. */
  readonly read: (records: number, bytes: number) => void;
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
  readonly #deleted: DeletedSource;
  /** The last of each shard; those of streams that are gone until that is told. */
  readonly #transformers = new Map<string, ShardTransformer>();
  /** What the internal stream holds beyond what the catalog says, by shard of the source. */
  readonly #stored = new Map<string, Origin>();
  #delivery: DeliveryStream;
  #isFenced = false;
  #isDirty = false;
  #saving: Promise<void> | undefined;
  #telling: Promise<void> | undefined;

  constructor(delivery: DeliveryStream, doors: StageDoors) {
    this.#delivery = delivery;
    this.#doors = doors;
    this.#ledger = new ProgressLedger(delivery.name + PROCESSING, doors.catalog);
    this.#follower = new ShardFollower<ShardTransformer>({
      records: doors.records,
      clock: doors.environment.clock,
      stream: () => this.#followed(),
      position: (shard) => this.#start(shard),
      open: (shard) => this.#open(shard),
      failed: (error) => {
        throw error;
      },
      looked: () => {
        this.#settleFlushes();
        this.#telling ??= this.#tellDeleted().finally(() => (this.#telling = undefined));
      },
    });
    this.#deleted = new DeletedSource({ ...doors, into: this.into, tellsOf: (key) => this.#forget(key) });
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
    await this.#scan();
    this.#follower.start();
  }

  update(delivery: DeliveryStream): void {
    this.#delivery = delivery;
    this.#follower.wake();
  }

  async drain(withinMs: number): Promise<void> {
    await this.#follower.drain(withinMs);
    await this.#end();
  }

  async stop(): Promise<void> {
    await this.#follower.stop();
    await this.#end();
  }

  async #end(): Promise<void> {
    this.#stopped.abort();
    await this.#telling;
    await this.#saving;
  }

  /** Resolves with true once all that stood in the source at the call was transformed, with false after a while. */
  async flush(signal: AbortSignal): Promise<boolean> {
    const { records, environment } = this.#doors;
    const source = sourceStream(this.#delivery);
    return await this.#flushes.wait({ records, clock: environment.clock, source }, signal, () => this.#follower.wake());
  }

  /** The first record of a shard of the source that is not transformed. */
  position(shard: ShardPlace): Offset {
    return this.#follower.reached(shard);
  }

  /** The same as it is known after a crash without what the internal stream tells. */
  savedPosition(shard: ShardPlace): Offset {
    return this.#ledger.position(shard);
  }

  /** What is left to be done, by shard: the first record of which nothing, or not all, is stored. */
  left(): Record<string, string> {
    const keys = [...Object.keys(this.#untold()), ...this.#shards().map(({ ref }) => positionKey(ref))];
    return Object.fromEntries(keys.map((key) => [key, String(this.#storedIn(key))]));
  }

  #reached(): Record<string, string> {
    return Object.fromEntries(this.#shards().map(({ ref }) => [positionKey(ref), String(this.#follower.reached(ref))]));
  }

  #storedIn(key: string): Offset {
    const [generation = 0, ordinal = 0] = key.split('/').map(Number);
    return this.#transformers.get(key)?.stored ?? this.#start({ generation, ordinal });
  }

  /** Positions in streams that are gone, of which nobody was told what went with them. */
  #untold(): Record<string, string> {
    const now = this.#source()?.shards[0]?.ref.generation;
    const { positions } = this.#ledger.progress;
    const keys = new Set([...Object.keys(positions), ...this.#stored.keys(), ...this.#transformers.keys()]);
    const untold = [...keys].filter((key) => Number.parseInt(key, 10) !== now && !this.#deleted.told.has(key));
    return Object.fromEntries(
      untold.map((key) => [key, String(this.#transformers.get(key)?.position ?? positions[key] ?? '0')]),
    );
  }

  /** A stream that was made anew is begun with once it is told what went with the one before. */
  #followed(): StreamInfo | undefined {
    const stream = this.#source();
    if (stream === undefined) return undefined;
    this.#deleted.see(stream);
    return Object.keys(this.#untold()).length > 0 || this.#deleted.hasOthers(stream) ? undefined : stream;
  }

  async #tellDeleted(): Promise<void> {
    try {
      const keys = Object.keys(this.#untold());
      const positions = Object.fromEntries(keys.map((key) => [key, String(this.#storedIn(key))]));
      const isBusy = (shard: ShardPlace): boolean => this.#follower.isUnderWay(shard);
      await this.#deleted.tell(positions, this.#source(), isBusy);
      this.#forgetClosed();
    } catch (error) {
      this.#doors.notes.failed(error);
    }
  }

  /** It is told what went with the stream of the shard. */
  #forget(key: string): void {
    this.#transformers.delete(key);
    this.#stored.delete(key);
    this.#moved();
  }

  /** Of shards that the stream gave up. */
  #forgetClosed(): void {
    const kept = new Set(this.#shards().map(({ ref }) => positionKey(ref)));
    const now = this.#shards()[0]?.ref.generation;
    for (const key of this.#transformers.keys()) {
      if (Number.parseInt(key, 10) === now && !kept.has(key)) this.#transformers.delete(key);
    }
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
    return this.#source()?.shards ?? [];
  }

  #source(): StreamInfo | undefined {
    return this.#doors.records.describe(sourceStream(this.#delivery));
  }

  #open(shard: ShardInfo): ShardTransformer {
    const last = this.#stored.get(positionKey(shard.ref));
    const from = this.#start(shard.ref);
    const transformer = new ShardTransformer(shard, from, last?.offset === from ? last : undefined, {
      ...this.#doors,
      measure: (call) => processingMetrics(this.#doors.environment.meter, this.#delivery.name, call),
      transform: () => transformOf(this.#delivery.target),
      stream: () => this.#source(),
      saw: (one) => this.#deleted.see({ shards: [one] }),
      into: this.into,
      intoEnd: () => this.#intoEnd(),
      form: sourceForm(this.#delivery),
      resumedFrom: this.mark,
      source: () => this.#eventSource(),
      isFlushed: () => this.#flushes.count > 0,
      moved: () => this.#moved(),
    });
    this.#transformers.set(positionKey(shard.ref), transformer);
    return transformer;
  }

  /** Where a shard is begun with: of a record whose last part may not be stored, with that record again. */
  #start(shard: ShardPlace): Offset {
    const kept = this.#ledger.position(shard);
    const last = this.#stored.get(positionKey(shard));
    if (last === undefined || last.offset < kept) return kept;
    // One that came alone is stored whole.
    return last.subSequenceNumber === undefined ? last.offset + 1n : last.offset;
  }

  #eventSource(): TransformSource {
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
        await this.#ledger.change((progress) => {
          const positions = { ...this.#untold(), ...this.#reached() };
          return { ...progress, positions, mark: this.#newMark() };
        });
        this.#deleted.saved(this.#ledger.progress.positions);
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
    const mark = pending.reduce(
      (least, one) => (one < least ? one : least),
      this.#deleted.pendingFrom ?? this.#intoEnd(),
    );
    return String(mark);
  }

  #settleFlushes(): void {
    if (this.#flushes.count === 0) return;
    this.#flushes.settle(new Map(this.#shards().map(({ ref }) => [positionKey(ref), this.#follower.reached(ref)])));
  }

  /** Looks for the last entry of each shard of the source behind the mark. */
  async #scan(): Promise<void> {
    const { records } = this.#doors;
    const stream = this.#internal();
    const shard = stream?.shards[0];
    if (stream === undefined || shard === undefined) return;
    const { end } = records.bounds(shard);
    for (let from = this.mark; from < end;) {
      const slice = await orPastDamage(records.read(stream, shard, from, READ_LIMIT), () => undefined);
      for (const record of slice.records) {
        const origin = originOf(record);
        this.#stored.set(positionKey(origin), origin);
        if (!isOfDeleted(record)) continue;
        this.#deleted.told.add(positionKey(origin));
        this.#stored.delete(positionKey(origin));
      }
      if (slice.next <= from) break;
      from = slice.next;
    }
  }
}
