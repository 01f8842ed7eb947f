import { isInternal } from '../../kernel/names.ts';
import { hashKeyRouter, type HashKeyRouter } from '../../kernel/stream/hash-key.ts';
import type { Identity } from '../../ports/capability.ts';
import type { Catalog, CatalogEntry } from '../../ports/catalog.ts';
import { isOpen, type ShardInfo, type StreamInfo } from '../../ports/records.ts';
import { shardKey, type ShardRef } from '../../ports/stream-store.ts';
import { shardsInside } from './older-entry.ts';
import { readShard, refOfShardKey, SHARD_PREFIX, shardOf, shardsPrefix } from './shard-entry.ts';
import { nameOfStream, readStream, STREAM_PREFIX, streamOf } from './stream-entry.ts';

/** A stream with what routing needs; made once per change. */
export interface ViewedStream {
  readonly info: StreamInfo;
  /** Open shards by hash key, in the router's order. */
  readonly open: readonly ShardInfo[];
  readonly router: HashKeyRouter;
  /** By the keys of the store. */
  readonly shards: ReadonlyMap<string, ShardInfo>;
}

/** Makes the routing of a stream's open shards, which together own every hash key. */
export function viewStream(info: StreamInfo): ViewedStream {
  const open = info.shards.filter(isOpen).sort((one, two) => (one.startingHashKey < two.startingHashKey ? -1 : 1));
  const shards = new Map(info.shards.map((shard) => [shardKey(shard.ref), shard]));
  return { info, open, router: hashKeyRouter(open.map((shard) => shard.startingHashKey)), shards };
}

/**
 * The catalog's streams, put together once per change instead of once per request, and only when asked for: one command
 * may change many shards.
 */
export class StreamView {
  readonly #catalog: Catalog;
  readonly #identity: Identity;
  /** All streams; undefined: changed since it was last asked for. */
  readonly #streams = new Map<string, ViewedStream | undefined>();
  /** Shards as they were read from their entries, which never change. */
  readonly #shards = new WeakMap<CatalogEntry, ShardInfo>();
  readonly #unwatch: readonly (() => void)[];
  #sorted: { readonly all: readonly StreamInfo[]; readonly visible: readonly StreamInfo[] } | undefined;

  /** `gone` is called for each shard that no stream has any more, as far as somebody looked at it. */
  constructor(catalog: Catalog, identity: Identity, gone: (shard: ShardRef) => void) {
    this.#catalog = catalog;
    this.#identity = identity;
    this.#unwatch = [
      catalog.watch(STREAM_PREFIX, (key) => this.#streamChanged(nameOfStream(key), gone)),
      catalog.watch(SHARD_PREFIX, (key) => this.#shardChanged(key, gone)),
    ];
    for (const { key } of catalog.list(STREAM_PREFIX)) this.#streams.set(nameOfStream(key), undefined);
  }

  get(name: string): ViewedStream | undefined {
    const known = this.#streams.get(name);
    if (known !== undefined || !this.#streams.has(name)) return known;
    const entry = this.#catalog.get(STREAM_PREFIX + name);
    if (entry === undefined) return undefined;
    const stream = viewStream(this.#read(entry));
    this.#streams.set(name, stream);
    return stream;
  }

  /** Sorted by name. */
  list(internal: boolean): readonly StreamInfo[] {
    this.#sorted ??= this.#sort();
    return internal ? this.#sorted.all : this.#sorted.visible;
  }

  close(): void {
    for (const end of this.#unwatch) end();
  }

  #streamChanged(name: string, gone: (shard: ShardRef) => void): void {
    this.#sorted = undefined;
    const before = this.#streams.get(name);
    if (this.#catalog.get(STREAM_PREFIX + name) !== undefined) {
      this.#streams.set(name, undefined);
      return;
    }
    this.#streams.delete(name);
    for (const { ref } of before?.info.shards ?? []) gone(ref);
  }

  #shardChanged(key: string, gone: (shard: ShardRef) => void): void {
    const ref = refOfShardKey(key);
    if (this.#catalog.get(key) === undefined) gone(ref);
    if (!this.#streams.has(ref.stream)) return;
    this.#streams.set(ref.stream, undefined);
    this.#sorted = undefined;
  }

  #read(entry: CatalogEntry): StreamInfo {
    const name = nameOfStream(entry.key);
    const { generation, createdAt } = streamOf(entry);
    const inside = shardsInside(entry);
    if (inside !== undefined) {
      const shards = inside.map((shard) => readShard(name, shard, createdAt));
      return readStream(entry, shards, entry.revision, this.#identity);
    }
    let { revision } = entry;
    const shards = this.#catalog.list(shardsPrefix(name, generation)).map((shard) => {
      if (shard.revision > revision) ({ revision } = shard);
      return this.#shard(name, shard, createdAt);
    });
    return readStream(entry, shards, revision, this.#identity);
  }

  #shard(stream: string, entry: CatalogEntry, createdAt: number): ShardInfo {
    const known = this.#shards.get(entry);
    if (known !== undefined) return known;
    const shard = readShard(stream, shardOf(entry), createdAt);
    this.#shards.set(entry, shard);
    return shard;
  }

  #sort(): { readonly all: readonly StreamInfo[]; readonly visible: readonly StreamInfo[] } {
    const all = Array.from(this.#streams.keys(), (name) => this.get(name)).flatMap((one) => one?.info ?? []);
    all.sort((one, two) => (one.name < two.name ? -1 : 1));
    return { all, visible: all.filter(({ name }) => !isInternal(name)) };
  }
}
