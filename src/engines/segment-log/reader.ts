import { crc32 } from 'node:zlib';
import { BufferPool } from '../../kernel/bytes/buffer-pool.ts';
import type { ReadMemory } from '../../kernel/bytes/read-memory.ts';
import { EnvironmentError } from '../../kernel/errors.ts';
import { inPieces } from '../../kernel/flow/in-pieces.ts';
import { nextTurn } from '../../kernel/flow/next-turn.ts';
import type { Environment } from '../../ports/environment.ts';
import {
  Damaged,
  type Offset,
  Slice,
  shardKey,
  type StoredRun,
  Trimmed,
  UnknownShard,
} from '../../ports/stream-store.ts';
import { collectEntries, type Collection } from './collect-entries.ts';
import { missingRecords } from './damage-sentences.ts';
import { damage, DamagedLog } from './format.ts';
import type { IndexCache } from './index-cache.ts';
import { planReads, type PlannedRead } from './read-plan.ts';
import type { Segment, Share } from './segment.ts';
import type { SegmentIndex, Spans } from './segment-index.ts';
import type { SegmentSet } from './segment-set.ts';
import type { ShardState } from './shard-table.ts';
import { PIECE_BYTES, type SharedWindow, SharedWindows } from './shared-windows.ts';
import type { Slabs } from './slabs.ts';
import { longChecksums, type Visitor, walkEntries } from './walk.ts';

/** Bytes of the index's entries that are looked through at once for a time. */
const POSITION_BYTES = 1024 * 1024;
/** Reads of one call that are on their way together. */
const READS_MAX = 4;
/** Where less of a read than this is the shard's, its records are moved together, and the memory is used again. */
const OWN_PART_MIN = 2 / 3;
/** A read is longer only where one extent is. */
const LONG_BYTES = 2 * 1024 * 1024;
/** Pieces of memory kept for such reads. */
const SCRATCH_KEPT = 8;
/** Places that are named in the log and in health; more are counted. */
const DAMAGED_PLACES_NAMED = 100;

/** Who walks what is read. */
interface Walker extends Visitor {
  /** A read was walked; `isUsedAgain`: what was taken from it must not stay in its memory. */
  leave(isUsedAgain: boolean): void;
}

/** What a walk reads of one segment. */
interface Walk {
  readonly state: ShardState;
  readonly segment: Segment;
  readonly spans: Spans;
  readonly visitor: Walker;
  readonly into: ReadMemory | undefined;
}

/** What one read gave; `lent` goes back to the pool, `shared` to whoever comes next. */
interface Piece {
  readonly bytes: Buffer;
  readonly lent?: Buffer;
  readonly shared?: SharedWindow;
}

/** What a reader works on. */
export interface ReaderParts {
  readonly environment: Environment;
  readonly segments: SegmentSet;
  readonly indexes: IndexCache;
  readonly slabs: Slabs;
}

/** Reads shards: the newest records from memory, all others from the files, through the system's page cache. */
export class LogReader {
  readonly #parts: ReaderParts;
  /** Checksums of what was noted: a disk that dies may have very many such places. */
  readonly #damaged = new Set<number>();
  /** The first of them. */
  readonly #named: string[] = [];
  readonly #scratch = new BufferPool(PIECE_BYTES, SCRATCH_KEPT);

