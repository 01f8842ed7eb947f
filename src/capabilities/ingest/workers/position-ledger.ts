import type { Catalog, Revision } from '../../../ports/catalog.ts';
import { checkpointFromJson, checkpointToJson, NOTHING_YET, POSITION_PREFIX, type Checkpoint } from '../model.ts';

/** Somebody else runs this source. */
export class LostSource extends Error {
  override readonly name = 'LostSource';
}

/** How far one source is, in the catalog: written by its worker alone, one change after the other. */
export class PositionLedger {
  readonly #catalog: Catalog;
  readonly #key: string;
  #checkpoint: Checkpoint;
  #revision: Revision | undefined;
  /** Whether the last change was written is not known. */
  #unsure: Checkpoint | undefined;

  constructor(source: string, catalog: Catalog) {
    this.#catalog = catalog;
    this.#key = POSITION_PREFIX + source;
    const stored = catalog.get(this.#key);
    this.#checkpoint = stored === undefined ? NOTHING_YET : checkpointFromJson(stored.value);
    this.#revision = stored?.revision;
  }

  get checkpoint(): Checkpoint {
    return this.#checkpoint;
  }

  get isEmpty(): boolean {
    return this.#revision === undefined;
  }

  /** Resolves once it stands. Rejects with LostSource; with Unavailable when it may stand or not. */
  async write(checkpoint: Checkpoint): Promise<void> {
    await this.#settle();
    this.#unsure = checkpoint;
    const expect = this.#revision ?? null;
    const verdict = await this.#catalog.propose([{ key: this.#key, expect, put: checkpointToJson(checkpoint) }]);
    this.#unsure = undefined;
    if (!verdict.accepted) throw new LostSource();
    this.#checkpoint = checkpoint;
    this.#revision = verdict.revision;
  }

  /** The catalog says what became of a change whose answer was lost. */
  async #settle(): Promise<void> {
    if (this.#unsure === undefined) return;
    await this.#catalog.sync();
    const stored = this.#catalog.get(this.#key);
    const mine = JSON.stringify(checkpointToJson(this.#unsure));
    if (stored !== undefined && stored.revision !== this.#revision && JSON.stringify(stored.value) === mine) {
      this.#checkpoint = this.#unsure;
      this.#revision = stored.revision;
    }
    this.#unsure = undefined;
  }
}
