import type { ReadMemory } from '../../kernel/bytes/read-memory.ts';
import type { Identity } from '../../ports/capability.ts';
import type { Catalog, Json } from '../../ports/catalog.ts';
import type { Environment } from '../../ports/environment.ts';
import {
  InputBatch,
  isOpen,
  StreamBusy,
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
  Unavailable,
  UnknownShard,
  type Offset,
  type ShardBounds,
  type Slice,
  type StreamStore,
} from '../../ports/stream-store.ts';
import { Appends, positionsOf } from './append.ts';
import { ShardLane } from './shard-lane.ts';
import {
  beginReshard,
  changedEntry,
  finishReshard,
  newStreamEntry,
  reshardingParents,
  STREAM_PREFIX,
} from './stream-entry.ts';
import { StreamView, viewStream, type ViewedStream } from './stream-view.ts';

const GENERATION_KEY = 'counter/generation';
/** Shards of this stream are the catalog's own and never in the catalog. */
const CATALOG_STREAM = '$catalog';
/** A reshard that the log refused is tried again after so long. */
const RESHARD_AGAIN_MS = 1000;

/** Records that own the writers of their shards. */
export interface OpenRecords extends Records {
  /** Releases all writers. */
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
  /** Streams, by revision, whose shards are known to the store or are being made known. */
  readonly #prepared = new Map<string, Promise<void>>();
  readonly #deleting = new Set<string>();
  /** Puts to these streams wait: their parents are being closed. */
  readonly #resharding = new Map<string, Promise<void>>();
  readonly #appends: Appends;
  #closed = false;

