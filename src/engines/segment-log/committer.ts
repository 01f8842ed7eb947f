import { EnvironmentError } from '../../kernel/errors.ts';
import { inPieces } from '../../kernel/flow/in-pieces.ts';
import { InTurns } from '../../kernel/flow/in-turns.ts';
import { nextTurn } from '../../kernel/flow/next-turn.ts';
import type { Environment, OpenFile } from '../../ports/environment.ts';
import { DiskFull, Unavailable, UnknownShard } from '../../ports/stream-store.ts';
import { applyExtent } from './apply-extent.ts';
import { CommitEncoder, type CommitExtent } from './commit-encoder.ts';
import { BatchEncoding } from './encode-batch.ts';
import { FLAG_DEFINE, isBefore, type LogPosition } from './format.ts';
import { answers, bytesOf, isPrivileged, type Run } from './run.ts';
import type { Segment } from './segment.ts';
import type { SegmentSet } from './segment-set.ts';
import type { ShardState, ShardTable } from './shard-table.ts';
import type { Slabs } from './slabs.ts';
import type { Space } from './space.ts';
import type { TailCache } from './tail-cache.ts';
import { NO_ENTRIES } from './writer.ts';

/** Bytes of entries after which the rest waits for the next commit; a larger run still goes in one. */
const COMMIT_BYTES_MAX = 4 * 1024 * 1024;
/** While the disk confirms a commit, the next one is written beside it when it has at least so many bytes. */
const OVERLAP_BYTES_MIN = 256 * 1024;
/** Commits written and not yet confirmed. */
const UNCONFIRMED_MAX = 2;
/** Answered, or woken, in one turn of the loop: what each of them goes on with takes some 50 us. */
const ANSWERS_PER_TURN = 32;
const NOWHERE: LogPosition = { segment: 0, position: 0 };

/** When an append is answered: `always` once it survives a power cut, `interval` and `none` once it is written. */
export type SyncMode = 'always' | 'interval' | 'none';

/** What the committer works on. */
export interface CommitterOptions {
  readonly segments: SegmentSet;
  readonly table: ShardTable;
  readonly slabs: Slabs;
  readonly tail: TailCache;
  readonly space: Space;
  readonly sync: SyncMode;
  /** With `interval`: the longest time between two syncs, in ms. */
  readonly intervalMs: number;
  /** Bytes that may wait, those being written included. */
  readonly pendingBytesMax: number;
  /** Number of the last commit found on disk; 0 when there is none. */
  readonly lastNumber: number;
  /** End of what is durable on disk, if there is anything. */
  readonly synced: LogPosition | undefined;
  /** Told once when durability can no longer be promised. */
  readonly onFailure: (error: Error) => void;
  /** Told when the first commit of a new segment is durable: the one before it is complete. */
  readonly onRolled: (before: Segment) => void;
}

/** A commit that is written; whoever waits for it is told when it is confirmed. */
interface Written {
  readonly segment: Segment;
  readonly end: number;
  readonly extents: readonly CommitExtent[];
  readonly runs: readonly Run[];
  /** Of entries, as they counted when they were queued. */
  readonly pendingBytes: number;
}

/**
 * Group commit: everything that waits, of all shards, goes into one write and one sync, while the next commit collects.
 * Commits are written one after the other and confirmed in the same order; a sync confirms all that was written before
 * it began.
 */
export class Committer {
  readonly #environment: Environment;
  readonly #options: CommitterOptions;
  readonly #encoder = new CommitEncoder();
  readonly #answers: InTurns;
  #waiting: Run[] = [];
  #waitingBytes = 0;
  #pendingBytes = 0;
  #scheduled = false;
  #writing: Promise<void> | undefined;
  #syncing: Promise<void> | undefined;
  #written: Written[] = [];
  #lastNumber: number;
  #synced: LogPosition | undefined;
  #rolledFrom: Segment | undefined;
  #failure: Error | undefined;
  #closed = false;
  #settled: (() => void)[] = [];
  #cancelTimer = (): void => undefined;
  #isDirty = false;

  constructor(environment: Environment, options: CommitterOptions) {
    this.#environment = environment;
    this.#options = options;
    this.#answers = new InTurns(ANSWERS_PER_TURN, (run) => environment.clock.soon(run));
    this.#lastNumber = options.lastNumber;
    this.#synced = options.synced;
  }

