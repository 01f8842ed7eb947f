import { EnvironmentError } from '../../kernel/errors.ts';
import type { Environment, OpenFile } from '../../ports/environment.ts';
import { Unavailable } from '../../ports/stream-store.ts';
import { applyExtent } from './apply-extent.ts';
import { CommitEncoder } from './commit-encoder.ts';
import { encodeBatch } from './encode-batch.ts';
import type { LogPosition } from './format.ts';
import type { Run } from './run.ts';
import type { Segment } from './segment.ts';
import type { SegmentSet } from './segment-set.ts';
import type { ShardState, ShardTable } from './shard-table.ts';

/** Bytes of entries after which the rest waits for the next commit; a larger run still goes in one. */
const COMMIT_BYTES_MAX = 4 * 1024 * 1024;
/** Room for headers beside the entries of a usual commit. */
const COMMIT_HEADROOM_BYTES = 256 * 1024;

/** What the committer works on. */
export interface CommitterOptions {
  readonly segments: SegmentSet;
  readonly table: ShardTable;
  /** Bytes that may wait, those being written included. */
  readonly pendingBytesMax: number;
  /** Number of the last commit found on disk; 0 when there is none. */
  readonly lastNumber: number;
  /** End of what is durable on disk, if there is anything. */
  readonly synced: LogPosition | undefined;
  /** Told once when durability can no longer be promised. */
  readonly onFailure: (error: Error) => void;
  /** Told when a new segment was begun. */
  readonly onRoll: () => void;
}

/**
 * Group commit: everything that waits, of all shards, goes into one write and one sync, while the next commit collects.
 * At most one commit is under way, so the end of the last one is always the end of what is durable.
 */
export class Committer {
  readonly #environment: Environment;
  readonly #options: CommitterOptions;
  readonly #encoder = new CommitEncoder(COMMIT_BYTES_MAX + COMMIT_HEADROOM_BYTES);
  #waiting: Run[] = [];
  #pendingBytes = 0;
  #scheduled = false;
  #running: Promise<void> | undefined;
  #lastNumber: number;
  #synced: LogPosition | undefined;
  #failure: Error | undefined;
  #closed = false;
  #isFull = false;
  #settled: (() => void)[] = [];

  constructor(environment: Environment, options: CommitterOptions) {
    this.#environment = environment;
    this.#options = options;
    this.#lastNumber = options.lastNumber;
    this.#synced = options.synced;
  }

