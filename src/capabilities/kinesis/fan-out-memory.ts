import { createByteBudget } from '../../kernel/flow/byte-budget.ts';
import type { Environment } from '../../ports/environment.ts';
import { kinesisEvents } from './events.ts';
import { kinesisLimits } from './limits.ts';
import type { Subscription } from './subscription.ts';

/** How often holders are looked at while others wait. */
const LOOK_MS = 1000;

interface Holder {
  readonly bytes: number;
  /** Monotonic, in ms. */
  readonly since: number;
}

/** What the events of all subscriptions hold together; who lets them lie while others wait is cut. */
export class FanOutMemory {
  readonly #environment: Environment;
  readonly #shared = createByteBudget(kinesisLimits.fanOutBytesMax);
  /** One at a time. */
  readonly #turns = createByteBudget(1);
  readonly #holders = new Map<Subscription, Holder>();
  #smallBytes = 0;
  #isLooking = false;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** Takes bytes of what all share at once, or says that they are not there. */
  tryTake(bytes: number): boolean {
    return this.#shared.tryTake(bytes);
  }

  /** Waits for bytes of what all share; false when the subscription ends first. */
  async take(bytes: number, { signal }: Subscription): Promise<boolean> {
    const taking = this.#shared.take(bytes, signal);
    this.#tell();
    this.#look();
    const isTaken = await taking;
    this.#tell();
    return isTaken;
  }

  /** Runs `work` beside what all share: one at a time, so that it needs no more than one event. */
  async inTurn<T>(work: () => Promise<T>): Promise<T> {
    await this.#turns.take(1, NEVER);
    try {
      return await work();
    } finally {
      this.#turns.giveBack(1);
    }
  }

  /** An event lies in memory, in place of the bytes taken for it. The returned function gives it back, once. */
  hold(subscription: Subscription, bytes: number, takenBytes: number): () => void {
    this.#shared.charge(bytes);
    this.giveBack(takenBytes);
    this.#holders.set(subscription, { bytes, since: this.#environment.clock.monotonic() });
    return () => {
      this.#holders.delete(subscription);
      this.giveBack(bytes);
    };
  }

  /** The same for a small one, which each subscription may have beside what all share. */
  holdSmall(bytes: number): () => void {
    this.#smallBytes += bytes;
    this.#tell();
    return () => {
      this.#smallBytes -= bytes;
      this.#tell();
    };
  }

  giveBack(bytes: number): void {
    this.#shared.giveBack(bytes);
    this.#tell();
  }

  #look(): void {
    if (this.#isLooking || this.#shared.waiting === 0) return;
    this.#isLooking = true;
    this.#environment.clock.timer(LOOK_MS, () => {
      this.#isLooking = false;
      if (this.#shared.waiting > 0) this.#cutStalled();
      this.#look();
    });
  }

  #cutStalled(): void {
    const { clock, meter } = this.#environment;
    const { stalledMs, slowestBytesPerMs } = kinesisLimits;
    for (const [subscription, { bytes, since }] of this.#holders) {
      if (clock.monotonic() - since < stalledMs + bytes / slowestBytesPerMs) continue;
      // What it holds may be given back later than the next look.
      this.#holders.delete(subscription);
      meter.count(kinesisEvents.subscriptionsCut);
      subscription.cut();
    }
  }

  #tell(): void {
    const { meter } = this.#environment;
    meter.gauge(kinesisEvents.fanOutBytes, {}, this.#shared.usedBytes + this.#smallBytes);
    meter.gauge(kinesisEvents.fanOutWaiting, {}, this.#shared.waiting);
  }
}

const NEVER = new AbortController().signal;