  constructor(store: StreamStore, catalog: Catalog, environment: Environment, identity: Identity) {
    this.#store = store;
    this.#catalog = catalog;
    this.#environment = environment;
    this.#view = new StreamView(catalog, identity, (before) => this.#changed(before));
    this.#appends = new Appends({
      stream: (name) => this.#viewed(name),
      resharding: (name) => this.#resharding.get(name),
      isClosed: () => this.#closed,
      lane: (stream, shard) => this.#lane(stream, shard),
      lend: (bytes) => store.lend(bytes),
      pause: async () => await new Promise((resolve) => environment.clock.soon(resolve)),
    });
  }

  /** A crash between catalog and store leaves one step undone: do it now. */
  async reconcile(): Promise<void> {
    // The store's list comes first: a shard made later may not be in the catalog's view yet.
    const stored = this.#store.shards();
    await this.#catalog.sync();
    const streams = this.#view.list(true);
    for (const stream of streams) await this.#prepare(stream);
    const known = new Set(streams.flatMap(({ shards }) => shards.map(({ ref }) => shardKey(ref))));
    const orphans = stored.filter((ref) => ref.stream !== CATALOG_STREAM && !known.has(shardKey(ref)));
    if (orphans.length > 0) await this.#store.dropShards(orphans);
    for (const stream of streams) await this.#closeAgain(stream);
    for (const { name, isResharding } of streams) if (isResharding) await this.#finishLater(name, 0);
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
      ]);
      if (verdict.accepted) return await this.#finishCreate(spec.name, verdict.revision);
    }
  }

  async delete(name: string): Promise<void> {
    this.#deleting.add(name);
    try {
      const removed = await this.#removeFromCatalog(name);
      await this.#drop(removed);
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
    if (this.#resharding.has(name) || this.#view.get(name)?.info.isResharding === true) throw new StreamBusy(name);
    const work = this.#begin(name, change);
    const over = work.then(
      () => undefined,
      () => undefined,
    );
    this.#resharding.set(name, over);
    try {
      return await work;
    } catch (error) {
      if (this.#view.get(name)?.info.isResharding === true) void this.#finishLater(name, RESHARD_AGAIN_MS);
      throw error;
    } finally {
      this.#resharding.delete(name);
    }
  }

  async #begin(name: string, change: Reshard): Promise<StreamInfo> {
    await this.#edit(name, (entry, stream) => {
      if (stream.isResharding) throw new StreamBusy(name);
      return beginReshard(entry, change);
    });
    return await this.#finish(name);
  }

  /** Closes the parents, then opens the children: what a crash cuts short, the next start does again. */
  async #finish(name: string): Promise<StreamInfo> {
    const entry = this.#catalog.get(STREAM_PREFIX + name);
    const stream = this.#view.get(name);
    if (entry === undefined || stream === undefined) throw new StreamNotFound(name);
    const parents = reshardingParents(entry.value) ?? [];
    const endings = new Map<number, string>();
    let lastAt = 0;
    for (const shard of stream.info.shards.filter(({ ref }) => parents.includes(ref.ordinal))) {
      const lane = this.#lane(stream, shard);
      const end = await lane.close();
      endings.set(shard.ref.ordinal, lane.encode(end));
      lastAt = Math.max(lastAt, this.#store.bounds(shard.ref).lastAt);
    }
    // A clock that was set back must not hide a shard before its records are too old.
    const closedAt = Math.max(this.#environment.clock.now(), lastAt);
    await this.#edit(name, (value) => finishReshard(value, endings, closedAt));
    const after = this.#view.get(name)?.info;
    if (after === undefined) throw new StreamNotFound(name);
    await this.#release(this.#takeLanes({ shards: stream.info.shards.filter(({ ref }) => endings.has(ref.ordinal)) }));
    await this.#prepare(after);
    return after;
  }

  async #finishLater(name: string, afterMs: number): Promise<void> {
    const { clock, log } = this.#environment;
    for (let ms = afterMs; !this.#closed; ms = RESHARD_AGAIN_MS) {
      await clock.sleep(ms);
      if (this.#view.get(name)?.info.isResharding !== true) return;
      try {
        await this.#finish(name);
        return;
      } catch (error) {
        log.warn('stream.reshard.waits', { stream: name, reason: String(error) });
        if (!(error instanceof Unavailable)) return;
      }
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
    this.#view.close();
    await this.#release([...this.#lanes.values()]);
  }

  async #finishCreate(name: string, revision: bigint): Promise<StreamInfo> {
    const stream = this.#view.get(name)?.info;
    if (stream === undefined) throw new StreamNotFound(name);
    try {
      await this.#prepare(stream);
      return stream;
    } catch (error) {
      // Without its shards the stream is of no use; where this fails too, the next start makes them.
      await this.#catalog
        .propose([{ key: STREAM_PREFIX + name, expect: revision, remove: true }])
        .catch(() => undefined);
      throw error;
    }
  }

  async #removeFromCatalog(name: string): Promise<StreamInfo> {
    for (;;) {
      const stream = this.#view.get(name)?.info;
      if (stream === undefined) throw new StreamNotFound(name);
      const verdict = await this.#catalog.propose([
        { key: STREAM_PREFIX + name, expect: stream.revision, remove: true },
      ]);
      if (verdict.accepted) return stream;
    }
  }

  async #drop(stream: StreamInfo): Promise<void> {
    try {
      await this.#store.dropShards(stream.shards.map(({ ref }) => ref));
    } catch (error) {
      // The stream is gone for everybody; its space comes back at the next start.
      this.#environment.log.warn('stream.drop.failed', { stream: stream.name, reason: String(error) });
    }
    await this.#release(this.#takeLanes(stream));
    this.#environment.meter.forget({ stream: stream.name });
  }

  /** Follows a change of the catalog, whoever made it: shards that are gone need no writer. */
  #changed(before: StreamInfo): void {
    const after = this.#view.get(before.name)?.info;
    const kept = new Set(after?.shards.map(({ ref }) => shardKey(ref)));
    const gone = before.shards.filter(({ ref }) => !kept.has(shardKey(ref)));
    this.#prepared.delete(revisionKey(before));
    if (gone.length > 0 && !this.#deleting.has(before.name)) void this.#release(this.#takeLanes({ shards: gone }));
  }

  #viewed(name: string): ViewedStream {
    const stream = this.#view.get(name);
    if (stream === undefined) throw new StreamNotFound(name);
    return stream;
  }

  #takeLanes(stream: { readonly shards: readonly ShardInfo[] }): ShardLane[] {
    return stream.shards.flatMap(({ ref }) => {
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
      const current = this.#view.get(info.name)?.info;
      if (!current?.shards.some((shard) => shardKey(shard.ref) === key)) throw new UnknownShard(key);
      await this.#prepare(current);
      return await this.#store.open(ref, current.revision);
    });
    this.#lanes.set(key, lane);
    return lane;
  }

  /** Makes the stream's shards known to the store, once. */
  async #prepare(stream: StreamInfo): Promise<void> {
    const refs = stream.shards.map(({ ref }) => ref);
    const key = revisionKey(stream);
    const running = this.#prepared.get(key) ?? this.#store.createShards(refs, { retentionMs: stream.retentionMs });
    this.#prepared.set(key, running);
    try {
      await running;
    } catch (error) {
      this.#prepared.delete(key);
      throw error;
    }
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
      await this.#prepare(stream);
      return await work();
    }
  }

  /** The stream as it is now, when the shard still belongs to it. */
  #current({ ref }: Pick<ShardInfo, 'ref'>): StreamInfo | undefined {
    const stream = this.#view.get(ref.stream)?.info;
    return stream?.shards.some((shard) => shardKey(shard.ref) === shardKey(ref)) ? stream : undefined;
  }
}

function revisionKey(stream: StreamInfo): string {
  return `${stream.name}@${stream.revision}`;
}
