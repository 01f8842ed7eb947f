import { EnvironmentError } from '../../kernel/errors.ts';
import { backoffMs } from '../../kernel/flow/backoff.ts';
import { OneAtATime } from '../../kernel/flow/one-at-a-time.ts';
import type { Environment } from '../../ports/environment.ts';
import type { SegmentSet } from './segment-set.ts';

/** Parts of `bytesMax` at which people are warned, and at which appends are refused. */
const WARN_AT = 0.85;
const REFUSE_AT = 0.95;
const WRITE_BYTES = 1024 * 1024;
/** Between attempts to make the reserve: each one fills what is left of the disk, which others may need too. */
const RETRY = { baseMs: 4000, maxMs: 30_000, spread: 0 };

/** How much of the disk the log may take. */
export interface SpaceOptions {
  /** For all files of the log together, the reserve included; undefined: as much as there is. */
  readonly bytesMax: number | undefined;
  /** Bytes kept back, so that deletions and positions can still be written on a full disk; 0: none. */
  readonly reserveBytes: number;
}

/** What is asked about the log's files. */
type Files = Pick<SegmentSet, 'options' | 'totalBytes'>;

/** Watches what the log takes of the disk, and keeps a reserve for what must be written on a full one. */
export class Space {
  readonly #environment: Environment;
  readonly #segments: Files;
  readonly #options: SpaceOptions;
  readonly #path: string;
  /** The reserve is made or freed, never both at once. */
  readonly #works = new OneAtATime();
  #reserveBytes = 0;
  #isFull = false;
  #isWarned = false;
  #isMaking = false;
  /** Attempts since the reserve stood last, and how things stood at the last one. */
  #failed = { attempts: 0, at: 0, logBytes: 0 };

  constructor(environment: Environment, segments: Files, options: SpaceOptions) {
    this.#environment = environment;
    this.#segments = segments;
    this.#options = options;
    this.#path = `${segments.options.directory}/reserve`;
  }

  /** All files of the log, in bytes. */
  get usedBytes(): number {
    return this.#segments.totalBytes + this.#reserveBytes;
  }

  /** Why ordinary appends are refused now, if they are. */
  refusal(): string | undefined {
    if (this.#isFull && this.#options.reserveBytes > 0) return 'the disk is full';
    return this.#part() >= REFUSE_AT ? 'the log takes almost all of engine.segmentLog.diskBytesMax' : undefined;
  }

  /** Whether the cleaner must hurry: the disk is full, or soon will be. */
  get isShort(): boolean {
    return this.#isFull || this.#part() >= WARN_AT;
  }

  /** For people: what keeps appends away. That there is little room is a warning of the log, and no failure. */
  problems(): string[] {
    if (this.#isFull) return ['the disk is full: appends are refused'];
    if (this.#part() < REFUSE_AT) return [];
    const use = `the log takes ${this.usedBytes} of ${this.#options.bytesMax} bytes`;
    return [`${use} (engine.segmentLog.diskBytesMax): appends are refused`];
  }

  /** The disk took no more: frees the reserve. False when there was none left. */
  async makeRoom(): Promise<boolean> {
    // An attempt to make the reserve again takes room, and then gives it back one way or the other.
    const wasMaking = this.#isMaking;
    return await this.#works.run(async () => {
      this.#full();
      this.#reserveBytes = 0;
      return (await this.#removeReserve()) || wasMaking;
    });
  }

  /** A commit went to the disk: without a reserve that is how one learns that it takes something again. */
  wrote(): void {
    if (this.#isFull && this.#options.reserveBytes === 0) this.#writable();
  }

  /** Tells how things stand, and makes the reserve again where it is missing: once it stands, the disk is not full. */
  async look(): Promise<void> {
    const { meter, log } = this.#environment;
    meter.gauge('log_disk_bytes', {}, this.usedBytes);
    const isWarning = this.#part() >= WARN_AT;
    if (isWarning && !this.#isWarned) log.warn('log.space.low', { bytes: this.usedBytes });
    this.#isWarned = isWarning;
    if (this.#reserveBytes >= this.#options.reserveBytes || !this.#mayRetry()) return;
    await this.#works.run(async () => await this.#makeReserve());
  }

  /** At once where the log itself has become smaller. */
  #mayRetry(): boolean {
    const { attempts, at, logBytes } = this.#failed;
    if (attempts === 0 || this.#segments.totalBytes < logBytes) return true;
    return this.#environment.clock.monotonic() - at >= backoffMs(attempts, RETRY, 0);
  }

  #noteFailed(): void {
    const at = this.#environment.clock.monotonic();
    this.#failed = { attempts: this.#failed.attempts + 1, at, logBytes: this.#segments.totalBytes };
  }

  #part(): number {
    const { bytesMax } = this.#options;
    return bytesMax === undefined ? 0 : this.usedBytes / bytesMax;
  }

  #full(): void {
    if (!this.#isFull) this.#environment.log.warn('log.full');
    this.#isFull = true;
  }

  #writable(): void {
    this.#isFull = false;
    this.#environment.log.info('log.writable');
  }

  async #makeReserve(): Promise<void> {
    const { files, log } = this.#environment;
    const { reserveBytes } = this.#options;
    this.#isMaking = true;
    try {
      if ((await files.size(this.#path)) !== reserveBytes) await this.#writeReserve(reserveBytes);
      this.#reserveBytes = reserveBytes;
      this.#failed = { attempts: 0, at: 0, logBytes: 0 };
      if (this.#isFull) this.#writable();
    } catch (error) {
      if (!(error instanceof EnvironmentError)) throw error;
      // A start may find what the process before gave up still missing: appends must not take that room.
      if (error.code === 'ENOSPC') this.#full();
      else log.warn('log.reserve.failed', { error: error.message });
      this.#noteFailed();
      await this.#removeReserve();
    } finally {
      this.#isMaking = false;
    }
  }

  /** Whether there was one, be it of an earlier life. */
  async #removeReserve(): Promise<boolean> {
    const { files, log } = this.#environment;
    try {
      if ((await files.size(this.#path)) === undefined) return false;
      await files.remove(this.#path);
      return true;
    } catch (error) {
      if (!(error instanceof EnvironmentError)) throw error;
      log.warn('log.reserve.failed', { error: error.message });
      return false;
    }
  }

  async #writeReserve(bytes: number): Promise<void> {
    const { files } = this.#environment;
    await files.remove(this.#path);
    const file = await files.open(this.#path, 'create');
    try {
      const zeros = Buffer.alloc(Math.min(bytes, WRITE_BYTES));
      for (let at = 0; at < bytes; at += zeros.length) await file.write(zeros.subarray(0, bytes - at), at);
      await file.sync();
    } finally {
      await file.close();
    }
  }
}
