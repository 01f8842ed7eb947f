import type { Clock } from '../../../ports/environment.ts';
import { positionKey, type Offset } from '../../../ports/stream-store.ts';
import type { Records } from '../../../ports/records.ts';
import { firehoseLimits } from '../limits.ts';

interface Flush {
  readonly targets: ReadonlyMap<string, Offset>;
  readonly done: () => void;
}

/** Those who wait for everything that stands in a stream to be delivered. */
export class FlushRequests {
  #flushes: readonly Flush[] = [];

  /** How many wait. */
  get count(): number {
    return this.#flushes.length;
  }

  /**
   * Resolves with true once all that stands in the stream is delivered, with false after a while or when nobody waits
   * any more. `asked` is called once this waits.
   */
  async wait(
    { records, clock, source }: { readonly records: Records; readonly clock: Clock; readonly source: string },
    signal: AbortSignal,
    asked: () => void,
  ): Promise<boolean> {
    const stream = records.describe(source);
    if (stream === undefined) return true;
    const targets = new Map(stream.shards.map((shard) => [positionKey(shard.ref), records.bounds(shard).end] as const));
    let isDone = false;
    const waited = new AbortController();
    const flush: Flush = {
      targets,
      done: () => {
        isDone = true;
        waited.abort();
      },
    };
    this.#flushes = [...this.#flushes, flush];
    asked();
    const leave = (): void => waited.abort();
    signal.addEventListener('abort', leave, { once: true });
    await clock.sleep(firehoseLimits.flushMs, waited.signal);
    signal.removeEventListener('abort', leave);
    this.#flushes = this.#flushes.filter((one) => one !== flush);
    return isDone;
  }

  /** Ends the waits for shards that are reached; `reached`: how far each shard of the stream is, by its key. */
  settle(reached: ReadonlyMap<string, Offset>, isAll = false): void {
    for (const { targets, done } of this.#flushes) {
      if (isAll || [...targets].every(([key, end]) => (reached.get(key) ?? end) >= end)) done();
    }
  }
}
