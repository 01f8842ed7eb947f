import { canonicalJson } from '../../kernel/json.ts';
import type { Catalog } from '../../ports/catalog.ts';
import type { ShardInfo } from '../../ports/records.ts';
import { positionKey, type Offset } from '../../ports/stream-store.ts';
import { EVENTS_DONE_KEY } from './model.ts';

/** What is done in a shard of events: all in front of `until` but `open`, which are in its order. */
export interface DoneEvents {
  readonly until: Offset;
  readonly open: readonly Offset[];
}

/** By shard, as the catalog keeps it. */
type Stored = Readonly<Record<string, { readonly until: string; readonly open: readonly string[] }>>;

/**
 * What had been done behind the first open event of each shard when the node was stopped, in the catalog: the next
 * start need not run it again. What is done stays so: nothing has to take it back, however far a shard comes later.
 */
export class DoneAtStop {
  readonly #catalog: Catalog;
  readonly #failed: (error: unknown) => void;

  constructor(catalog: Catalog, failed: (error: unknown) => void) {
    this.#catalog = catalog;
    this.#failed = failed;
  }

  of(shard: ShardInfo): DoneEvents {
    const known = this.#known()[positionKey(shard.ref)];
    return { until: BigInt(known?.until ?? 0), open: (known?.open ?? []).map(BigInt) };
  }

  /** Never rejects: without it more is run again. */
  async store(all: readonly (readonly [shard: ShardInfo, done: DoneEvents])[]): Promise<void> {
    const told = all.flatMap(([shard, { until, open }]) => {
      const [first = until] = open;
      // Otherwise its position says all.
      if (until - first <= open.length) return [];
      return [[positionKey(shard.ref), { until: until.toString(), open: open.map(String) }] as const];
    });
    const put = Object.fromEntries(told);
    if (canonicalJson(put) === canonicalJson(this.#known())) return;
    try {
      await this.#catalog.propose([{ key: EVENTS_DONE_KEY, put }]);
    } catch (error) {
      this.#failed(error);
    }
  }

  #known(): Stored {
    return (this.#catalog.get(EVENTS_DONE_KEY)?.value ?? {}) as Stored;
  }
}
