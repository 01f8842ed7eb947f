import type { Records, StreamInfo } from '../../../ports/records.ts';
import { positionKey, type Offset } from '../../../ports/stream-store.ts';
import type { Progress, Range } from '../model.ts';

/** Finds what went with a stream that was deleted: once it is gone, nobody else tells how far it had come. */
export class DeletedShards {
  readonly #records: Pick<Records, 'bounds'>;
  /** Ends of the shards as they were seen last. */
  readonly #ends = new Map<string, Offset>();

  constructor(records: Pick<Records, 'bounds'>) {
    this.#records = records;
  }

  /** Notes how far the stream has come. */
  see({ shards }: Pick<StreamInfo, 'shards'>): void {
    for (const shard of shards) this.#ends.set(positionKey(shard.ref), this.#records.bounds(shard).end);
  }

  /**
   * What is left of shards whose stream was deleted, `stream` being the one that has its name now: ranges that were not
   * delivered, with an open end where this process did not see it; and shards of which nothing is missing.
   */
  look(
    { positions }: Pick<Progress, 'positions'>,
    stream: StreamInfo | undefined,
  ): { lost: readonly Range[]; settled: readonly string[] } {
    const now = stream?.shards[0]?.ref.generation;
    const lost: Range[] = [];
    const settled: string[] = [];
    for (const key of new Set([...Object.keys(positions), ...this.#ends.keys()])) {
      const [generation = 0, ordinal = 0] = key.split('/').map(Number);
      const end = this.#ends.get(key);
      // Of a stream that nobody has seen yet it is not known whether it is gone.
      if (generation === now || (now === undefined && end === undefined)) continue;
      const from = BigInt(positions[key] ?? '0');
      if (end === undefined) lost.push({ generation, ordinal, from, to: from + 1n, isOpen: true });
      else if (from < end) lost.push({ generation, ordinal, from, to: end });
      else settled.push(key);
    }
    return { lost, settled };
  }

  /** They are told of. */
  forget(keys: readonly string[]): void {
    for (const key of keys) this.#ends.delete(key);
  }
}
