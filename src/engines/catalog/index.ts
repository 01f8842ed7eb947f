import type { Catalog, CatalogEntry, CatalogOp, HeldLease, Verdict } from '../../ports/catalog.ts';
import type { CommandLog, LoggedCommand } from '../../ports/command-log.ts';
import type { Environment } from '../../ports/environment.ts';
import { Unavailable, type Offset } from '../../ports/stream-store.ts';
import { decodeCommand, type Marker } from './command.ts';
import { holdLease } from './held-lease.ts';
import { CatalogState } from './model.ts';
import { Proposer } from './proposer.ts';
import { decodeSnapshot, encodeSnapshot } from './snapshot.ts';
import { SnapshotWriter, type LoadedSnapshot } from './snapshot-writer.ts';
import { Turn } from './turn.ts';

const SNAPSHOT_EVERY = 5000;
/** Entries that each command may make a snapshot write: the more there are, the rarer are the markers. */
const ENTRIES_PER_COMMAND = 4;

/** How a catalog is opened. */
export interface CatalogOptions {
  /** Fewest commands between two snapshots; 5,000 when absent. */
  readonly snapshotEvery?: number;
  /**
   * The fold stopped for good: the log cannot be read on, holds what this release does not know, or was folded
   * differently by somebody else.
   */
  readonly onFailure?: (error: Error) => void;
}

/** A catalog that owns its reading of the log. */
export interface OpenCatalog extends Catalog {
  /** The state as it is folded now, in its one byte form, and the first command it does not cover. */
  snapshot(): Promise<{ readonly at: Offset; readonly bytes: Uint8Array }>;
  /** Finishes proposals, and ends the session with a marker, whose snapshot it stores. */
  close(): Promise<void>;
}

/** Loads the newest snapshot and folds the log up to its end. Rejects when the log cannot be understood. */
export async function openCatalog(
  log: CommandLog,
  environment: Environment,
  options: CatalogOptions = {},
): Promise<OpenCatalog> {
  const stored = await log.loadSnapshot();
  const { state, digest } =
    stored === undefined ? { state: new CatalogState() } : await decodeSnapshot(stored.bytes, environment.clock);
  const loaded = { at: state.next, ...(digest === undefined ? {} : { digest }) };
  const catalog = new FoldedCatalog(log, environment, options, state, loaded);
  await catalog.start();
  return catalog;
}

interface Waiter {
  readonly until: Offset;
  resolve(): void;
  reject(error: Error): void;
}

interface Watcher {
  readonly prefix: string;
  readonly changed: (key: string) => void;
}

class FoldedCatalog implements OpenCatalog {
  readonly #log: CommandLog;
  readonly #environment: Environment;
  readonly #options: CatalogOptions;
  readonly #state: CatalogState;
  readonly #proposer: Proposer;
  readonly #snapshots: SnapshotWriter;
  readonly #stop = new AbortController();
  readonly #watchers = new Set<Watcher>();
  readonly #waiters = new Set<Waiter>();
  #folding: Promise<void> | undefined;
  /** Commands folded that no snapshot covers, as far as this process knows. */
  #uncovered = 0;
  /** The log was read up to its end: from here on others' markers are believed to become snapshots. */
  #isLive = false;
  #isMarking = false;
  #failure: Error | undefined;

  constructor(
    log: CommandLog,
    environment: Environment,
    options: CatalogOptions,
    state: CatalogState,
    loaded: LoadedSnapshot,
  ) {
    this.#log = log;
    this.#environment = environment;
    this.#options = options;
    this.#state = state;
    this.#proposer = new Proposer(log, environment);
    this.#snapshots = new SnapshotWriter(log, environment, loaded, (error) => this.#fail(error));
  }

  async start(): Promise<void> {
    this.#folding = this.#fold();
    try {
      await this.sync();
    } catch (error) {
      this.#stop.abort();
      throw this.#failure ?? error;
    }
    this.#isLive = true;
    this.#markIfDue();
  }

  async propose(ops: readonly CatalogOp[]): Promise<Verdict> {
    this.#check();
    return await this.#proposer.propose(ops);
  }

  get(key: string): CatalogEntry | undefined {
    return this.#state.entries.get(key);
  }

  list(prefix: string): readonly CatalogEntry[] {
    return this.#state.entries.under(prefix);
  }

