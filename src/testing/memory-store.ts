import { assert } from '../kernel/assert.ts';
import type { ReadMemory } from '../kernel/bytes/read-memory.ts';
import { packEntries } from '../kernel/stream/packed-entries.ts';
import {
  Fenced,
  shardKey,
  Trimmed,
  Unavailable,
  UnknownShard,
  type Appended,
  type Offset,
  type ShardOptions,
  type ShardRef,
  type ShardWriter,
  type PackedEntries,
  type ShardBounds,
  Slice,
  type StoredRecord,
  type StoredRun,
  type StreamStore,
} from '../ports/stream-store.ts';

/** The part of a clock that the model needs. */
export interface Now {
  now(): number;
}

interface Shard {
  readonly ref: ShardRef;
  readonly records: StoredRecord[];
  options: ShardOptions;
  start: Offset;
  closed: boolean;
  token: bigint;
  waiting: Set<() => void>;
}

/** A StreamStore as a page of plain code: the model that real engines are compared with. Nothing survives it. */
export class MemoryStore implements StreamStore {
  /** While true, appends and opens are refused with Unavailable. */
  refusing = false;
  /** Appends seen, in order, for tests that count calls. */
  readonly appends: { readonly shard: ShardRef; readonly count: number }[] = [];
  readonly #clock: Now;
  readonly #shards = new Map<string, Shard>();
  #tokens = 0n;

  constructor(clock: Now) {
    this.#clock = clock;
  }

  lend(bytes: number): Uint8Array {
    return new Uint8Array(bytes);
  }

  async createShards(shards: readonly ShardRef[], options: ShardOptions): Promise<void> {
    if (this.refusing) throw new Unavailable('refusing');
    for (const ref of shards) {
      if (this.#shards.has(shardKey(ref))) continue;
      const empty = { records: [], start: 0n, closed: false, token: 0n, waiting: new Set<() => void>() };
      this.#shards.set(shardKey(ref), { ref, options, ...empty });
    }
  }

  async dropShards(shards: readonly ShardRef[]): Promise<void> {
    for (const ref of shards) {
      const shard = this.#shards.get(shardKey(ref));
      this.#shards.delete(shardKey(ref));
      if (shard !== undefined) wake(shard);
    }
  }

  shards(): readonly ShardRef[] {
    return Array.from(this.#shards.values(), (shard) => shard.ref);
  }

  async open(ref: ShardRef, lease: bigint): Promise<ShardWriter> {
    assert(lease >= 0n, 'a lease is a position');
    await Promise.resolve();
    if (this.refusing) throw new Unavailable('refusing');
    const shard = this.#find(ref);
    this.#tokens += 1n;
    shard.token = this.#tokens;
    return this.#writer(shard, this.#tokens);
  }

  async read(
    ref: ShardRef,
    from: Offset,
    limit: { records: number; bytes: number },
    into?: ReadMemory,
  ): Promise<Slice> {
    await Promise.resolve();
    const shard = this.#find(ref);
    if (from < shard.start) throw new Trimmed(shard.start);
    const records: StoredRecord[] = [];
    let bytes = 0;
    for (const record of shard.records.slice(Number(from))) {
      bytes += record.key.length + record.data.length;
      if (records.length >= limit.records || (records.length > 0 && bytes > limit.bytes)) break;
      records.push(record);
    }
    const last = records.at(-1);
    const runs = records.map(runOf).map((run) => (into === undefined ? run : copyOf(run, into)));
    return new Slice(runs, { next: last === undefined ? from : last.offset + 1n, ...this.bounds(ref) });
  }

  async waitForMore(ref: ShardRef, from: Offset, signal: AbortSignal): Promise<void> {
    const shard = this.#find(ref);
    while (!signal.aborted && !shard.closed && this.#shards.get(shardKey(ref)) === shard && end(shard) <= from) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          shard.waiting.delete(done);
          signal.removeEventListener('abort', done);
          resolve();
        };
        shard.waiting.add(done);
        signal.addEventListener('abort', done);
      });
    }
  }

  async positionAt(ref: ShardRef, timeMs: number): Promise<Offset> {
    const shard = this.#find(ref);
    const found = shard.records.find((record) => record.offset >= shard.start && record.at >= timeMs);
    return found?.offset ?? end(shard);
  }

  bounds(ref: ShardRef): ShardBounds {
    const shard = this.#find(ref);
    const bounds = {
      start: shard.start,
      end: end(shard),
      records: Number(end(shard) - shard.start),
      lastAt: shard.records.at(-1)?.at ?? 0,
    };
    return shard.closed ? { ...bounds, closedAt: bounds.end } : bounds;
  }

  async trim(ref: ShardRef, before: Offset): Promise<void> {
    const shard = this.#find(ref);
    const wanted = before < end(shard) ? before : end(shard);
    if (wanted > shard.start) shard.start = wanted;
  }

  async retain(ref: ShardRef, retentionMs: number): Promise<void> {
    this.#find(ref).options = { retentionMs };
  }

  #find(ref: ShardRef): Shard {
    const shard = this.#shards.get(shardKey(ref));
    if (shard === undefined) throw new UnknownShard(shardKey(ref));
    return shard;
  }

  #writer(shard: Shard, token: bigint): ShardWriter {
    const check = (): void => {
      this.#find(shard.ref);
      if (shard.token !== token || shard.closed) throw new Fenced(shardKey(shard.ref));
    };
    return {
      token,
      openedAt: end(shard),
      append: async (entries) => {
        check();
        if (this.refusing) throw new Unavailable('refusing');
        this.appends.push({ shard: shard.ref, count: entries.count });
        const appended = store(shard, entries, this.#clock.now());
        // As a disk would: the answer comes after the call.
        await Promise.resolve();
        return appended;
      },
      close: async () => {
        check();
        shard.closed = true;
        wake(shard);
        return end(shard);
      },
      release: async () => {
        if (shard.token === token) shard.token = 0n;
      },
    };
  }
}

function runOf({ offset, at, ...entry }: StoredRecord): StoredRun {
  const { bytes } = packEntries([entry]);
  return { bytes, from: 0, to: bytes.length, first: Number(offset), count: 1, at };
}

function end(shard: Shard): Offset {
  return BigInt(shard.records.length);
}

function store(shard: Shard, entries: PackedEntries, now: number): Appended {
  const first = end(shard);
  const at = Math.max(now, shard.records.at(-1)?.at ?? 0);
  const bytes = new Uint8Array(entries.bytes);
  const run = { bytes, from: 0, to: bytes.length, first: Number(first), count: entries.count, at };
  const { records } = new Slice([run], { next: first, start: first, end: first });
  shard.records.push(...records);
  wake(shard);
  return { first, count: entries.count, at };
}

function wake(shard: Shard): void {
  for (const resume of shard.waiting) resume();
}

/** The run in memory that its reader lent. */
function copyOf(run: StoredRun, into: ReadMemory): StoredRun {
  const bytes = into.take(run.bytes.length);
  bytes.set(run.bytes);
  return { ...run, bytes };
}
