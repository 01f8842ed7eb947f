import { EnvironmentError } from '../../kernel/errors.ts';
import type { CommandLog } from '../../ports/command-log.ts';
import type { Environment } from '../../ports/environment.ts';
import type { Offset } from '../../ports/stream-store.ts';
import type { Digest, Marker } from './command.ts';
import type { FrozenState } from './model.ts';
import { encodeSnapshot, SNAPSHOT_FORMAT } from './snapshot.ts';

/** Markers that may wait for their snapshot; then folding waits. */
const WAITING_MAX = 4;
/** Hashes kept to compare with what later markers say. */
const DIGESTS_MAX = 8;

/** One marker as it was folded. */
export interface FoldedMarker {
  readonly marker: Marker;
  /** The state right behind it. */
  readonly frozen: FrozenState;
  /** Written by this process, which then also stores the snapshot. */
  readonly isOwn: boolean;
}

/** The snapshot that a catalog began with. */
export interface LoadedSnapshot {
  readonly at: Offset;
  readonly digest?: Digest;
}

/**
 * Works out the snapshot at each marker, beside the fold, one after the other and in short turns: the writer of a
 * marker stores it, and everybody compares its hash with the one the next marker carries.
 */
export class SnapshotWriter {
  readonly #log: CommandLog;
  readonly #environment: Environment;
  readonly #diverged: (error: Error) => void;
  readonly #digests: Digest[] = [];
  /** Where the newest snapshot stands that this process knows to be stored. */
  #storedAt: Offset;
  #waiting = 0;
  #hasFailed = false;
  #work: Promise<void> = Promise.resolve();
  readonly #resumed = new Set<() => void>();

  constructor(
    log: CommandLog,
    environment: Environment,
    loaded: LoadedSnapshot | undefined,
    diverged: (error: Error) => void,
  ) {
    this.#log = log;
    this.#environment = environment;
    this.#diverged = diverged;
    this.#storedAt = loaded?.at ?? 0n;
    if (loaded?.digest !== undefined) this.#digests.push(loaded.digest);
  }

  /** What the next marker says about the one before. */
  get marker(): Marker {
    const previous = this.#digests.at(-1);
    return previous === undefined ? {} : { previous };
  }

  get isBusy(): boolean {
    return this.#waiting > 0;
  }

  /** Whether folding must wait for `room` before it may meet another marker. */
  get isFull(): boolean {
    return this.#waiting >= WAITING_MAX;
  }

  /** Takes a marker that was just folded. */
  take(folded: FoldedMarker): void {
    this.#waiting += 1;
    this.#work = this.#work.then(async () => {
      try {
        // Who folded something else than the others stores nothing.
        if (!this.#hasFailed) await this.#handle(folded);
      } finally {
        this.#waiting -= 1;
        for (const resume of this.#resumed) resume();
        this.#resumed.clear();
      }
    });
  }

  /** Resolves once so few markers wait that another one may be folded. */
  async room(): Promise<void> {
    while (this.isFull) await new Promise<void>((resolve) => this.#resumed.add(resolve));
  }

  /** Resolves once all markers taken are worked out. */
  async idle(): Promise<void> {
    await this.#work;
  }

  async #handle({ marker, frozen, isOwn }: FoldedMarker): Promise<void> {
    const { clock, meter } = this.#environment;
    const startedAt = clock.monotonic();
    try {
      if (marker.previous !== undefined) this.#compare(marker.previous);
      const hash = (isOwn ? await this.#store(frozen) : undefined) ?? (await this.#digest(frozen));
      this.#digests.push({ at: frozen.next, format: SNAPSHOT_FORMAT, hash });
      if (this.#digests.length > DIGESTS_MAX) this.#digests.shift();
      meter.observe('catalog_snapshot_ms', {}, clock.monotonic() - startedAt);
    } catch (error) {
      this.#hasFailed = true;
      this.#diverged(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** A place this process did not begin before, or a hash of another format, tells nothing. */
  #compare({ at, format, hash }: Digest): void {
    const own = this.#digests.find((digest) => digest.at === at && digest.format === format);
    if (own === undefined || own.hash === hash) return;
    throw new EnvironmentError(
      'EOTHER',
      `the catalog up to command ${at} is not what the writer of a marker found there (${own.hash}, not ${hash}): ` +
        'one of the two read or folded the log wrongly, so nothing more is decided here',
    );
  }

  /** Stores the snapshot while it is worked out; undefined when it could not be stored. */
  async #store(frozen: FrozenState): Promise<string | undefined> {
    let hash: string | undefined;
    const { clock, log } = this.#environment;
    async function* parts(): AsyncGenerator<Uint8Array> {
      hash = yield* encodeSnapshot(frozen, clock);
    }
    try {
      await this.#log.saveSnapshot(frozen.next, parts());
      // The snapshot before stays usable: only what lies below it goes.
      const before = this.#storedAt;
      this.#storedAt = frozen.next;
      await this.#log.trim(before);
    } catch (error) {
      // The log still holds every command; the next marker tries again.
      log.warn('catalog.snapshot.failed', { reason: String(error) });
    }
    return hash;
  }

  async #digest(frozen: FrozenState): Promise<string> {
    const parts = encodeSnapshot(frozen, this.#environment.clock);
    for (;;) {
      const { done, value } = await parts.next();
      if (done === true) return value;
    }
  }
}
