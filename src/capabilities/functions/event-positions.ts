import { Defect } from '../../kernel/errors.ts';
import type { Catalog, Revision } from '../../ports/catalog.ts';
import type { ShardInfo } from '../../ports/records.ts';
import { positionKey, type Offset } from '../../ports/stream-store.ts';
import { functionsLimits } from './limits.ts';
import { EVENTS_POSITION_KEY, type FunctionsState } from './model.ts';

/**
 * The first event of each shard that is not done, in the catalog. A start after a crash runs again what was done behind
 * it: while an event is slow that is all that was done since it began, and what was done since the position was written
 * last, some time after it moved. What a planned stop tells beside it stands in DoneAtStop.
 */
export class EventPositions {
  readonly #state: FunctionsState;
  readonly #catalog: Catalog;
  readonly #failed: (error: unknown) => void;
  readonly #positions: Map<string, string>;
  readonly #moved = new Map<ShardInfo, Offset>();
  #revision: Revision | undefined;
  #isScheduled = false;
  #storing: Promise<void> = Promise.resolve();

  constructor(state: FunctionsState, catalog: Catalog, failed: (error: unknown) => void) {
    this.#state = state;
    this.#catalog = catalog;
    this.#failed = failed;
    const stored = catalog.get(EVENTS_POSITION_KEY);
    this.#revision = stored?.revision;
    this.#positions = new Map(Object.entries((stored?.value ?? {}) as Record<string, string>));
  }

  of(shard: ShardInfo): Offset {
    return BigInt(this.#positions.get(positionKey(shard.ref)) ?? '0');
  }

  moved(shard: ShardInfo, position: Offset): void {
    this.#moved.set(shard, position);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#state.environment.clock.timer(functionsLimits.positionEveryMs, () => {
      this.#isScheduled = false;
      void this.store();
    });
  }

  /** Writes what has moved, and lets go of the events before it. Never rejects. */
  async store(): Promise<void> {
    this.#storing = this.#storing.then(async () => {
      try {
        await this.#store();
      } catch (error) {
        this.#failed(error);
      }
    });
    await this.#storing;
  }

  async #store(): Promise<void> {
    const moved = [...this.#moved];
    if (moved.length === 0) return;
    for (const [shard, position] of moved) this.#positions.set(positionKey(shard.ref), position.toString());
    const put = Object.fromEntries(this.#positions);
    const verdict = await this.#catalog.propose([{ key: EVENTS_POSITION_KEY, expect: this.#revision ?? null, put }]);
    if (!verdict.accepted) throw new Defect('somebody else runs the events of functions');
    this.#revision = verdict.revision;
    for (const [shard, position] of moved) {
      await this.#state.records.trim(shard, position);
      // What failed before this has not been: the next time writes it again.
      if (this.#moved.get(shard) === position) this.#moved.delete(shard);
    }
  }
}
