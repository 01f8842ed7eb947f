import { Fifo } from '../../kernel/flow/fifo.ts';
import { shardKey, type ShardRef, type StoredRun, UnknownShard } from '../../ports/stream-store.ts';
import type { Gap } from './definition.ts';
import type { Share } from './segment.ts';

/** The internal shard that holds the catalog's commands. */
export const CATALOG_SHARD: ShardRef = { stream: '$catalog', generation: 0, ordinal: 0 };

/** The internal shard that holds them once more. */
export const COPY_SHARD: ShardRef = { stream: '$catalog-copy', generation: 0, ordinal: 0 };

/**
 * The internal shard that holds nothing: its end is the number at which a new shard begins, since what was lost may
 * have held the first records of shards that nothing else names. It is closed from the beginning.
 */
export const NUMBERS_SHARD: ShardRef = { stream: '$numbers', generation: 0, ordinal: 0 };

/** Where a shard stands once the commits under way are durable. */
export interface ShardAhead {
  readonly end: number;
  readonly at: number;
  readonly closed: boolean;
  /** Number of the newest segment that defines the shard; -1 when none does. */
  readonly definedIn: number;
}

/** All that is known of one shard; offsets are below 2^53 and dense. */
export class ShardState {
  /** Stands for the shard in the log, for ever. */
  readonly id: number;
  readonly ref: ShardRef;
  /** What segments hold of its records, oldest first. */
  readonly shares: Share[] = [];
  /** Its newest records as they are still in memory, oldest first, without gaps up to `end`. */
  readonly tail = new Fifo<StoredRun>();
  /** Oldest kept offset. */
  start = 0;
  /** First offset that is not durable. */
  end = 0;
  /** Arrival of the newest durable record, in ms. */
  lastAt = 0;
  closed = false;
  dropped = false;
  /** Whether the log says so: until then a power cut brings the shard back, and its records must be there. */
  isDropWritten = false;
  /** Oldest first; reads go on behind them. */
  gaps: readonly Gap[] = [];
  /** What commits under way have come to. */
  ahead: ShardAhead = { end: 0, at: 0, closed: false, definedIn: -1 };
  /** Whether someone asked for the shard since the start; until then it stays invisible. */
  named = false;
  retentionMs = Infinity;
  /** Grows with every writer; what an older one queued is fenced. */
  token = 0n;
  lease: bigint | undefined;
  /** How many segments name the shard and do not say themselves that it was dropped. */
  mentions = 0;
  /** Of the bytes that recovery found lost, those that were lost before the last word of the shard's end. */
  lostBefore = 0;
  /** Epoch of the newest start whose word of the shard's end recovery has read; undefined when there is none. */
  toldIn: number | undefined;
  readonly #waiting = new Set<Waiter>();

  constructor(id: number, ref: ShardRef) {
    this.id = id;
    this.ref = ref;
  }

  /** Whether losing the newest segment would lose something of the shard's state. */
  get isOnDisk(): boolean {
    return this.end > 0 || this.closed;
  }

  /** Whether somebody may still read some of these records at `now`, in ms. */
  needs(share: Share, now: number): boolean {
    return !this.isDropWritten && share.hasRecords && share.end > this.start && share.lastAt >= now - this.retentionMs;
  }

  /** Index of the share that holds `offset`, or of the next one behind it. */
  shareFrom(offset: number): number {
    let low = 0;
    let high = this.shares.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.shares[middle] as Share).end <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The offset itself, or the one behind the gap that it lies in. */
  past(offset: number): number {
    const gap = this.gaps.find(({ from, to }) => offset >= from && offset < to);
    return gap === undefined ? offset : gap.to;
  }

  /** Behind the last offset that a record had: `end`, or the beginning of the gap that ends there. */
  get endOfRecords(): number {
    const end = this.gaps.reduceRight((before, { from, to }) => (to === before ? from : before), this.end);
    return Math.max(end, this.start);
  }

  /** How many of the offsets from `from` to `to` were not given up. */
  numbersBetween(from: number, to: number): number {
    const given = this.gaps.map((gap) => Math.max(0, Math.min(gap.to, to) - Math.max(gap.from, from)));
    return given.reduce((left, gap) => left - gap, to - from);
  }

