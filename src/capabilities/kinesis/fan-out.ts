import { streamNotFound, kinesisError } from './errors.ts';
import type { RequestError } from '../../kernel/errors.ts';
import type { ShardInfo } from '../../ports/records.ts';
import { shardKey } from '../../ports/stream-store.ts';
import { consumerNotFound } from './consumer-address.ts';
import type { Consumer } from './consumers.ts';
import { EventReader, type ReadEvent } from './event-reader.ts';
import { kinesisEvents } from './events.ts';
import { FanOutMemory } from './fan-out-memory.ts';
import type { KinesisForm } from './form.ts';
import { kinesisLimits } from './limits.ts';
import type { KinesisState } from './model.ts';
import { Subscription } from './subscription.ts';

/** What fan-out needs of the capability. */
type Parts = Pick<KinesisState, 'records' | 'consumers' | 'identity' | 'environment' | 'memory'>;

/** An event that counts in memory until `done`, which is called once. */
export interface HeldEvent {
  readonly event: ReadEvent;
  readonly done: () => void;
}

/** All subscriptions of this node: one for each consumer and shard, and what they hold in memory together. */
export class FanOut {
  readonly #parts: Parts;
  readonly #reader: EventReader;
  readonly #memory: FanOutMemory;
  /** By consumer and shard: those that go on, and those that are over but began a moment ago. */
  readonly #recent = new Map<string, Subscription>();
  /** How many go on, by shard. */
  readonly #ofShard = new Map<string, number>();
  readonly #unwatch: () => void;
  #count = 0;
  #isStopped = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#reader = new EventReader(parts);
    this.#memory = new FanOutMemory(parts.environment);
    this.#unwatch = parts.consumers.watch((stream) => this.#recheck(stream));
  }

  /**
   * Begins a subscription and ends the one before it, unless that is younger than five seconds:
   * ResourceInUseException. It ends by itself after five minutes, or when `signal` aborts.
   */
  begin(consumer: Consumer, shard: ShardInfo, signal: AbortSignal): Subscription {
    const { clock } = this.#parts.environment;
    // Consumers of one name and second have the same ARN.
    const key = `${shardKey(shard.ref)} ${consumer.name} ${consumer.createdAt}`;
    const former = this.#recent.get(key);
    if (former !== undefined && clock.monotonic() - former.beganAt < kinesisLimits.subscriptionAloneMs) {
      throw this.#inUse(consumer);
    }
    former?.end(this.#inUse(consumer));
    const subscription = new Subscription(this.#parts, consumer, shard, () => this.#ended(key, subscription));
    this.#recent.set(key, subscription);
    this.#counted(shard, 1);
    signal.addEventListener('abort', () => subscription.end(), { once: true });
    if (signal.aborted || this.#isStopped) subscription.end();
    return subscription;
  }

  /**
   * The records from an offset on that a subscription's next event holds; undefined when it ends while it waits for
   * room. Until `done` they count in what all subscriptions may hold. Where that is taken by others, few records come
   * at a time, so that nobody who holds much stops those who follow small records. Rejects as Records does.
   */
  async read(subscription: Subscription, from: bigint, form: KinesisForm): Promise<HeldEvent | undefined> {
    const room = this.#reader.roomOf(subscription.consumer.stream);
    if (!this.#memory.tryTake(room)) {
      const small = await this.#readSmall(subscription, from, form);
      if (small !== undefined) return small;
      if (!(await this.#memory.take(room, subscription))) return undefined;
    }
    const { consumer, shard } = subscription;
    try {
      const isShared = (this.#ofShard.get(shardKey(shard.ref)) ?? 0) > 1;
      const event = await this.#reader.read(consumer.stream, shard, from, form, isShared);
      // What is left of the room goes back at once.
      return { event, done: this.#memory.hold(subscription, event.records.length, room) };
    } catch (error) {
      this.#memory.giveBack(room);
      throw error;
    }
  }

  /** Undefined where not even one record is small. */
  async #readSmall(
    { consumer, shard, signal }: Subscription,
    from: bigint,
    form: KinesisForm,
  ): Promise<HeldEvent | undefined> {
    return await this.#memory.inTurn(async () => {
      if (signal.aborted) return undefined;
      const event = await this.#reader.readSmall(consumer.stream, shard, from, form);
      const { length } = event.records;
      return length > kinesisLimits.smallEventBytesMax ? undefined : { event, done: this.#memory.holdSmall(length) };
    });
  }

  /** Ends all subscriptions in order, and those that begin later at once. */
  stop(): void {
    this.#isStopped = true;
    this.#unwatch();
    for (const subscription of this.#recent.values()) subscription.end();
  }

  #ended(key: string, subscription: Subscription): void {
    const { clock } = this.#parts.environment;
    this.#counted(subscription.shard, -1);
    const forget = (): void => {
      if (this.#recent.get(key) === subscription) this.#recent.delete(key);
    };
    const leftMs = subscription.beganAt + kinesisLimits.subscriptionAloneMs - clock.monotonic();
    if (leftMs <= 0) forget();
    else clock.timer(leftMs, forget);
  }

  #counted({ ref }: ShardInfo, by: 1 | -1): void {
    const key = shardKey(ref);
    const left = (this.#ofShard.get(key) ?? 0) + by;
    if (left > 0) this.#ofShard.set(key, left);
    else this.#ofShard.delete(key);
    this.#count += by;
    if (this.#count === 0) this.#reader.forgetAll();
    this.#parts.environment.meter.gauge(kinesisEvents.subscriptions, {}, this.#count);
  }

  /** The consumers of a stream changed: who is none any more hears so. */
  #recheck(name: string): void {
    const { consumers, records, identity } = this.#parts;
    for (const subscription of this.#recent.values()) {
      const { consumer } = subscription;
      if (consumer.stream.name !== name) continue;
      if (consumers.find(consumer.stream, consumer.name)?.createdAt === consumer.createdAt) continue;
      const isStreamGone = records.describe(name) === undefined;
      subscription.end(
        isStreamGone ? streamNotFound(name, identity.account) : consumerNotFound(consumer.arn, identity.account),
      );
    }
  }

  #inUse({ stream, name }: Consumer): RequestError {
    const who = `${this.#parts.identity.account}:${stream.name}:${name}`;
    return kinesisError('ResourceInUseException', `Another active subscription exists for this consumer: ${who}`);
  }
}
