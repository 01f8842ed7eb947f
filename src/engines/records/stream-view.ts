import { isInternal } from '../../kernel/names.ts';
import { hashKeyRouter, type HashKeyRouter } from '../../kernel/stream/hash-key.ts';
import type { Identity } from '../../ports/capability.ts';
import type { Catalog } from '../../ports/catalog.ts';
import { isOpen, type ShardInfo, type StreamInfo } from '../../ports/records.ts';
import { readStreamEntry, STREAM_PREFIX } from './stream-entry.ts';

/** A stream with what routing needs; made once per catalog revision. */
export interface ViewedStream {
  readonly info: StreamInfo;
  /** Open shards by hash key, in the router's order. */
  readonly open: readonly ShardInfo[];
  readonly router: HashKeyRouter;
}

/** Makes the routing of a stream's open shards, which together own every hash key. */
export function viewStream(info: StreamInfo): ViewedStream {
  const open = info.shards.filter(isOpen).sort((one, two) => (one.startingHashKey < two.startingHashKey ? -1 : 1));
  return { info, open, router: hashKeyRouter(open.map((shard) => shard.startingHashKey)) };
}

/** The catalog's streams, read once per change instead of once per request. */
export class StreamView {
  readonly #catalog: Catalog;
  readonly #identity: Identity;
  readonly #streams = new Map<string, ViewedStream>();
  readonly #unwatch: () => void;
  #sorted: { readonly all: readonly StreamInfo[]; readonly visible: readonly StreamInfo[] } | undefined;

  /** `changed` is called with the former state of each stream that was changed or removed. */
  constructor(catalog: Catalog, identity: Identity, changed: (before: StreamInfo) => void) {
    this.#catalog = catalog;
    this.#identity = identity;
    this.#unwatch = catalog.watch(STREAM_PREFIX, (key) => {
      const before = this.#streams.get(key.slice(STREAM_PREFIX.length));
      this.#take(key);
      if (before !== undefined) changed(before.info);
    });
    for (const entry of catalog.list(STREAM_PREFIX)) this.#take(entry.key);
  }

  get(name: string): ViewedStream | undefined {
    return this.#streams.get(name);
  }

  /** Sorted by name. */
  list(internal: boolean): readonly StreamInfo[] {
    this.#sorted ??= this.#sort();
    return internal ? this.#sorted.all : this.#sorted.visible;
  }

  close(): void {
    this.#unwatch();
  }

  #take(key: string): void {
    const entry = this.#catalog.get(key);
    const name = key.slice(STREAM_PREFIX.length);
    if (entry === undefined) this.#streams.delete(name);
    else this.#streams.set(name, viewStream(readStreamEntry(entry, this.#identity)));
    this.#sorted = undefined;
  }

  #sort(): { readonly all: readonly StreamInfo[]; readonly visible: readonly StreamInfo[] } {
    const all = Array.from(this.#streams.values(), ({ info }) => info);
    all.sort((one, two) => (one.name < two.name ? -1 : 1));
    return { all, visible: all.filter(({ name }) => !isInternal(name)) };
  }
}
