import { createByteBudget, type ByteBudget } from '../../../kernel/flow/byte-budget.ts';
import type { Meter } from '../../../ports/environment.ts';
import { firehoseEvents } from '../events.ts';
import { firehoseLimits } from '../limits.ts';

type Use = 'attempts' | 'scans';

/**
 * The memory that all deliveries share, asked for before it is taken; who waits is served in order. All that an attempt
 * needs is taken at once, and a scan ends by itself: whoever holds some waits for nobody who waits for it.
 */
export class DeliveryMemory {
  readonly #meter: Meter;
  readonly #budgets: Readonly<Record<Use, ByteBudget>>;

  constructor(meter: Meter) {
    const { attemptBytesMax, scanBytesMax } = firehoseLimits;
    this.#meter = meter;
    this.#budgets = { attempts: createByteBudget(attemptBytesMax), scans: createByteBudget(scanBytesMax) };
  }

  /** Makes an attempt that holds so many bytes. Undefined: `signal` aborted first, and nothing was done. */
  async forAttempt<T>(bytes: number, signal: AbortSignal, work: () => Promise<T>): Promise<T | undefined> {
    return await this.#with('attempts', { bytes, signal }, work);
  }

  /** Looks at so many bytes of a stream, which wait for no destination. Undefined as of an attempt. */
  async forScan<T>(bytes: number, signal: AbortSignal, work: () => Promise<T>): Promise<T | undefined> {
    return await this.#with('scans', { bytes, signal }, work);
  }

  async #with<T>(
    use: Use,
    { bytes, signal }: { readonly bytes: number; readonly signal: AbortSignal },
    work: () => Promise<T>,
  ): Promise<T | undefined> {
    const budget = this.#budgets[use];
    const taking = budget.take(bytes, signal);
    this.#measure(use);
    if (!(await taking)) return undefined;
    this.#measure(use);
    try {
      return await work();
    } finally {
      budget.giveBack(bytes);
      this.#measure(use);
    }
  }

  #measure(use: Use): void {
    const { usedBytes, waiting } = this.#budgets[use];
    this.#meter.gauge(firehoseEvents.memoryBytes, { use }, usedBytes);
    this.#meter.gauge(firehoseEvents.memoryWaiting, { use }, waiting);
  }
}