  /** What stops appends now, for people. */
  problems(): string[] {
    if (this.#failure !== undefined) return [`the log cannot be written: ${this.#failure.message}`];
    return this.#options.space.problems();
  }

  /** Raises Unavailable when the log is closed or has failed. */
  assertUsable(): void {
    if (this.#failure !== undefined) throw new Unavailable('the log has failed');
    this.assertOpen();
  }

  /** Raises Unavailable when the log is closed; a failed one can still be read. */
  assertOpen(): void {
    if (this.#closed) throw new Unavailable('the log is closed');
  }

  /** Queues a run for the next commit, in the order of calls. Unavailable: too much waits, or the disk is full. */
  enqueue(run: Run): void {
    this.assertUsable();
    const refused = isPrivileged(run) ? undefined : this.#options.space.refusal();
    if (refused !== undefined) throw this.#refused('space', refused);
    if (this.#pendingBytes + run.bytes > this.#options.pendingBytesMax) {
      throw this.#refused('pending', 'too many bytes wait for the disk');
    }
    this.#options.slabs.hold(run.entries.bytes);
    this.#waiting.push(run);
    this.#waitingBytes += run.bytes;
    this.#pendingBytes += run.bytes;
    this.#schedule();
  }

  /** Resolves when what is being written now, if anything, has come to its end. */
  settled(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve();
    return new Promise((resolve) => this.#settled.push(resolve));
  }

  /** Resolves once all answered up to now survives a power cut. Rejects with Unavailable when the log fails. */
  async confirm(): Promise<void> {
    if (this.#failure !== undefined) throw new Unavailable('the log has failed');
    const active = this.#options.segments.active?.segment;
    if (this.#options.sync === 'always' || active === undefined) return;
    const answered = { segment: active.number, position: active.end };
    while (this.#failure === undefined && isBefore(this.#synced ?? NOWHERE, answered)) {
      // A new file is begun only when the one before is confirmed; nothing of it needs a sync before its first commit.
      if (answered.position === 0) break;
      if (this.#syncing === undefined) this.#startSync();
      await this.#syncing;
    }
    if (this.#failure !== undefined) throw new Unavailable('the log has failed');
  }

  /**
   * Says once more where these shards start; resolves when it survives a power cut. Rejects as an append does; with
   * DiskFull once all answered before survives one.
   */
  async declare(states: readonly ShardState[]): Promise<void> {
    const said = states.map(
      async (state) =>
        await new Promise<unknown>((resolve, reject) => {
          const run = { state, token: undefined, entries: NO_ENTRIES, flags: FLAG_DEFINE, bytes: 0, first: 0, at: 0 };
          this.enqueue({ ...run, resolve, reject });
        }),
    );
    const refused = (await Promise.allSettled(said)).flatMap((one) =>
      one.status === 'rejected' ? [one.reason as unknown] : [],
    );
    const full = refused.find((error) => error instanceof DiskFull);
    const worse = refused.find((error) => !(error instanceof UnknownShard || error instanceof DiskFull));
    if (worse !== undefined) throw worse;
    // Dropped meanwhile: what says so was queued in front.
    if (refused.length > 0) await this.settled();
    await this.confirm();
    if (full !== undefined) throw full;
  }

  /** Begins the first segment: it says where all shards stand and up to where the log was durable before. */
  async start(): Promise<void> {
    this.#writing = this.#write([]);
    await this.#writing;
    this.#writing = undefined;
    await this.#confirmAll();
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#options.sync === 'interval') this.#syncLater();
  }

  /** Writes what waits, and that all of it is durable; later appends are refused. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelTimer();
    while (this.#failure === undefined && (this.#waiting.length > 0 || !this.#isIdle())) {
      this.#pump();
      await (this.#writing ?? this.#syncing);
    }
    if (this.#failure !== undefined) return;
    // Vouches for everything before it.
    await this.#confirmAll();
    await this.#write([]);
    await this.#confirmAll();
    await this.#answers.idle();
  }

  /** Ends the segment that is written, when nothing is under way, and begins the next one. */
  async roll(): Promise<void> {
    if (!this.#isIdle() || this.#closed || this.#failure !== undefined) return;
    this.#writing = this.#rollNow().finally(() => {
      this.#writing = undefined;
      this.#pump();
    });
    await this.#writing;
  }

  async #rollNow(): Promise<void> {
    try {
      await this.#roll();
    } catch (error) {
      return await this.#refuse([], error);
    }
    return await this.#write([]);
  }

  #isIdle(): boolean {
    return this.#writing === undefined && this.#syncing === undefined && this.#written.length === 0;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // The requests of this turn of the loop share the commit.
    this.#environment.clock.soon(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  /** Starts whatever can be started; once nothing is under way, who waited for that goes on. */
  #pump(): void {
    if (this.#writing === undefined && this.#mayWrite()) {
      this.#writing = this.#write(this.#take()).finally(() => {
        this.#writing = undefined;
        this.#pump();
      });
    }
    if (this.#syncing === undefined && this.#failure === undefined && this.#mustSync()) this.#startSync();
    if (!this.#isIdle()) return;
    for (const settled of this.#settled.splice(0)) settled();
  }

  /** Somebody waits for it; or nothing may happen to older files before it. */
  #mustSync(): boolean {
    if (this.#written.length > 0) return true;
    const active = this.#options.segments.active?.segment;
    return active !== undefined && !active.isBegun && active.commitCount > 0;
  }

  #mayWrite(): boolean {
    if (this.#waiting.length === 0 || this.#failure !== undefined) return false;
    if (this.#options.sync !== 'always' || this.#written.length === 0) return true;
    return this.#written.length < UNCONFIRMED_MAX && this.#waitingBytes >= OVERLAP_BYTES_MIN;
  }

  #take(): readonly Run[] {
    const all = this.#waiting;
    let bytes = 0;
    let count = 0;
    for (const run of all) {
      if (count > 0 && bytes + run.bytes > COMMIT_BYTES_MAX) break;
      bytes += run.bytes;
      count += 1;
    }
    this.#waiting = count === all.length ? [] : all.slice(count);
    this.#waitingBytes -= bytes;
    return count === all.length ? all : all.slice(0, count);
  }

  /** Brings a batch to the system; with `always` its runs wait for the sync. Never rejects. */
  async #write(batch: readonly Run[]): Promise<void> {
    let runs = batch;
    try {
      const bytes = bytesOf(batch);
      if (!this.#options.segments.hasRoom(bytes)) await this.#roll();
      const { segment, file } = this.#options.segments.writing;
      const now = Math.floor(this.#environment.clock.now());
      const encoding = new BatchEncoding(this.#encoder, segment, now);
      if (segment.commitCount === 0) await inPieces(encoding.defineAll(this.#options.table), this.#turn);
      const accepted = await inPieces(encoding.add(batch), this.#turn);
      this.#drop(batch, accepted);
      runs = accepted;
      if (accepted.length === 0 && batch.length > 0) return encoding.undo();
      const synced = this.#synced ?? { segment: segment.number, position: 0 };
      const commit = this.#encoder.finish(segment, this.#lastNumber + 1, now, synced);
      await this.#store(file, segment, commit, encoding);
      this.#note({ segment, end: segment.end, extents: this.#encoder.extents, runs, pendingBytes: bytesOf(runs) });
    } catch (error) {
      await this.#refuse(runs, error);
    }
  }

  readonly #turn = async (): Promise<void> => await nextTurn(this.#environment.clock);

  async #store(
    file: OpenFile,
    segment: Segment,
    commit: { readonly pieces: readonly Uint8Array[]; readonly bytes: number },
    encoding: BatchEncoding,
  ): Promise<void> {
    try {
      await file.write(commit.pieces, segment.end);
    } catch (error) {
      encoding.undo();
      if (isDiskFull(error)) await this.#takeBack(file, segment);
      throw error;
    }
    this.#options.segments.grow(segment, commit.bytes);
    this.#options.space.wrote();
    segment.commitCount += 1;
    this.#lastNumber += 1;
    segment.lastCommit = this.#lastNumber;
    const { meter } = this.#environment;
    meter.count('log_commits_total');
    meter.count('log_written_bytes_total', {}, commit.bytes);
    this.#tellPending();
  }

  #tellPending(): void {
    this.#environment.meter.gauge('log_pending_bytes', {}, this.#pendingBytes);
  }

  /**
   * What arrived of a refused commit must not stand in front of the next one, nor come back by a power cut behind which
   * the log went on in another file: it would stand in the place of what was confirmed there.
   */
  async #takeBack(file: OpenFile, segment: Segment): Promise<void> {
    await file.truncate(segment.end);
    try {
      await file.sync();
    } catch (error) {
      throw new EnvironmentError('EIO', 'the disk did not confirm what was taken back', error);
    }
  }

  #note(written: Written): void {
    if (this.#failure !== undefined) return this.#rejectAll(written.runs, inDoubt(this.#failure));
    if (this.#options.sync === 'always') {
      this.#written.push(written);
      return undefined;
    }
    this.#isDirty = true;
    this.#confirm([written])();
    return undefined;
  }

  /** Runs that were rejected while the batch was encoded wait no more. */
  #drop(batch: readonly Run[], accepted: readonly Run[]): void {
    if (accepted.length === batch.length) return;
    const kept = new Set(accepted);
    for (const run of batch) if (!kept.has(run)) this.#forget(run);
  }

  #forget(run: Run): void {
    this.#pendingBytes -= run.bytes;
    this.#options.slabs.release(run.entries.bytes);
  }

  async #roll(): Promise<void> {
    const { segments } = this.#options;
    await this.#confirmAll();
    if (this.#failure !== undefined) throw this.#failure;
    const before = segments.active?.segment;
    await segments.roll();
    this.#rolledFrom = before;
  }

  /** Resolves once all that was written is durable, or the log has failed. */
  async #confirmAll(): Promise<void> {
    while (this.#failure === undefined && (this.#syncing !== undefined || this.#written.length > 0 || this.#isDirty)) {
      if (this.#syncing === undefined) this.#startSync();
      await this.#syncing;
    }
  }

  #startSync(): void {
    this.#syncing = this.#sync();
  }

  /** One sync for all that is written now. Never rejects. */
  async #sync(): Promise<void> {
    const confirmed = this.#written.slice();
    const { segment, file } = this.#options.segments.writing;
    const { end } = segment;
    const { clock, meter } = this.#environment;
    const startedAt = clock.monotonic();
    this.#isDirty = false;
    try {
      await file.sync();
      meter.observe('log_sync_ms', {}, clock.monotonic() - startedAt);
      this.#synced = { segment: segment.number, position: confirmed.at(-1)?.end ?? end };
      if (end > 0) this.#noteBegun(segment);
      this.#written.splice(0, confirmed.length);
      const answer = this.#confirm(confirmed);
      this.#syncing = undefined;
      // The next commit is on its way to the disk before the last one's answers take the processor.
      this.#pump();
      answer();
      this.#pump();
    } catch (error) {
      this.#syncing = undefined;
      // The system may have thrown the written pages away: a second sync of this file would prove nothing.
      this.#fail(new EnvironmentError('EIO', 'the disk did not confirm what was written', error));
      this.#pump();
    }
  }

  /** The disk has the first commit of a file: from now on it stands for those before it. */
  #noteBegun(segment: Segment): void {
    if (segment.isBegun) return;
    segment.isBegun = true;
    const before = this.#rolledFrom;
    this.#rolledFrom = undefined;
    if (before !== undefined) this.#options.onRolled(before);
  }

  #syncLater(): void {
    this.#cancelTimer = this.#environment.clock.timer(this.#options.intervalMs, () => {
      if (this.#isDirty && this.#syncing === undefined && this.#failure === undefined) this.#startSync();
      this.#syncLater();
    });
  }

  /** Makes the commits' records readable; the function it returns tells those who wait. */
  #confirm(commits: readonly Written[]): () => void {
    for (const { segment, extents, runs, pendingBytes } of commits) {
      for (const extent of extents) applyExtent(segment, extent);
      this.#pendingBytes -= pendingBytes;
      this.#keep(runs);
    }
    this.#tellPending();
    return () => this.#answers.run(commits.flatMap(({ runs }) => answers(runs)));
  }

