import type { ReadMemory } from '../../kernel/bytes/read-memory.ts';
import { nextTurn } from '../../kernel/flow/next-turn.ts';
import type { Identity } from '../../ports/capability.ts';
import type { Catalog, Json } from '../../ports/catalog.ts';
import type { Environment } from '../../ports/environment.ts';
import {
  InputBatch,
  isOpen,
  StreamExists,
  StreamNotFound,
  type BatchOutcome,
  type RecordBatch,
  type RecordFailure,
  type RecordInput,
  type RecordPosition,
  type Records,
  type Reshard,
  type ShardInfo,
  type StreamChange,
  type StreamInfo,
  type StreamSpec,
} from '../../ports/records.ts';
import {
  shardKey,
  Trimmed,
  UnknownShard,
  type Offset,
  type ShardBounds,
  type ShardRef,
  type Slice,
  type StreamStore,
} from '../../ports/stream-store.ts';
import { Appends, positionsOf } from './append.ts';
import { ExpiredShards } from './expired-shards.ts';
import { divideEntry, shardsInside } from './older-entry.ts';
import { Resharding } from './resharding.ts';
import { putShard } from './shard-entry.ts';
import { ShardLane } from './shard-lane.ts';
import { abandonedShards, removeShards, shardsOf } from './shard-removal.ts';
import { changedEntry, newShardEntries, newStreamEntry, STREAM_PREFIX, streamOf } from './stream-entry.ts';
import { StreamView, viewStream, type ViewedStream } from './stream-view.ts';

const GENERATION_KEY = 'counter/generation';
/** Shards of this stream are the catalog's own and never in the catalog. */
const CATALOG_STREAM = '$catalog';
/** Records that own the writers of their shards. */
export interface OpenRecords extends Records {
  /** Resolves when the reshard of the stream that is under way, if any, is over. */
  settled(name: string): Promise<void>;
  /** Releases all writers; a reshard stops where it is, and the next start goes on with it. */
  close(): Promise<void>;
}

/** Opens the streams of the catalog over the store's shards and brings the two into agreement. */
export async function openRecords(
  store: StreamStore,
  catalog: Catalog,
  environment: Environment,
  identity: Identity,
): Promise<OpenRecords> {
  const records = new StreamRecords(store, catalog, environment, identity);
  await records.reconcile();
  return records;
}

class StreamRecords implements OpenRecords {
  readonly #store: StreamStore;
  readonly #catalog: Catalog;
  readonly #environment: Environment;
  readonly #view: StreamView;
  readonly #lanes = new Map<string, ShardLane>();
  /** Shards that are known to the store or are being made known, by its keys. */
  readonly #prepared = new Map<string, Promise<void>>();
  readonly #deleting = new Set<string>();
  readonly #resharding: Resharding;
  readonly #expired: ExpiredShards;
  readonly #appends: Appends;
  #closed = false;