  /** What stops appends now, for people. */
  problems(): string[] {
    if (this.#failure !== undefined) return [`the log cannot be written: ${this.#failure.message}`];
    return this.#isFull ? ['the disk is full: appends are refused'] : [];
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

  /** Queues a run for the next commit, in the order of calls. Raises Unavailable when too much waits. */
  enqueue(run: Run): void {
    this.assertUsable();
    if (this.#pendingBytes + run.bytes > this.#options.pendingBytesMax) {
      this.#environment.meter.count('log_refused_total', { reason: 'pending' });
      throw new Unavailable('too many bytes wait for the disk');
    }
    this.#waiting.push(run);
    this.#pendingBytes += run.bytes;
    this.#schedule();
  }

  /** Resolves when the commit that is under way, if any, has come to its end. */
  settled(): Promise<void> {
    if (this.#running === undefined) return Promise.resolve();
    return new Promise((resolve) => this.#settled.push(resolve));
  }

  /** Begins the first segment: it says where all shards stand and up to where the log was durable before. */
  async start(): Promise<void> {
    await this.#write([]);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Writes what waits, and that all of it is durable; later appends are refused. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    while (this.#running !== undefined || this.#waiting.length > 0) {
      if (this.#failure !== undefined) return;
      this.#run();
      await this.#running;
    }
    if (this.#failure === undefined) await this.#write([]);
  }

  #schedule(): void {
    if (this.#scheduled || this.#running !== undefined) return;
    this.#scheduled = true;
    // The requests of this turn of the loop share the commit.
    this.#environment.clock.soon(() => {
      this.#scheduled = false;
      this.#run();
    });
  }

  #run(): void {
    if (this.#running !== undefined || this.#waiting.length === 0) return;
    this.#running = this.#commitAll().finally(() => {
      this.#running = undefined;
      // What came while the last answers were given starts the next commit.
      for (const settled of this.#settled.splice(0)) settled();
      if (this.#waiting.length > 0 && this.#failure === undefined) this.#schedule();
    });
  }

  async #commitAll(): Promise<void> {
    let answer = (): void => {};
    while (this.#waiting.length > 0 && this.#failure === undefined) {
      // The next commit is on its way to the disk before the last one's answers take the processor.
      const written = this.#write(this.#take());
      answer();
      answer = await written;
      for (const settled of this.#settled.splice(0)) settled();
    }
    answer();
  }

  #take(): Run[] {
    const all = this.#waiting;
    let bytes = 0;
    let count = 0;
    for (const run of all) {
      if (count > 0 && bytes + run.bytes > COMMIT_BYTES_MAX) break;
      bytes += run.bytes;
      count += 1;
    }
    this.#waiting = count === all.length ? [] : all.slice(count);
    return count === all.length ? all : all.slice(0, count);
  }

  /** Makes the runs durable; what it resolves with tells those who wait. Never rejects. */
  async #write(batch: readonly Run[]): Promise<() => void> {
    const bytes = batch.reduce((sum, run) => sum + run.bytes, 0);
    let accepted = batch;
    try {
      if (!this.#options.segments.hasRoom(bytes)) await this.#roll();
      const commit = this.#encode(batch);
      accepted = commit.accepted;
      if (commit.bytes !== undefined) await this.#store(commit.bytes);
      return () => answerAll(commit.accepted);
    } catch (error) {
      const refused = this.#refuse(error);
      return () => {
        for (const run of accepted) run.reject(refused);
      };
    } finally {
      this.#pendingBytes -= bytes;
    }
  }

  async #roll(): Promise<void> {
    await this.#options.segments.roll();
    this.#options.onRoll();
  }

  #encode(batch: readonly Run[]): { accepted: readonly Run[]; bytes: Buffer | undefined } {
    const { segments, table } = this.#options;
    const segment = segments.writing.segment;
    const now = Math.floor(this.#environment.clock.now());
    const accepted = encodeBatch(this.#encoder, segment, table, batch, now);
    if (accepted.length === 0 && batch.length > 0) return { accepted, bytes: undefined };
    const synced = this.#synced ?? { segment: segment.number, position: 0 };
    return { accepted, bytes: this.#encoder.finish(segment, this.#lastNumber + 1, now, synced) };
  }

  async #store(bytes: Buffer): Promise<void> {
    const { segment, file } = this.#options.segments.writing;
    const { clock, meter } = this.#environment;
    try {
      await file.write(bytes, segment.end);
    } catch (error) {
      // What arrived of the commit must not stand in front of the next one.
      if (isDiskFull(error)) await file.truncate(segment.end);
      throw error;
    }
    const syncStartedAt = clock.monotonic();
    await this.#sync(file);
    meter.observe('log_sync_ms', {}, clock.monotonic() - syncStartedAt);
    meter.count('log_commits_total');
    meter.count('log_written_bytes_total', {}, bytes.length);
    meter.gauge('log_pending_bytes', {}, this.#pendingBytes);
    this.#apply(segment, bytes.length);
  }

  async #sync(file: OpenFile): Promise<void> {
    try {
      await file.sync();
    } catch (error) {
      // The system may have thrown the written pages away: a second sync of this file would prove nothing.
      throw new EnvironmentError('EIO', 'the disk did not confirm what was written', error);
    }
  }

  #apply(segment: Segment, bytes: number): void {
    this.#lastNumber += 1;
    segment.end += bytes;
    segment.commitCount += 1;
    this.#synced = { segment: segment.number, position: segment.end };
    for (const extent of this.#encoder.extents) applyExtent(segment, extent);
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#environment.log.info('log.writable');
  }

  /**
   * What the runs of the commit are told. Anything but a full disk ends the log; the commit may then stand there after
   * a restart or not, so that its runs must not hear that they are not stored.
   */
  #refuse(error: unknown): Error {
    if (isDiskFull(error)) {
      if (!this.#isFull) this.#environment.log.warn('log.full');
      this.#isFull = true;
      this.#environment.meter.count('log_refused_total', { reason: 'full' });
      return new Unavailable('the disk is full', { cause: error });
    }
    const unknown = new EnvironmentError('EIO', 'the log failed while it wrote this', error);
    if (this.#failure !== undefined) return unknown;
    this.#failure = error instanceof Error ? error : new Error(String(error));
    for (const run of this.#waiting.splice(0)) run.reject(new Unavailable('the log has failed', { cause: error }));
    this.#environment.log.error('log.failed', { error: this.#failure.message });
    this.#options.onFailure(this.#failure);
    return unknown;
  }
}

function isDiskFull(error: unknown): boolean {
  return error instanceof EnvironmentError && error.code === 'ENOSPC';
}

function answerAll(runs: readonly Run[]): void {
  const shards = new Set<ShardState>();
  for (const run of runs) {
    run.resolve(run);
    shards.add(run.state);
  }
  for (const state of shards) state.wake();
}