  /** The newest records stay in memory for those who follow. */
  #keep(runs: readonly Run[]): void {
    for (const { state, entries, first, at } of runs) {
      const { bytes, count } = entries;
      if (count > 0) this.#options.tail.add(state, { bytes, from: 0, to: bytes.length, first, count, at });
    }
  }

  /**
   * What the runs of a commit that could not be written are told. Anything but a full disk ends the log; the commit may
   * then stand there after a restart or not, so that its runs must not hear that they are not stored.
   */
  async #refuse(runs: readonly Run[], error: unknown): Promise<void> {
    if (!isDiskFull(error)) {
      this.#rejectAll(runs, inDoubt(error));
      this.#fail(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    const [urgent, rest] = [runs.filter(isPrivileged), runs.filter((run) => !isPrivileged(run))];
    this.#rejectAll(rest, this.#refused('full', 'the disk is full', error));
    const isRoomMade = await this.#options.space.makeRoom();
    if (!isRoomMade) return this.#rejectAll(urgent, this.#refused('full', 'the disk is full', error));
    this.#waiting.unshift(...urgent);
    this.#waitingBytes += bytesOf(urgent);
    return undefined;
  }

  #refused(reason: 'full' | 'pending' | 'space', message: string, cause?: unknown): Unavailable {
    this.#environment.meter.count('log_refused_total', { reason });
    return reason === 'pending' ? new Unavailable(message, { cause }) : new DiskFull(message, { cause });
  }

  #rejectAll(runs: readonly Run[], error: Error): void {
    for (const run of runs) {
      this.#forget(run);
      run.reject(error);
    }
    this.#tellPending();
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    for (const { runs } of this.#written.splice(0)) this.#rejectAll(runs, inDoubt(error));
    this.#waitingBytes = 0;
    this.#rejectAll(this.#waiting.splice(0), new Unavailable('the log has failed', { cause: error }));
    this.#environment.log.error('log.failed', { error: error.message });
    this.#options.onFailure(error);
  }
}

/** The commit may stand there after a restart or not. */
function inDoubt(cause: unknown): EnvironmentError {
  return new EnvironmentError('EIO', 'the log failed while it wrote this', cause);
}

function isDiskFull(error: unknown): boolean {
  return error instanceof EnvironmentError && error.code === 'ENOSPC';
}
