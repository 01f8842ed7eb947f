import type { RequestError } from '../../kernel/errors.ts';
import type { ShardInfo } from '../../ports/records.ts';
import type { Consumer } from './consumers.ts';
import { kinesisLimits } from './limits.ts';
import type { KinesisState } from './model.ts';

/** One consumer's hold of one shard, until something ends it. */
export class Subscription {
  readonly consumer: Consumer;
  readonly shard: ShardInfo;
  /** Monotonic, in ms. */
  readonly beganAt: number;
  readonly #parts: Pick<KinesisState, 'records' | 'environment'>;
  readonly #over = new AbortController();
  readonly #cut = new AbortController();
  readonly #ended: () => void;
  readonly #cancelEnd: () => void;
  #reason: RequestError | undefined;

  /** `ended` is called once. */
  constructor(
    parts: Pick<KinesisState, 'records' | 'environment'>,
    consumer: Consumer,
    shard: ShardInfo,
    ended: () => void,
  ) {
    const { clock } = parts.environment;
    this.#parts = parts;
    this.consumer = consumer;
    this.shard = shard;
    this.#ended = ended;
    this.beganAt = clock.monotonic();
    // Wall time may step: this time does not.
    this.#cancelEnd = clock.timer(kinesisLimits.subscriptionLifeMs, () => this.end());
  }

  /** Aborts with its end. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  get isOver(): boolean {
    return this.#over.signal.aborted;
  }

  /** What the subscriber is told about the end; undefined for one that is as it should be. */
  get reason(): RequestError | undefined {
    return this.#reason;
  }

  /** Aborts when the subscriber is to be cut off, whatever is on its way to it. */
  get cutSignal(): AbortSignal {
    return this.#cut.signal;
  }

  /** It takes nothing while others wait for what it holds. */
  cut(): void {
    this.#cut.abort();
    this.end();
  }

  /** Only the first end counts. */
  end(reason?: RequestError): void {
    if (this.isOver) return;
    this.#reason = reason;
    this.#cancelEnd();
    this.#over.abort();
    this.#ended();
  }

  /**
   * Resolves when there are records at or after `from`, nothing more can come, it has been quiet for long enough, or
   * the subscription is over. Rejects as Records does.
   */
  async wait(from: bigint): Promise<void> {
    const { records, environment } = this.#parts;
    if (this.isOver) return;
    const pause = new AbortController();
    const wake = (): void => pause.abort();
    const cancel = environment.clock.timer(kinesisLimits.subscriptionQuietMs, wake);
    this.signal.addEventListener('abort', wake, { once: true });
    try {
      await records.waitForMore(this.shard, from, pause.signal);
    } finally {
      cancel();
      this.signal.removeEventListener('abort', wake);
    }
  }
}
