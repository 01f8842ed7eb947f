import { assert } from '../../kernel/assert.ts';
import type { ReadMemory } from '../../kernel/bytes/read-memory.ts';
import { nextTurn } from '../../kernel/flow/next-turn.ts';
import type { Environment } from '../../ports/environment.ts';
import type {
  Offset,
  ShardBounds,
  ShardOptions,
  ShardRef,
  ShardWriter,
  Slice,
  StreamStore,
} from '../../ports/stream-store.ts';
import { Fenced, shardKey, Unavailable } from '../../ports/stream-store.ts';
import type { Cleaner } from './cleaner.ts';
import type { Committer } from './committer.ts';
import { FLAG_DROP } from './format.ts';
import type { LogReader } from './reader.ts';
import { CATALOG_SHARD, COPY_SHARD, NUMBERS_SHARD, type ShardTable } from './shard-table.ts';
import type { Slabs } from './slabs.ts';
import { LogWriter, NO_ENTRIES } from './writer.ts';

/** Shards that are dropped in one turn: less than a millisecond's work. */
const DROPPED_PER_TURN = 100;
const INTERNAL = new Set([CATALOG_SHARD, COPY_SHARD, NUMBERS_SHARD].map(shardKey));

/** The parts a store is made of. */
export interface StoreParts {
  readonly environment: Environment;
  readonly epoch: number;
  readonly table: ShardTable;
  readonly committer: Committer;
  readonly reader: LogReader;
  readonly cleaner: Cleaner;
  readonly slabs: Slabs;
}

/** The segment log as the rooms above see it. */
export class SegmentStore implements StreamStore {
  readonly #parts: StoreParts;
  #writers = 0;

  constructor(parts: StoreParts) {
    this.#parts = parts;
  }

  lend(bytes: number): Uint8Array {
    return this.#parts.slabs.lend(bytes);
  }

  async createShards(shards: readonly ShardRef[], options: ShardOptions): Promise<void> {
    const { table, committer } = this.#parts;
    committer.assertUsable();
    for (const ref of shards) {
      const state = table.find(ref) ?? table.create(ref);
      if (state.named) continue;
      state.named = true;
      state.retentionMs = options.retentionMs;
    }
  }

  /** In turns of the loop, since there may be thousands. */
  async dropShards(shards: readonly ShardRef[]): Promise<void> {
    const { clock } = this.#parts.environment;
    const groups: Promise<readonly PromiseSettledResult<void>[]>[] = [];
    for (let from = 0; from < shards.length; from += DROPPED_PER_TURN) {
      if (from > 0) await nextTurn(clock);
      const group = shards.slice(from, from + DROPPED_PER_TURN);
      groups.push(Promise.allSettled(group.map(async (ref) => await this.#drop(ref))));
    }
    for (const end of (await Promise.all(groups)).flat()) if (end.status === 'rejected') throw end.reason;
    this.#parts.cleaner.ask();
  }

  shards(): readonly ShardRef[] {
    const live = [...this.#parts.table.all()].filter((state) => !state.dropped);
    return live.map((state) => state.ref).filter((ref) => !isInternal(ref));
  }

  async open(shard: ShardRef, lease: bigint): Promise<ShardWriter> {
    const { table, committer, epoch } = this.#parts;
    committer.assertUsable();
    const state = table.get(shard);
    if (state.lease !== undefined && lease < state.lease) {
      throw new Fenced(`a later lease owns shard ${shardKey(shard)}`);
    }
    this.#writers += 1;
    const token = (BigInt(epoch) << 32n) + BigInt(this.#writers);
    state.lease = lease;
    state.token = token;
    // What the writer before has under way may still land; what it has queued may not.
    await committer.settled();
    committer.assertUsable();
    return new LogWriter(committer, state, token);
  }

  async read(
    shard: ShardRef,
    from: Offset,
    limit: { readonly records: number; readonly bytes: number },
    into?: ReadMemory,
  ): Promise<Slice> {
    this.#parts.committer.assertOpen();
    return this.#parts.reader.read(this.#parts.table.get(shard), from, limit, into);
  }

  async waitForMore(shard: ShardRef, from: Offset, signal: AbortSignal): Promise<void> {
    this.#parts.committer.assertOpen();
    await this.#parts.table.get(shard).wait(Number(from), signal);
  }

  async positionAt(shard: ShardRef, timeMs: number): Promise<Offset> {
    this.#parts.committer.assertOpen();
    return this.#parts.reader.positionAt(this.#parts.table.get(shard), timeMs);
  }

  bounds(shard: ShardRef): ShardBounds {
    const state = this.#parts.table.get(shard);
    const { start, end, closed, lastAt } = state;
    const bounds = { start: BigInt(start), end: BigInt(end), records: state.numbersBetween(start, end), lastAt };
    return closed ? { ...bounds, closedAt: bounds.end } : bounds;
  }

  /** First offset behind all durable records: what bounds calls the end may have a gap in front of it. */
  endOfRecords(shard: ShardRef): Offset {
    return BigInt(this.#parts.table.get(shard).endOfRecords);
  }

  /** How many of the offsets from `from` to `to` were not given up. */
  numbersBetween(shard: ShardRef, from: Offset, to: Offset): number {
    return this.#parts.table.get(shard).numbersBetween(Number(from), Number(to));
  }

  async trim(shard: ShardRef, before: Offset): Promise<void> {
    this.#parts.table.get(shard).advanceStart(Number(before));
  }

  async retain(shard: ShardRef, retentionMs: number): Promise<void> {
    this.#parts.table.get(shard).retentionMs = retentionMs;
  }

  /** Wakes everybody who waits; to be called when the log closes. */
  wakeAll(): void {
    for (const state of this.#parts.table.all()) state.wake(true);
  }

  async #drop(ref: ShardRef): Promise<void> {
    const { table, committer, environment } = this.#parts;
    assert(!isInternal(ref), 'the catalog is never dropped');
    const state = table.find(ref);
    if (state === undefined) return;
    table.drop(state);
    const marked = new Promise((resolve, reject) => {
      const marker = { state, token: undefined, entries: NO_ENTRIES, flags: FLAG_DROP, bytes: 0, first: 0, at: 0 };
      committer.enqueue({ ...marker, resolve, reject });
    });
    try {
      await marked;
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      // Forgotten all the same; only the next start may see it again, and is asked to drop it again.
      environment.log.warn('log.drop.unmarked', { shard: shardKey(ref) });
    }
    table.forgetIfGone(state);
  }
}

function isInternal(ref: ShardRef): boolean {
  return INTERNAL.has(shardKey(ref));
}