  constructor(store: StreamStore, catalog: Catalog, environment: Environment, identity: Identity) {
    this.#store = store;
    this.#catalog = catalog;
    this.#environment = environment;
    this.#view = new StreamView(catalog, identity, (shard) => this.#gone(shard));
    this.#expired = new ExpiredShards(environment.clock);
    this.#resharding = new Resharding({
      catalog,
      environment,
      stream: (name) => this.#view.get(name),
      bounds: (shard) => this.bounds(shard),
      end: async (stream, shard) => this.bounds(shard).closedAt ?? (await this.#lane(stream, shard).close()),
      release: async (shards) => await this.#release(this.#takeLanes(shards.map(({ ref }) => ref))),
      prepare: async (stream) => await this.#prepare(stream, stream.shards),
      queued: async (name) => await this.#appends.queued(name),
    });
    this.#appends = new Appends({
      stream: (name) => this.#viewed(name),
      closing: (name, shards) => this.#resharding.closing(name, shards),
      isClosed: () => this.#closed,
      lane: (stream, shard) => this.#lane(stream, shard),
      lend: (bytes) => store.lend(bytes),
      pause: async () => await nextTurn(environment.clock),
    });
  }

  /** A crash between catalog and store leaves one step undone: do it now. */
  async reconcile(): Promise<void> {
    // The store's list comes first: a shard made later may not be in the catalog's view yet.
    const stored = this.#store.shards();
    await this.#catalog.sync();
    await this.#tidyCatalog();
    const streams = this.#view.list(true);
    for (const stream of streams) await this.#prepare(stream, stream.shards);
    const known = new Set(streams.flatMap(({ shards }) => shards.map(({ ref }) => shardKey(ref))));
    const orphans = stored.filter((ref) => ref.stream !== CATALOG_STREAM && !known.has(shardKey(ref)));
    if (orphans.length > 0) await this.#store.dropShards(orphans);
    for (const stream of streams) await this.#closeAgain(stream);
    for (const { name, isResharding } of streams) if (isResharding) this.#resharding.resume(name);
  }

  /** Entries of older releases are divided, and what a crash left of deleted streams goes. */
  async #tidyCatalog(): Promise<void> {
    try {
      for (const entry of this.#catalog.list(STREAM_PREFIX)) {
        if (shardsInside(entry) !== undefined) await divideEntry(this.#catalog, entry.key);
      }
      await removeShards(this.#catalog, abandonedShards(this.#catalog));
    } catch (error) {
      // A full disk must not keep the node from being read. The next start, or reshard, tries again.
      this.#environment.log.warn('catalog.tidy.failed', { reason: String(error) });
    }
  }

  /** A shard that the catalog knows to be closed has an end for its readers, also where its log lost the END. */
  async #closeAgain({ name, shards, revision }: StreamInfo): Promise<void> {
    for (const shard of shards) {
      if (isOpen(shard) || this.#store.bounds(shard.ref).closedAt !== undefined) continue;
      try {
        await (await this.#store.open(shard.ref, revision)).close();
        this.#environment.log.warn('stream.shard.closed-again', { stream: name, shard: shard.id });
      } catch (error) {
        // The next start tries again.
        this.#environment.log.warn('stream.reshard.waits', { stream: name, reason: String(error) });
      }
    }
  }

  async create(spec: StreamSpec): Promise<StreamInfo> {
    const key = STREAM_PREFIX + spec.name;
    for (;;) {
      if (this.#catalog.get(key) !== undefined) throw new StreamExists(`stream ${spec.name} exists`);
      const counter = this.#catalog.get(GENERATION_KEY);
      const generation = ((counter?.value as number | undefined) ?? 0) + 1;
      const verdict = await this.#catalog.propose([
        { key: GENERATION_KEY, expect: counter?.revision ?? null, put: generation },
        { key, expect: null, put: newStreamEntry(spec, generation, this.#environment.clock.now()) },
        ...newShardEntries(spec, generation).map((shard) => putShard(spec.name, shard, null)),
      ]);
      if (verdict.accepted) return await this.#finishCreate(spec.name);
    }
  }

  async delete(name: string): Promise<void> {
    this.#deleting.add(name);
    try {
      await this.#drop(name, await this.#removeFromCatalog(name));
    } finally {
      this.#deleting.delete(name);
    }
  }

  async update(name: string, change: (stream: StreamInfo) => StreamChange): Promise<StreamInfo> {
    await this.#edit(name, (entry, stream) => changedEntry(entry, change(stream)));
    const stream = this.#view.get(name)?.info;
    if (stream === undefined) throw new StreamNotFound(name);
    for (const { ref } of stream.shards) {
      await this.#onShard({ ref }, async () => await this.#store.retain(ref, stream.retentionMs));
    }
    return stream;
  }

  async reshard(name: string, change: Reshard): Promise<StreamInfo> {
    return await this.#resharding.begin(name, change);
  }

  async settled(name: string): Promise<void> {
    await this.#resharding.settled(name);
  }

  async forgetClosed(): Promise<void> {
    const refs = this.#expired.find(this.#view.list(true)).map(({ ref }) => ref);
    if (refs.length === 0) return;
    try {
      await removeShards(this.#catalog, refs);
      await this.#store.dropShards(refs);
    } catch (error) {
      // Out of the catalog they are nobody's: the next start drops them. Else the next call tries again.
      this.#environment.log.warn('stream.shard.forget-failed', { shards: refs.length, reason: String(error) });
    }
  }

  /** Changes a stream's entry as it stands. */
  async #edit(name: string, change: (value: Json, stream: StreamInfo) => Json): Promise<void> {
    const key = STREAM_PREFIX + name;
    for (;;) {
      const entry = this.#catalog.get(key);
      const stream = this.#view.get(name)?.info;
      if (entry === undefined || stream === undefined) throw new StreamNotFound(name);
      const put = change(entry.value, stream);
      if ((await this.#catalog.propose([{ key, expect: entry.revision, put }])).accepted) return;
    }
  }

  describe(name: string): StreamInfo | undefined {
    return this.#view.get(name)?.info;
  }

  list(options: { readonly internal?: boolean } = {}): readonly StreamInfo[] {
    return this.#view.list(options.internal ?? false);
  }

  route(stream: StreamInfo, record: Pick<RecordInput, 'partitionKey' | 'explicitHashKey'>): ShardInfo {
    const current = this.#view.get(stream.name);
    const { open, router } = current?.info === stream ? current : viewStream(stream);
    const { partitionKey, explicitHashKey } = record;
    const index =
      explicitHashKey === undefined ? router.ofKey(Buffer.from(partitionKey)) : router.ofHash(explicitHashKey);
    return open[index] as ShardInfo;
  }

  async append(name: string, records: readonly RecordInput[]): Promise<readonly (RecordPosition | RecordFailure)[]> {
    return positionsOf(await this.#appends.append(name, new InputBatch(records)));
  }

  async appendBatch(name: string, batch: RecordBatch): Promise<BatchOutcome> {
    return await this.#appends.append(name, batch);
  }

  async read(
    stream: StreamInfo,
    shard: ShardInfo,
    from: Offset,
    limit: { readonly records: number; readonly bytes: number },
    into?: ReadMemory,
  ): Promise<Slice> {
    const oldestAt = this.#environment.clock.now() - stream.retentionMs;
    const slice = await this.#readFrom(shard, from, limit, into);
    const first = slice.runs[0];
    if (first === undefined || first.at >= oldestAt) return slice;
    // Times never fall inside a shard, so everything before this position is too old.
    const visible = await this.#onShard(shard, async () => await this.#store.positionAt(shard.ref, oldestAt));
    const rest = await this.#readFrom(shard, visible > from ? visible : from, limit, into);
    return rest.from(visible);
  }

  async waitForMore(shard: ShardInfo, from: Offset, signal: AbortSignal): Promise<void> {
    await this.#onShard(shard, async () => await this.#store.waitForMore(shard.ref, from, signal));
  }

  async positionAt(shard: ShardInfo, timeMs: number): Promise<Offset> {
    const retentionMs = this.#current(shard)?.retentionMs ?? Number.POSITIVE_INFINITY;
    const oldestAt = this.#environment.clock.now() - retentionMs;
    const at = Math.max(timeMs, oldestAt);
    return await this.#onShard(shard, async () => await this.#store.positionAt(shard.ref, at));
  }

  bounds(shard: ShardInfo): ShardBounds {
    try {
      return this.#store.bounds(shard.ref);
    } catch (error) {
      if (!(error instanceof UnknownShard)) throw error;
      if (this.#current(shard) === undefined) throw new StreamNotFound(shard.ref.stream);
      // In the catalog, but not in the store for another moment.
      return { start: 0n, end: 0n, records: 0, lastAt: 0 };
    }
  }

  async trim(shard: ShardInfo, before: Offset): Promise<void> {
    await this.#onShard(shard, async () => await this.#store.trim(shard.ref, before));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#resharding.stop();
    await this.#release([...this.#lanes.values()]);
    await this.#resharding.idle();
    this.#view.close();
  }

  async #finishCreate(name: string): Promise<StreamInfo> {
    const stream = this.#view.get(name)?.info;
    if (stream === undefined) throw new StreamNotFound(name);
    try {
      await this.#prepare(stream, stream.shards);
      return stream;
    } catch (error) {
      // Without its shards the stream is of no use; where this fails too, the next start makes them.
      await this.#removeFromCatalog(name).catch(() => undefined);
      throw error;
    }
  }

  /** Resolves with the stream's shards, when nobody sees it any more and nobody can add one. */
  async #removeFromCatalog(name: string): Promise<readonly ShardRef[]> {
    const key = STREAM_PREFIX + name;
    for (;;) {
      const entry = this.#catalog.get(key);
      if (entry === undefined) throw new StreamNotFound(name);
      const inside = shardsInside(entry)?.map((shard) => ({ ...shard, stream: name }));
      const verdict = await this.#catalog.propose([{ key, expect: entry.revision, remove: true }]);
      // A step of a reshard may have opened some until then.
      if (verdict.accepted) return inside ?? shardsOf(this.#catalog, name, streamOf(entry).generation);
    }
  }

  async #drop(name: string, refs: readonly ShardRef[]): Promise<void> {
    try {
      await this.#store.dropShards(refs);
      await removeShards(this.#catalog, refs);
    } catch (error) {
      // The stream is gone for everybody; its space comes back at the next start.
      this.#environment.log.warn('stream.drop.failed', { stream: name, reason: String(error) });
    }
    await this.#release(this.#takeLanes(refs));
    this.#environment.meter.forget({ stream: name });
  }

  /** Follows a change of the catalog, whoever made it: a shard that is gone needs no writer. */
  #gone(shard: ShardRef): void {
    this.#prepared.delete(shardKey(shard));
    if (!this.#deleting.has(shard.stream)) void this.#release(this.#takeLanes([shard]));
  }

  #viewed(name: string): ViewedStream {
    const stream = this.#view.get(name);
    if (stream === undefined) throw new StreamNotFound(name);
    return stream;
  }

  #takeLanes(refs: readonly ShardRef[]): ShardLane[] {
    return refs.flatMap((ref) => {
      const lane = this.#lanes.get(shardKey(ref));
      this.#lanes.delete(shardKey(ref));
      return lane ?? [];
    });
  }

  async #release(lanes: readonly ShardLane[]): Promise<void> {
    for (const lane of lanes) {
      try {
        await lane.release();
      } catch (error) {
        this.#environment.log.warn('shard.release.failed', { shard: shardKey(lane.ref), reason: String(error) });
      }
    }
  }

  #lane({ info }: ViewedStream, { ref }: ShardInfo): ShardLane {
    const key = shardKey(ref);
    const existing = this.#lanes.get(key);
    if (existing !== undefined) return existing;
    const lane = new ShardLane(ref, async () => {
      const current = this.#view.get(info.name);
      const shard = current?.shards.get(key);
      if (current === undefined || shard === undefined) throw new UnknownShard(key);
      await this.#prepare(current.info, [shard]);
      return await this.#store.open(ref, current.info.revision);
    });
    this.#lanes.set(key, lane);
    return lane;
  }

  /** Makes shards of a stream known to the store, each once. */
  async #prepare({ retentionMs }: StreamInfo, shards: readonly ShardInfo[]): Promise<void> {
    const keys = shards.map(({ ref }) => shardKey(ref));
    const unknown = shards.filter((_, index) => !this.#prepared.has(keys[index] as string)).map(({ ref }) => ref);
    if (unknown.length > 0) {
      const making = this.#store.createShards(unknown, { retentionMs });
      for (const ref of unknown) this.#prepared.set(shardKey(ref), making);
      making.catch(() => {
        for (const ref of unknown) this.#prepared.delete(shardKey(ref));
      });
    }
    // There may be thousands, most of which were made together.
    await Promise.all(new Set(keys.flatMap((key) => this.#prepared.get(key) ?? [])));
  }

  async #readFrom(
    shard: ShardInfo,
    from: Offset,
    limit: { readonly records: number; readonly bytes: number },
    into?: ReadMemory,
  ): Promise<Slice> {
    let start = from;
    for (;;) {
      try {
        return await this.#onShard(shard, async () => await this.#store.read(shard.ref, start, limit, into));
      } catch (error) {
        // Trimming may go on meanwhile; each turn starts higher.
        if (!(error instanceof Trimmed) || error.start <= start) throw error;
        start = error.start;
      }
    }
  }

  /** Runs `work` on a shard of the store; a shard that exists only in the catalog so far is waited for. */
  async #onShard<T>(shard: Pick<ShardInfo, 'ref'>, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof UnknownShard)) throw error;
      const stream = this.#current(shard);
      if (stream === undefined) throw new StreamNotFound(shard.ref.stream);
      await this.#prepare(stream, stream.shards);
      return await work();
    }
  }

  /** The stream as it is now, when the shard still belongs to it. */
  #current({ ref }: Pick<ShardInfo, 'ref'>): StreamInfo | undefined {
    const stream = this.#view.get(ref.stream);
    return stream?.shards.has(shardKey(ref)) === true ? stream.info : undefined;
  }
}
