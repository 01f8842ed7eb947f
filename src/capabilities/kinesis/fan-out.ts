import { createByteBudget } from '../../kernel/flow/byte-budget.ts';
import { streamNotFound, kinesisError } from './errors.ts';
import type { RequestError } from '../../kernel/errors.ts';
import type { ShardInfo } from '../../ports/records.ts';
import { shardKey } from '../../ports/stream-store.ts';
import { consumerNotFound } from './consumer-address.ts';
import type { Consumer } from './consumers.ts';
import { EventReader, type ReadEvent } from './event-reader.ts';
import { kinesisEvents } from './events.ts';
import type { KinesisForm } from './form.ts';
import { kinesisLimits } from './limits.ts';
import type { KinesisState } from './model.ts';
import { Subscription } from './subscription.ts';

/** What fan-out needs of the capability. */
type Parts = Pick<KinesisState, 'records' | 'consumers' | 'identity' | 'environment' | 'memory'>;

/** All subscriptions of this node: one for each consumer and shard, and what they hold in memory together. */
export class FanOut {
  readonly #parts: Parts;
  readonly #reader: EventReader;
  readonly #budget = createByteBudget(kinesisLimits.fanOutBytesMax);
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
   * room. Until `done` they count in what all subscriptions may hold. Rejects as Records does.
   */
  async read(
    subscription: Subscription,
    from: bigint,
    form: KinesisForm,
  ): Promise<{ event: ReadEvent; done: () => void } | undefined> {
    const { consumer, shard } = subscription;
    const room = this.#reader.roomOf(consumer.stream);
    if (!(await this.#budget.take(room, subscription.signal))) return undefined;
    let held = room;
    const done = (): void => {
      this.#budget.giveBack(held);
      held = 0;
      this.#parts.environment.meter.gauge(kinesisEvents.fanOutBytes, {}, this.#budget.usedBytes);
    };
    try {
      const isShared = (this.#ofShard.get(shardKey(shard.ref)) ?? 0) > 1;
      const event = await this.#reader.read(consumer.stream, shard, from, form, isShared);
      // What is left of the room goes back at once.
      this.#budget.charge(event.records.length);
      done();
      held = event.records.length;
      return { event, done };
    } catch (error) {
      done();
      throw error;
    }
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
