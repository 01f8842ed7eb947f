import { EnvironmentError } from '../../kernel/errors.ts';
import { nextTurn } from '../../kernel/flow/next-turn.ts';
import type { Environment } from '../../ports/environment.ts';
import { DiskFull, Unavailable } from '../../ports/stream-store.ts';
import { chooseJob, isScattered, type CleaningState } from './cleaning-policy.ts';
import { DamagedLog } from './format.ts';
import type { IndexCache } from './index-cache.ts';
import type { Segment } from './segment.ts';
import type { SegmentSet } from './segment-set.ts';
import { settle, takeOver } from './settle.ts';
import type { ShardState, ShardTable } from './shard-table.ts';
import type { Space } from './space.ts';
import { TrustedClock } from './trusted-clock.ts';

/** How often the cleaner looks when nobody asks. */
const LOOK_MS = 5000;
/** Of so many files one must be new before the cleaner looks because of it: a look goes over all of them. */
const FILES_PER_NEW = 128;
/** A part of the journal is ended early when its records lie scattered and nothing came for so long. */
const IDLE_MS = 5000;
const IDLE_BYTES_MIN = 1024 * 1024;
/** Shortest piece of work that is followed by a rest, and longest rest, in ms. */
const REST_MS_MIN = 4;
const REST_MS_MAX = 50;
/** What files hold of shards, looked through in one turn of the loop: about a millisecond's work. */
const LOOKED_PER_TURN = 4000;

/** What the cleaner works on. */
export interface CleanerParts {
  readonly environment: Environment;
  readonly segments: SegmentSet;
  readonly indexes: IndexCache;
  readonly table: ShardTable;
  readonly space: Space;
  readonly diskBytesMax: number | undefined;
  /** When the newest record arrived that the start found, in ms; undefined when it found none. */
  readonly knownAt: number | undefined;
  /** Ends the part of the journal that is being written. */
  readonly roll: () => Promise<void>;
  /** Writes where shards start, so that a start finds it whatever files are gone. */
  readonly declare: (states: readonly ShardState[]) => Promise<void>;
  /** Seals what is complete and has no footer: an earlier attempt may have found the disk full. */
  readonly seal: () => void;
  /** Told of a damaged place. */
  readonly damaged: (message: string) => void;
}

/**
 * Keeps the log's files to what is needed: removes those of which nobody needs a record, and settles others: what is
 * needed of some neighbours is copied into one file, each shard's records together. One piece of work at a time.
 */
export class Cleaner {
  readonly #parts: CleanerParts;
  readonly #clock: TrustedClock;
  #cancelTimer: () => void = () => undefined;
  #running: Promise<void> | undefined;
  #isAskedAgain = false;
  #newFiles = 0;
  #closed = false;
  #restedAt = 0;
  #idleSince = 0;
  #idleEnd = 0;
  /** Whether a file could not be removed for good: a later start may find it again. */
  #mayComeBack = false;
  /** Settled files that were given up and may have their name, and sources of settled ones: not known to be gone. */
  readonly #givenUp = new Set<string>();
  /** Shards whose start has moved, and could not be written. */
  readonly #undeclared = new Set<ShardState>();

  constructor(parts: CleanerParts) {
    this.#parts = parts;
    this.#clock = new TrustedClock(parts.environment.clock, parts.knownAt);
  }

  start(): void {
    this.ask();
    this.#later();
  }

