import type { Catalog, Json, Revision } from '../../../ports/catalog.ts';

/** Keys of the catalog that say how far the pull of each hook is. */
export const PULL_PREFIX = 'webhook-pull/';
/** Keys of those that rest. */
export const PULL_PAUSED_PREFIX = 'webhook-pull-paused/';

/** How far one hook's deliveries are looked through: all that were sent before `settledTo` are in, or given up. */
export interface PullPosition {
  /** Its URL: of another hook nothing is settled. */
  readonly hook: string;
  /** In ms; absent: nothing is. */
  readonly settledTo?: number;
  /** When the whole list was looked through last, in ms; absent: never. */
  readonly lookedAt?: number;
}

/** Somebody else pulls this hook. */
export class LostPull extends Error {
  override readonly name = 'LostPull';
}

/** What the catalog keeps of a hook by that name; undefined: nothing. */
export function storedPosition(catalog: Catalog, name: string): PullPosition | undefined {
  const stored = catalog.get(PULL_PREFIX + name);
  // It was written by PullLedger.
  return stored === undefined ? undefined : (stored.value as unknown as PullPosition);
}

/** How far one hook is, in the catalog: written by its puller alone, one change after the other. */
export class PullLedger {
  readonly #catalog: Catalog;
  readonly #name: string;
  #position: PullPosition;
  #revision: Revision | null;
  /** Whether the last change was written is not known. */
  #isUnsure = false;

  constructor(name: string, hook: string, catalog: Catalog) {
    this.#catalog = catalog;
    this.#name = name;
    const stored = storedPosition(catalog, name);
    this.#position = stored?.hook === hook ? stored : { hook };
    this.#revision = catalog.get(PULL_PREFIX + name)?.revision ?? null;
  }

  get position(): PullPosition {
    return this.#position;
  }

  /** Resolves once it stands. Rejects with LostPull; with Unavailable when it may stand or not. */
  async write(position: PullPosition): Promise<void> {
    const key = PULL_PREFIX + this.#name;
    if (this.#isUnsure) {
      await this.#catalog.sync();
      this.#revision = this.#catalog.get(key)?.revision ?? null;
    }
    this.#isUnsure = true;
    const put: Json = { ...position };
    const verdict = await this.#catalog.propose([{ key, expect: this.#revision, put }]);
    this.#isUnsure = false;
    if (!verdict.accepted) throw new LostPull();
    this.#position = position;
    this.#revision = verdict.revision;
  }
}