  readonly #windows: SharedWindows;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
    this.#windows = new SharedWindows(parts.segments.handles);
  }

  /** Places found damaged, for people. */
  problems(): string[] {
    const more = this.#damaged.size - this.#named.length;
    return more === 0 ? [...this.#named] : [...this.#named, `the log is damaged: in ${more} more places`];
  }

  /** Takes note of a damaged place: it counts in the metrics, and the first are named in the log and in health. */
  noteDamage(message: string): void {
    const checksum = crc32(message);
    if (this.#damaged.has(checksum)) return;
    const { log, meter } = this.#parts.environment;
    this.#damaged.add(checksum);
    meter.gauge('log_damaged_places', {}, this.#damaged.size);
    if (this.#named.length === DAMAGED_PLACES_NAMED) return;
    this.#named.push(message);
    log.error('log.damaged', { error: message });
  }

  /** Durable records from `from` on; see StreamStore.read. */
  async read(
    state: ShardState,
    from: Offset,
    limit: { records: number; bytes: number },
    into?: ReadMemory,
  ): Promise<Slice> {
    if (from < state.start) throw new Trimmed(BigInt(state.start));
    const collection: Collection = {
      runs: [],
      count: 0,
      next: state.past(Number(from)),
      end: state.end,
      recordsMax: limit.records,
      bytesMax: limit.bytes,
      bytes: 0,
      full: false,
    };
    const wantsMore = collection.next < collection.end && limit.records > 0;
    if (wantsMore && !this.#collectTail(state, collection, into)) {
      await this.#again(async () => await this.#collect(state, collection, into));
    }
    const bounds = {
      next: BigInt(collection.next),
      end: BigInt(state.end),
      start: BigInt(state.start),
      ...(state.closed ? { closedAt: BigInt(state.end) } : {}),
    };
    return new Slice(collection.runs, bounds, collection.bytes);
  }

  /** Offset of the first record with `at >= timeMs`, else the end. */
  async positionAt(state: ShardState, timeMs: number): Promise<Offset> {
    if (timeMs > state.lastAt || state.start === state.end) return BigInt(state.end);
    let found: number | undefined;
    const visitor: Walker = {
      look(extent) {
        if (extent.at < timeMs) return 'skip';
        found = extent.first;
        return 'stop';
      },
      take: () => true,
      leave: () => undefined,
    };
    await this.#again(async () => {
      const from = state.shares.findIndex((share) => share.lastAt >= timeMs);
      if (from >= 0) await this.#walk(state, from, (spans) => spans.ofTime(timeMs), POSITION_BYTES, visitor);
    });
    return BigInt(Math.max(state.start, Math.min(found ?? state.end, state.end)));
  }

  /** A file that is gone was taken over from by another one, or expired: the work is done again on what is there. */
  async #again(work: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof Vanished)) throw error;
      }
    }
  }

  /** Whether the records from the collection's next one on were in memory; they are then collected. */
  #collectTail(state: ShardState, collection: Collection, into: ReadMemory | undefined): boolean {
    const { tail } = state;
    const oldest = tail.at(0);
    if (oldest === undefined || collection.next < oldest.first) return false;
    let low = 0;
    let high = tail.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const run = tail.at(middle) as StoredRun;
      if (run.first + run.count <= collection.next) low = middle + 1;
      else high = middle;
    }
    for (let index = low; index < tail.length && !collection.full; index += 1) {
      const run = tail.at(index) as StoredRun;
      collectEntries(run, collection);
      if (into === undefined) this.#parts.slabs.giveAway(run.bytes);
    }
    if (into !== undefined) copyRuns(collection.runs, 0, into);
    return true;
  }

  async #collect(state: ShardState, collection: Collection, into: ReadMemory | undefined): Promise<void> {
    const { next, bytesMax } = collection;
    if (next < state.start && collection.count > 0) return;
    if (next < state.start) throw new Trimmed(BigInt(state.start));
    const { runs } = collection;
    let behind: number | undefined;
    let placed = runs.length;
    const visitor: Walker = {
      look(extent) {
        if (collection.next < extent.first) collection.next = state.past(collection.next);
        if (extent.first > collection.next) behind = extent.first;
        if (collection.full || extent.first >= collection.end || extent.first > collection.next) return 'stop';
        if (extent.first + extent.count <= collection.next) return 'skip';
        behind = extent.first + extent.count;
        return 'take';
      },
      take: (run) => collectEntries(run, collection),
      leave(isUsedAgain) {
        if (isUsedAgain) copyRuns(runs, placed, into);
        placed = runs.length;
      },
    };
    try {
      const from = state.shareFrom(next);
      const likely = likelyBytes(state.shares[from], collection.recordsMax);
      await this.#walk(state, from, (spans) => spans.ofOffset(next), Math.min(bytesMax, likely), visitor, into);
    } catch (error) {
      // What stands in front of the damaged place is whole.
      if (error instanceof Vanished) throw error;
      if (collection.count === 0)
        throw error instanceof DamagedLog
          ? new Damaged(error.message, BigInt(this.#behind(state, next, behind)))
          : error;
    }
    if (collection.count > 0) return;
    if (state.dropped) throw new UnknownShard(`shard ${shardKey(state.ref)} was dropped`);
    if (next < state.start) throw new Trimmed(BigInt(state.start));
    throw this.#missing(state, next, this.#behind(state, next, behind));
  }

  /** `behind`: where the walk saw that it may go on; else what the file holds of the shard is left out. */
  #behind(state: ShardState, offset: number, behind: number | undefined): number {
    const share = state.shares[state.shareFrom(offset)];
    const known = share === undefined ? state.end : share.first > offset ? share.first : share.end;
    const next = Math.min(behind !== undefined && behind > offset ? behind : known, state.end);
    return Math.max(next, offset + 1);
  }

  /** Nothing tells of these records any more. Where the start named the damage already, it is not counted again. */
  #missing(state: ShardState, offset: number, end: number): Damaged {
    const share = state.shares[state.shareFrom(offset)];
    const isInFile = share !== undefined && share.first <= offset;
    const path = share?.segment.path ?? this.#parts.segments.options.directory;
    const { message } = damage(path, 0, missingRecords(state.ref, offset, end));
    if (isInFile && !share.segment.isDamaged) {
      share.segment.isDamaged = true;
      this.noteDamage(message);
    }
    return new Damaged(message, BigInt(end));
  }

  /** Walks a shard from a share on, in parts of about `bytesMax`, until the visitor stops or there are no more. */
  async #walk(
    state: ShardState,
    from: number,
    begin: (spans: Spans) => number,
    bytesMax: number,
    visitor: Walker,
    into?: ReadMemory,
  ): Promise<void> {
    let isFirst = true;
    for (let share = from; share < state.shares.length;) {
      const { segment } = state.shares[share] as { segment: Segment };
      const spans = (await this.#indexOf(segment)).spans.get(state.id);
      if (spans !== undefined) {
        const entry = isFirst ? begin(spans) : 0;
        if (!(await this.#walkSpans({ state, segment, spans, visitor, into }, entry, bytesMax))) return;
      }
      isFirst = false;
      // The list may have changed meanwhile: a settled file took the place of others.
      share = this.#after(state, segment);
    }
  }

  /** Walks what a segment holds of a shard, from an entry of its index on; false when the visitor stopped. */
  async #walkSpans(walk: Walk, from: number, bytesMax: number): Promise<boolean> {
    const { spans } = walk;
    for (let next = from; next < spans.count;) {
      const wanted = planReads(spans, next, bytesMax);
      next = wanted.at(-1)?.next ?? spans.count;
      for (let part = 0; part < wanted.length; part += READS_MAX) {
        if (!(await this.#visit(walk, wanted.slice(part, part + READS_MAX)))) return false;
      }
    }
    return true;
  }

  /** Index of the share behind a segment's, wherever that is now. */
  #after(state: ShardState, segment: Segment): number {
    const found = state.shares.findIndex((other) => other.segment === segment);
    return found >= 0 ? found + 1 : state.shareFrom(segment.shares.get(state.id)?.end ?? 0);
  }

  async #indexOf(segment: Segment): Promise<SegmentIndex> {
    try {
      return await this.#parts.indexes.of(segment);
    } catch (error) {
      if (this.#isGone(segment, error)) throw new Vanished();
      throw this.#note(error);
    }
  }

  /** Reads parts of a file together, and walks them; false when the visitor stopped. */
  async #visit(walk: Walk, parts: readonly PlannedRead[]): Promise<boolean> {
    const { state, segment, spans, visitor } = walk;
    // All over when one fails, too: nobody writes into lent memory from then on.
    const read = await Promise.allSettled(parts.map(async (part) => await this.#read(walk, part)));
    try {
      for (const [index, part] of parts.entries()) {
        const { bytes, lent, shared } = pieceOf(read[index]);
        try {
          const piece = { segment, position: part.position, bytes, part, spans };
          const known = bytes.length <= LONG_BYTES ? undefined : await inPieces(longChecksums(piece), this.#turn);
          if (!walkEntries({ ...piece, known }, state.id, visitor)) return false;
        } catch (error) {
          throw this.#note(error);
        } finally {
          visitor.leave(lent !== undefined || shared !== undefined);
        }
      }
      return true;
    } finally {
      for (const one of read) if (one.status === 'fulfilled') this.#giveBack(one.value);
    }
  }

  readonly #turn = async (): Promise<void> => {
    await nextTurn(this.#parts.environment.clock);
  };

  /** What holds mostly others' records is read for them too, or its memory is used again at once. */
  async #read({ state, segment, spans, into }: Walk, part: PlannedRead): Promise<Piece> {
    const { position, end, wantedBytes } = part;
    const length = end - position;
    const ownPart = (segment.shares.get(state.id)?.bytes ?? 0) / spans.coveredBytes;
    const isScattered = length <= PIECE_BYTES && wantedBytes * ownPart < length * OWN_PART_MIN;
    const shared = isScattered ? await this.#windows.acquire(segment, part) : undefined;
    if (shared !== undefined) {
      const from = position - shared.position;
      return { bytes: shared.bytes.subarray(from, from + length), shared };
    }
    if (!isScattered) {
      const bytes = into?.take(length) ?? Buffer.allocUnsafeSlow(length);
      await this.#fill(segment, position, bytes);
      return { bytes };
    }
    const lent = this.#scratch.take();
    const bytes = lent.subarray(0, length);
    await this.#fill(segment, position, bytes);
    return { bytes, lent };
  }

  async #fill(segment: Segment, position: number, bytes: Buffer): Promise<void> {
    try {
      await this.#parts.segments.handles.read(segment, position, bytes);
    } catch (error) {
      if (this.#isGone(segment, error)) throw new Vanished();
      throw this.#note(error);
    }
  }

  #giveBack({ lent, shared }: Piece): void {
    if (lent !== undefined) this.#scratch.giveBack(lent);
    if (shared !== undefined) this.#windows.release(shared);
  }

  #isGone(segment: Segment, error: unknown): boolean {
    const isMissing = error instanceof EnvironmentError && error.code === 'ENOENT';
    return isMissing && this.#parts.segments.get(segment.number) !== segment;
  }

  #note(error: unknown): unknown {
    if (error instanceof DamagedLog) this.noteDamage(error.message);
    return error;
  }
}