  async sync(): Promise<void> {
    const until = await this.#log.end();
    this.#check();
    if (this.#state.next >= until) return;
    await new Promise<void>((resolve, reject) => {
      this.#waiters.add({ until, resolve, reject });
    });
  }

  watch(prefix: string, changed: (key: string) => void): () => void {
    const watcher = { prefix, changed };
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  async hold(key: string, ttlMs: number): Promise<HeldLease | undefined> {
    return await holdLease(this, this.#environment, key, ttlMs);
  }

  async snapshot(): Promise<{ readonly at: Offset; readonly bytes: Uint8Array }> {
    const frozen = this.#state.freeze();
    const parts: Uint8Array[] = [];
    for await (const part of encodeSnapshot(frozen, this.#environment.clock)) parts.push(part);
    return { at: frozen.next, bytes: Buffer.concat(parts) };
  }

  async close(): Promise<void> {
    await this.#proposer.close(this.#uncovered > 0 ? this.#snapshots.marker : undefined);
    this.#stop.abort();
    await this.#folding;
    const closed = new Unavailable('the catalog was closed');
    this.#proposer.fail(closed);
    this.#rejectWaiters(closed);
    await this.#snapshots.idle();
  }

  async #fold(): Promise<void> {
    // One for all batches: a log that has the next one at hand ends no turn between them.
    const turn = new Turn(this.#environment.clock);
    try {
      for await (const batch of this.#log.tail(this.#state.next, this.#stop.signal)) {
        await this.#foldBatch(batch, turn);
        if (this.#failure !== undefined) return;
        this.#environment.meter.count('catalog_commands_total', {}, batch.length);
        this.#markIfDue();
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  async #foldBatch(batch: readonly LoggedCommand[], turn: Turn): Promise<void> {
    for (const command of batch) {
      if (turn.isOver) {
        this.#wakeWaiters();
        await turn.next();
      }
      if (this.#failure !== undefined) return;
      this.#apply(command);
      if (this.#snapshots.isFull) await this.#snapshots.room();
    }
    this.#wakeWaiters();
  }

  #apply(logged: LoggedCommand): void {
    const command = decodeCommand(logged.bytes);
    const outcome = this.#state.apply(logged.offset, logged.at, command);
    this.#uncovered += 1;
    if (outcome.kind === 'accepted') for (const key of outcome.changed) this.#tell(key);
    const isOwn = this.#proposer.settle(command.session, command.sequence, outcome, logged.offset);
    if (outcome.kind === 'accepted' && command.marker !== undefined) this.#mark(command.marker, isOwn);
  }

  #mark(marker: Marker, isOwn: boolean): void {
    this.#snapshots.take({ marker, frozen: this.#state.freeze(), isOwn });
    if (this.#isLive) this.#uncovered = 0;
  }

  /** Proposes a marker once enough commands are not covered; one at a time. */
  #markIfDue(): void {
    const every = this.#options.snapshotEvery ?? SNAPSHOT_EVERY;
    const isDue = this.#uncovered >= Math.max(every, this.#state.entries.size / ENTRIES_PER_COMMAND);
    if (!isDue || !this.#isLive || this.#isMarking || this.#snapshots.isBusy) return;
    this.#isMarking = true;
    this.#proposer
      .mark(this.#snapshots.marker)
      .catch((error: unknown) => {
        if (this.#stop.signal.aborted) return;
        // The log still holds every command; the next batch tries again.
        this.#environment.log.warn('catalog.snapshot.failed', { reason: String(error) });
      })
      .finally(() => (this.#isMarking = false));
  }

  #tell(key: string): void {
    for (const watcher of this.#watchers) {
      if (!key.startsWith(watcher.prefix)) continue;
      try {
        watcher.changed(key);
      } catch (error) {
        // One watcher's mistake must not keep the others, or the fold, from going on.
        this.#environment.log.error('catalog.watcher.failed', { key, reason: String(error) });
      }
    }
  }

  #wakeWaiters(): void {
    for (const waiter of this.#waiters) {
      if (waiter.until > this.#state.next) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }

  #rejectWaiters(error: Error): void {
    for (const waiter of this.#waiters) waiter.reject(error);
    this.#waiters.clear();
  }

  #check(): void {
    if (this.#failure !== undefined) throw new Unavailable(`the catalog stopped: ${this.#failure.message}`);
    if (this.#stop.signal.aborted) throw new Unavailable('the catalog was closed');
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#stop.abort();
    this.#environment.log.error('catalog.failed', { reason: error.message });
    this.#proposer.fail(error);
    this.#rejectWaiters(error);
    this.#options.onFailure?.(error);
  }
}