  /** Gives the numbers from the end on up to `to`: no record will have them. */
  skip(to: number): void {
    if (to <= this.end) return;
    const last = this.gaps.at(-1);
    const isNext = last?.to === this.end;
    this.gaps = [...(isNext ? this.gaps.slice(0, -1) : this.gaps), { from: isNext ? last.from : this.end, to }];
    this.end = to;
  }

  /**
   * Moves the oldest kept offset forward; it never moves back. It stays in front of a gap: nobody who has read up to
   * there has missed anything.
   */
  advanceStart(to: number): void {
    const start = this.before(Math.min(to, this.end));
    if (start <= this.start) return;
    this.start = start;
    this.gaps = this.gaps.filter((gap) => gap.to > start);
  }

  /** The offset itself, or the beginning of the gap that it lies in or right behind. */
  before(offset: number): number {
    return this.gaps.find(({ from, to }) => offset > from && offset <= to)?.from ?? offset;
  }

  /** Resolves once there is something at or after `from`, nothing more can come, or `signal` aborts. */
  wait(from: number, signal: AbortSignal): Promise<void> {
    if (from < this.end || this.closed || this.dropped || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const waiter = { from, wake: () => {} };
      waiter.wake = () => {
        this.#waiting.delete(waiter);
        signal.removeEventListener('abort', waiter.wake);
        resolve();
      };
      this.#waiting.add(waiter);
      signal.addEventListener('abort', waiter.wake, { once: true });
    });
  }

  /** Calls that wake those whose wait is over, or with `all` everybody. */
  due(all = this.closed || this.dropped): readonly (() => void)[] {
    const due: (() => void)[] = [];
    for (const waiter of this.#waiting) if (all || waiter.from < this.end) due.push(waiter.wake);
    return due;
  }

  /** Wakes them now. */
  wake(all?: boolean): void {
    for (const wake of this.due(all)) wake();
  }

  /** How many wait; for tests and metrics. */
  get waiting(): number {
    return this.#waiting.size;
  }
}

interface Waiter {
  readonly from: number;
  wake: () => void;
}

/** All shards of the log, by the number that stands for them on disk and by name. */
export class ShardTable {
  /** What recovery has met so far: damaged places, and bytes in which records may have stood that nothing tells of. */
  readonly damage = { places: 0, lostBytes: 0 };
  readonly #byId = new Map<number, ShardState>();
  readonly #byKey = new Map<string, ShardState>();
  #nextId = 1;

  /** Every shard, also dropped ones whose bytes are still on disk. */
  all(): IterableIterator<ShardState> {
    return this.#byId.values();
  }

  byId(id: number): ShardState | undefined {
    return this.#byId.get(id);
  }

  /** The live shard of this name, whether asked for or not. */
  find(ref: ShardRef): ShardState | undefined {
    return this.#byKey.get(shardKey(ref));
  }

  /** The live shard of this name that someone asked for; raises UnknownShard. */
  get(ref: ShardRef): ShardState {
    const state = this.find(ref);
    if (state === undefined || !state.named) throw new UnknownShard(`unknown shard ${shardKey(ref)}`);
    return state;
  }

  /** A shard that is new to the log. */
  create(ref: ShardRef): ShardState {
    const first = this.find(NUMBERS_SHARD)?.end ?? 0;
    const state = this.define(this.#nextId, ref);
    state.skip(first);
    state.ahead = { ...state.ahead, end: first };
    return state;
  }

  /** A shard that the log knows under `id`. */
  define(id: number, ref: ShardRef): ShardState {
    const state = new ShardState(id, ref);
    this.#byId.set(id, state);
    this.#byKey.set(shardKey(ref), state);
    this.reserve(id);
    return state;
  }

  /** Never gives `id` to a new shard. */
  reserve(id: number): void {
    this.#nextId = Math.max(this.#nextId, id + 1);
  }

  /** The shard is gone for everybody; its number stays while segments hold bytes of it. */
  drop(state: ShardState): void {
    state.dropped = true;
    const key = shardKey(state.ref);
    if (this.#byKey.get(key) === state) this.#byKey.delete(key);
    state.wake();
  }

  /** Forgets a dropped shard of which no segment would make the next start believe that it lives. */
  forgetIfGone(state: ShardState): void {
    if (state.dropped && state.mentions === 0) this.#byId.delete(state.id);
  }
}
