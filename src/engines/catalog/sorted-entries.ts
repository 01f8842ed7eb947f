import type { CatalogEntry } from '../../ports/catalog.ts';

type Block = CatalogEntry[];

const BLOCK_ENTRIES_MAX = 512;

/**
 * Entries by key, and in the order of their keys' code units. They stand in blocks, so that a new key moves little
 * memory; a frozen view shares the blocks, and a block is copied before it changes for the first time after that.
 */
export class SortedEntries {
  readonly #byKey = new Map<string, CatalogEntry>();
  readonly #blocks: Block[] = [];
  /** Blocks that no frozen view shares. */
  #own = new Set<Block>();

  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): CatalogEntry | undefined {
    return this.#byKey.get(key);
  }

  /** Puts an entry in the place of the one with its key, or adds it. */
  set(entry: CatalogEntry): void {
    const exists = this.#byKey.has(entry.key);
    this.#byKey.set(entry.key, entry);
    const index = Math.min(this.#blockOf(entry.key), Math.max(0, this.#blocks.length - 1));
    const block = this.#writable(index);
    const at = placeIn(block, entry.key);
    if (exists) block[at] = entry;
    else {
      block.splice(at, 0, entry);
      this.#divide(index, at);
    }
  }

  /** Removes a key; a missing one is fine. */
  remove(key: string): void {
    if (!this.#byKey.delete(key)) return;
    const index = this.#blockOf(key);
    const block = this.#writable(index);
    block.splice(placeIn(block, key), 1);
    if (block.length > 0) return;
    this.#blocks.splice(index, 1);
    this.#own.delete(block);
  }

  /** The entries whose keys start with `prefix`, sorted. */
  under(prefix: string): CatalogEntry[] {
    const found: CatalogEntry[] = [];
    for (let index = this.#blockOf(prefix); index < this.#blocks.length; index += 1) {
      const block = this.#blocks[index] as Block;
      for (let at = placeIn(block, prefix); at < block.length; at += 1) {
        const entry = block[at] as CatalogEntry;
        if (!entry.key.startsWith(prefix)) return found;
        found.push(entry);
      }
    }
    return found;
  }

  /** All entries as they are now, in order; later changes do not show in it. */
  freeze(): readonly (readonly CatalogEntry[])[] {
    this.#own = new Set();
    return [...this.#blocks];
  }

  /** Index of the first block that reaches up to `key`; one past the last when none does. */
  #blockOf(key: string): number {
    return lowest(this.#blocks.length, (index) => ((this.#blocks[index] as Block).at(-1) as CatalogEntry).key >= key);
  }

  #writable(index: number): Block {
    const block = this.#blocks[index];
    if (block !== undefined && this.#own.has(block)) return block;
    const copy = block === undefined ? [] : [...block];
    this.#blocks[index] = copy;
    this.#own.add(copy);
    return copy;
  }

  /** Divides a block that became too long; keys that come in their order leave full ones behind. */
  #divide(index: number, at: number): void {
    const block = this.#blocks[index] as Block;
    if (block.length <= BLOCK_ENTRIES_MAX) return;
    const upper = block.splice(at === BLOCK_ENTRIES_MAX ? at : BLOCK_ENTRIES_MAX / 2);
    this.#blocks.splice(index + 1, 0, upper);
    this.#own.add(upper);
  }
}

/** Position of the first entry that is not below `key`. */
function placeIn(block: Block, key: string): number {
  return lowest(block.length, (at) => (block[at] as CatalogEntry).key >= key);
}

/** The lowest index below `end` for which `holds` is true, where it is true for all above as well; `end` for none. */
function lowest(end: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = end;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