  /** Looks now, or again after the work under way. */
  ask(): void {
    this.#isAskedAgain = true;
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined;
    });
  }

  /** Takes note of a new complete file, and looks when such files have become many. */
  sealed(): void {
    this.#newFiles += 1;
    if (this.#newFiles * FILES_PER_NEW >= this.#parts.segments.all().length) this.ask();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer();
    await this.#running;
  }

  #later(): void {
    this.#cancelTimer = this.#parts.environment.clock.timer(LOOK_MS, () => {
      this.ask();
      this.#later();
    });
  }

  async #work(): Promise<void> {
    while (this.#isAskedAgain && !this.#closed) {
      this.#isAskedAgain = false;
      this.#newFiles = 0;
      this.#parts.seal();
      await this.#removeGivenUp();
      await this.#removeExpired();
      await this.#endIdle();
      this.#measure();
      // Settled once more beside such a file, the next start would find the same records in two.
      const job = this.#givenUp.size > 0 ? undefined : chooseJob(this.#state());
      if (job !== undefined && (await this.#settle(job))) this.#isAskedAgain = true;
      // The reserve comes last: made again, it takes the room in which the cleaner works.
      else await this.#parts.space.look();
    }
  }

  #state(): CleaningState {
    const { segments, diskBytesMax } = this.#parts;
    const { segmentBytesMax } = segments.options;
    const { isShort } = this.#parts.space;
    const complete = new Set(this.#complete());
    const isComplete = (segment: Segment): boolean => complete.has(segment);
    const now = this.#clock.now();
    return { segments: segments.all(), isComplete, now, segmentBytesMax, diskBytesMax, isShort };
  }

  /**
   * Files that may go. The newest part of the journal stays, since it tells the next start where all shards stand; and
   * until the footer of a part is durable only the next one tells where it ends; a damaged part never gets one.
   */
  #complete(): readonly Segment[] {
    const { segments } = this.#parts;
    const all = segments.all();
    const isOpen = ({ isSettled, isDamaged, version, isFooterDurable }: Segment): boolean =>
      !isSettled && !isDamaged && version > 1 && !isFooterDurable;
    const first = all.find(isOpen)?.number ?? Infinity;
    const newest = segments.newest?.number ?? 0;
    return all.filter(({ isSettled, number }) => isSettled || (number < newest && number <= first));
  }

  /** Removes them for good; what stays is tried again at the next look. */
  async #removeGivenUp(): Promise<void> {
    if (this.#givenUp.size === 0) return;
    const { environment, segments } = this.#parts;
    try {
      for (const path of this.#givenUp) await environment.files.remove(path);
      await environment.files.syncDirectory(segments.options.directory);
      this.#givenUp.clear();
    } catch (error) {
      if (!(error instanceof EnvironmentError)) throw error;
      const [path] = this.#givenUp;
      environment.log.warn('log.segment.stuck', { path, error: String(error) });
    }
  }

  async #removeExpired(): Promise<void> {
    const now = this.#clock.now();
    const expired: Segment[] = [];
    let looked = 0;
    for (const segment of this.#complete()) {
      if (isExpired(segment, now)) expired.push(segment);
      looked += segment.shares.size;
      if (looked < LOOKED_PER_TURN) continue;
      looked = 0;
      await nextTurn(this.#parts.environment.clock);
    }
    const hasWork = expired.length > 0 || this.#undeclared.size > 0;
    if (!hasWork || !(await this.#keepStarts(this.#moveStarts(expired)))) return;
    for (const segment of expired) await this.#delete(segment);
    if (expired.length > 0) await this.#syncDirectory();
  }

  /** The shards of which older records stay in other files: who finds those must know that the rest was not lost. */
  #moveStarts(expired: readonly Segment[]): readonly ShardState[] {
    const moved = new Set<ShardState>();
    for (const segment of expired) {
      for (const share of segment.shares.values()) {
        const { state } = share;
        const isOldest = state.shares[0] === share && !this.#mayComeBack;
        if (!share.hasRecords || state.dropped || isOldest) continue;
        state.advanceStart(share.end);
        moved.add(state);
      }
    }
    return [...moved];
  }

  /**
   * Writes where shards start, and waits until that, and that others are gone, survives a power cut: it must not bring
   * back a shard whose files are removed. False when the log has failed or is closed: then no file goes. On a full disk
   * files go all the same: space comes first.
   */
  async #keepStarts(moved: readonly ShardState[]): Promise<boolean> {
    for (const state of moved) this.#undeclared.add(state);
    const states = [...this.#undeclared].filter(({ dropped }) => !dropped);
    try {
      await this.#parts.declare(states);
      this.#undeclared.clear();
      return true;
    } catch (error) {
      if (error instanceof DiskFull) return true;
      if (error instanceof EnvironmentError || error instanceof Unavailable) return false;
      throw error;
    }
  }

  async #delete(segment: Segment): Promise<void> {
    const { table, indexes } = this.#parts;
    for (const share of segment.shares.values()) {
      const { state } = share;
      const at = state.shares.indexOf(share);
      if (at >= 0) state.shares.splice(at, 1);
      if (share.hasRecords) state.advanceStart(share.end);
      share.leave();
      table.forgetIfGone(state);
    }
    indexes.forget(segment);
    await this.#remove(segment);
  }

  async #remove(segment: Segment): Promise<boolean> {
    const { environment, segments } = this.#parts;
    const fields = { path: segment.path, bytes: segment.fileBytes };
    try {
      await segments.delete(segment);
      environment.log.info('log.segment.deleted', fields);
      return true;
    } catch (error) {
      // The next start finds the file again, and removes it again.
      this.#mayComeBack = true;
      environment.log.warn('log.segment.stuck', { path: segment.path, error: String(error) });
      return false;
    }
  }

  async #syncDirectory(): Promise<boolean> {
    const { environment, segments } = this.#parts;
    try {
      await environment.files.syncDirectory(segments.options.directory);
      return true;
    } catch (error) {
      this.#mayComeBack = true;
      environment.log.warn('log.segment.stuck', { path: segments.options.directory, error: String(error) });
      return false;
    }
  }

  /** Whether the job was done. */
  async #settle(sources: readonly Segment[]): Promise<boolean> {
    const { environment, segments, indexes, table } = this.#parts;
    const { meter, log, clock } = environment;
    const startedAt = clock.monotonic();
    this.#restedAt = startedAt;
    try {
      const now = (): number => this.#clock.now();
      const pause = async (): Promise<void> => await this.#pause();
      const keepStarts = async (moved: readonly ShardState[]): Promise<boolean> => await this.#keepStarts(moved);
      const giveUp = (path: string): void => {
        this.#givenUp.add(path);
        // Its sources may be gone by the time a start finds it.
        this.#mayComeBack = true;
      };
      const settled = await settle({ environment, segments, indexes, now, pause, keepStarts, giveUp }, sources);
      takeOver(sources, settled);
      segments.replace(sources, settled);
      for (const source of sources) {
        indexes.forget(source);
        if (!(await this.#remove(source))) this.#givenUp.add(source.path);
        for (const { state } of source.shares.values()) table.forgetIfGone(state);
      }
      // Only this settled file says what it was made of; the one that is made of it does not.
      if (!(await this.#syncDirectory())) for (const { path } of sources) this.#givenUp.add(path);
      const bytes = settled.fileBytes;
      meter.count('log_settled_bytes_total', {}, bytes);
      const tookMs = Math.round(clock.monotonic() - startedAt);
      log.info('log.settled', { path: settled.path, files: sources.length, bytes, tookMs });
      return true;
    } catch (error) {
      await this.#failed(sources, error);
      await this.#removeGivenUp();
      return false;
    }
  }

  async #failed(sources: readonly Segment[], error: unknown): Promise<void> {
    if (!(error instanceof EnvironmentError) && !this.#closed) throw error;
    const { environment, space, damaged } = this.#parts;
    environment.log.warn('log.settle.failed', { path: sources[0]?.path, error: String(error) });
    if (error instanceof DamagedLog) {
      damaged(error.message);
      for (const source of sources) if (error.message.includes(source.path)) source.isDamaged = true;
      this.#isAskedAgain = true;
    }
    if (error instanceof EnvironmentError && error.code === 'ENOSPC') {
      this.#isAskedAgain = await space.makeRoom();
    }
  }

  /** Rests as long as it worked, so that commits find the disk free; not when space is short. */
  async #pause(): Promise<void> {
    const { environment, space } = this.#parts;
    const { clock } = environment;
    if (this.#closed) throw new Closing();
    const workedMs = clock.monotonic() - this.#restedAt;
    if (workedMs > REST_MS_MIN && !space.isShort) await clock.sleep(Math.min(workedMs, REST_MS_MAX));
    else await nextTurn(clock);
    this.#restedAt = clock.monotonic();
  }

  /** Single puts leave small pieces: once they pause, the file ends early, so that it can be settled. */
  async #endIdle(): Promise<void> {
    const { segments, environment, roll } = this.#parts;
    const active = segments.active?.segment;
    if (active === undefined || active.end < IDLE_BYTES_MIN || !isScattered(active)) return;
    const now = environment.clock.monotonic();
    if (active.end !== this.#idleEnd) {
      this.#idleEnd = active.end;
      this.#idleSince = now;
    } else if (now - this.#idleSince >= IDLE_MS) await roll();
  }

  #measure(): void {
    const { segments, environment } = this.#parts;
    let unsettled = 0;
    for (const segment of segments.all()) if (isScattered(segment)) unsettled += segment.fileBytes;
    environment.meter.gauge('log_unsettled_bytes', {}, unsettled);
    environment.meter.gauge('log_segments', {}, segments.all().length);
  }
}

/** Whether nobody needs anything of it any more. What a damaged file held is not wholly known. */
function isExpired(segment: Segment, now: number): boolean {
  const isUnknown = segment.isDamaged && ![...segment.shares.values()].some((share) => share.hasRecords);
  return !isUnknown && segment.liveBytes(now) === 0;
}

/** The log is closing: the work is given up. */
class Closing extends Error {}
