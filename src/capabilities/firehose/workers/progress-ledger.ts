import { OneAtATime } from '../../../kernel/flow/one-at-a-time.ts';
import type { Catalog, Revision } from '../../../ports/catalog.ts';
import { positionKey, type Offset, type ShardRef } from '../../../ports/stream-store.ts';
import { NO_PROGRESS, PROGRESS_PREFIX, progressFromJson, progressToJson, type Progress } from '../model.ts';

/** The delivery's position was written by somebody else, or removed. */
export class LostOwnership extends Error {
  override readonly name = 'LostOwnership';
}

/** A position as the catalog has it; `revision` null: it has none. */
export interface StoredProgress {
  readonly key: string;
  readonly progress: Progress;
  readonly revision: Revision | null;
}

/** How far a delivery, or what else keeps a position of its own, is by the catalog. */
export function storedProgress(catalog: Catalog, name: string): StoredProgress {
  const key = PROGRESS_PREFIX + name;
  const stored = catalog.get(key);
  if (stored === undefined) return { key, progress: NO_PROGRESS, revision: null };
  return { key, progress: progressFromJson(stored.value), revision: stored.revision };
}

type Change = (progress: Progress) => Progress;

/** How far one delivery is, in the catalog: written by its worker alone, and what comes meanwhile with one write. */
export class ProgressLedger {
  readonly #catalog: Catalog;
  readonly #key: string;
  readonly #writes = new OneAtATime();
  #progress: Progress;
  #revision: Revision | undefined;
  /** Whether the last change was written is not known. */
  #isUnsure = false;
  #changes: Change[] = [];
  #next: Promise<void> | undefined;

  /** `name`: of the delivery, or of what else keeps a position of its own. */
  constructor(name: string, catalog: Catalog) {
    this.#catalog = catalog;
    const stored = storedProgress(catalog, name);
    this.#key = stored.key;
    this.#progress = stored.progress;
    this.#revision = stored.revision ?? undefined;
  }

  get progress(): Progress {
    return this.#progress;
  }

  /** The first record of the shard that is not delivered yet. */
  position(shard: Pick<ShardRef, 'generation' | 'ordinal'>): Offset {
    return BigInt(this.#progress.positions[positionKey(shard)] ?? '0');
  }

  /**
   * Resolves once the change stands. Rejects with LostOwnership; with Unavailable when it may stand or not: a change
   * that is asked for again must then see for itself.
   */
  async change(change: Change): Promise<void> {
    this.#changes.push(change);
    this.#next ??= this.#writes.run(async () => await this.#write());
    await this.#next;
  }

  /** Whether a change was written is not known after some failures: the catalog says. True: something new. */
  async reread(): Promise<boolean> {
    await this.#catalog.sync();
    this.#isUnsure = false;
    const stored = this.#catalog.get(this.#key);
    if (stored === undefined || stored.revision === this.#revision) return false;
    this.#progress = progressFromJson(stored.value);
    this.#revision = stored.revision;
    return true;
  }

  async #write(): Promise<void> {
    // Whatever comes of this write is told to who asked for it, and to nobody who comes later.
    const changes = this.#changes;
    this.#changes = [];
    this.#next = undefined;
    if (this.#isUnsure) await this.reread();
    const progress = changes.reduce((so, change) => change(so), this.#progress);
    this.#isUnsure = true;
    const expect = this.#revision ?? null;
    const verdict = await this.#catalog.propose([{ key: this.#key, expect, put: progressToJson(progress) }]);
    this.#isUnsure = false;
    // Deleted, or somebody else's: either way no longer ours to deliver.
    if (!verdict.accepted) throw new LostOwnership();
    this.#progress = progress;
    this.#revision = verdict.revision;
  }
}

/**
 * Keeps how many records of one batch are sent again that may have arrived, before they are: the number in all, so that
 * one which may have been kept, and is asked for again, counts once.
 */
export function repeatsOf(ledger: ProgressLedger): (records: number) => Promise<void> {
  let before: number | undefined;
  return async (records) =>
    await ledger.change((progress) => {
      before ??= progress.duplicates ?? 0;
      return { ...progress, duplicates: before + records };
    });
}