/** What so many records may take in a file, by the others in it; where they take more, more is read. */
function likelyBytes(share: Share | undefined, records: number): number {
  if (share === undefined || !share.hasRecords) return Infinity;
  return (share.bytes / (share.end - share.first)) * records;
}

/** Raises what a read was ended by. */
function pieceOf(read: PromiseSettledResult<Piece> | undefined): Piece {
  if (read?.status === 'fulfilled') return read.value;
  throw read?.reason;
}

/** Moves the runs from index `first` on from memory that is used again to the reader's, or to memory of their own. */
function copyRuns(runs: StoredRun[], first: number, into: ReadMemory | undefined): void {
  let length = 0;
  for (let index = first; index < runs.length; index += 1) length += lengthOf(runs[index] as StoredRun);
  if (length === 0) return;
  const bytes = into?.take(length) ?? Buffer.allocUnsafeSlow(length);
  let at = 0;
  for (let index = first; index < runs.length; index += 1) {
    const run = runs[index] as StoredRun;
    bytes.set(run.bytes.subarray(run.from, run.to), at);
    const from = at;
    at += lengthOf(run);
    runs[index] = { ...run, bytes, from, to: at };
  }
}

function lengthOf({ from, to }: StoredRun): number {
  return to - from;
}

/** A segment's file is no more part of the log. */
class Vanished extends Error {}
