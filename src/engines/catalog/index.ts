import type { Catalog, CatalogEntry, CatalogOp, Verdict } from '../../ports/catalog.ts';
import type { CommandLog, LoggedCommand } from '../../ports/command-log.ts';
import type { Environment } from '../../ports/environment.ts';
import { Unavailable, type Offset } from '../../ports/stream-store.ts';
import { decodeCommand } from './command.ts';
import { CatalogState } from './model.ts';
import { Proposer } from './proposer.ts';
import { decodeSnapshot, encodeSnapshot } from './snapshot.ts';

const SNAPSHOT_EVERY = 5000;

/** How a catalog is opened. */
export interface CatalogOptions {
  /** Commands between two snapshots; 5,000 when absent. */
  readonly snapshotEvery?: number;
  /** The fold stopped for good: the log cannot be read on, or holds what this release does not know. */
  readonly onFailure?: (error: Error) => void;
}

/** A catalog that owns its reading of the log. */
export interface OpenCatalog extends Catalog {
  /** The folded state in its one byte form, and the first command it does not cover. */
  snapshot(): Promise<{ readonly at: Offset; readonly bytes: Uint8Array }>;
  /** Finishes proposals, ends the session and saves a snapshot. */
  close(): Promise<void>;
}

/** Loads the newest snapshot and folds the log up to its end. Rejects when the log cannot be understood. */
export async function openCatalog(
  log: CommandLog,
  environment: Environment,
  options: CatalogOptions = {},
): Promise<OpenCatalog> {
  const stored = await log.loadSnapshot();
  const state = stored === undefined ? new CatalogState() : decodeSnapshot(stored.bytes);
  const catalog = new FoldedCatalog(log, environment, options, state);
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
  readonly #stop = new AbortController();
  readonly #watchers = new Set<Watcher>();
  readonly #waiters = new Set<Waiter>();
  /** Held by whoever needs the state to stand still. */
  #still: Promise<unknown> = Promise.resolve();
  #folding: Promise<void> | undefined;
  #saving: Promise<void> = Promise.resolve();
  #savedAt: Offset;
  #unsaved = 0;
  #failure: Error | undefined;

  constructor(log: CommandLog, environment: Environment, options: CatalogOptions, state: CatalogState) {
    this.#log = log;
    this.#environment = environment;
    this.#options = options;
    this.#state = state;
    this.#savedAt = state.next;
    this.#proposer = new Proposer(log, environment);
  }

  async start(): Promise<void> {
    this.#folding = this.#fold();
    try {
      await this.sync();
    } catch (error) {
      throw this.#failure ?? error;
    }
  }

  async propose(ops: readonly CatalogOp[]): Promise<Verdict> {
    this.#check();
    return await this.#proposer.propose(ops);
  }

  get(key: string): CatalogEntry | undefined {
    return this.#state.entries.get(key);
  }

  list(prefix: string): readonly CatalogEntry[] {
    return this.#state.keys.under(prefix).flatMap((key) => this.#state.entries.get(key) ?? []);
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

  async snapshot(): Promise<{ readonly at: Offset; readonly bytes: Uint8Array }> {
    const taken = this.#still.then(async () => {
      const bytes = await encodeSnapshot(this.#state, () => this.#pause());
      return { at: this.#state.next, bytes };
    });
    this.#still = taken.catch(() => undefined);
    return await taken;
  }

  async close(): Promise<void> {
    await this.#proposer.close();
    this.#stop.abort();
    await this.#folding;
    const closed = new Unavailable('the catalog was closed');
    this.#proposer.fail(closed);
    this.#rejectWaiters(closed);
    await this.#saving;
    if (this.#failure === undefined && this.#unsaved > 0) await this.#save();
  }

  async #fold(): Promise<void> {
    try {
      for await (const batch of this.#log.tail(this.#state.next, this.#stop.signal)) {
        await this.#still;
        for (const command of batch) this.#apply(command);
        this.#environment.meter.count('catalog_commands_total', {}, batch.length);
        this.#wakeWaiters();
        if (this.#unsaved >= (this.#options.snapshotEvery ?? SNAPSHOT_EVERY)) await this.#saveSoon();
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #apply(logged: LoggedCommand): void {
    const command = decodeCommand(logged.bytes);
    const outcome = this.#state.apply(logged.offset, logged.at, command);
    this.#unsaved += 1;
    if (outcome.kind === 'accepted') for (const key of outcome.changed) this.#tell(key);
    this.#proposer.settle(command.session, command.sequence, outcome, logged.offset);
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
    this.#failure = error;
    this.#environment.log.error('catalog.failed', { reason: error.message });
    this.#proposer.fail(error);
    this.#rejectWaiters(error);
    this.#options.onFailure?.(error);
  }

  /** Takes the snapshot while nothing is folded; the disk's part runs beside the fold. */
  async #saveSoon(): Promise<void> {
    await this.#saving;
    this.#unsaved = 0;
    const taken = await this.snapshot();
    this.#saving = this.#store(taken);
  }

  async #save(): Promise<void> {
    this.#unsaved = 0;
    await this.#store(await this.snapshot());
  }

  async #store({ at, bytes }: { readonly at: Offset; readonly bytes: Uint8Array }): Promise<void> {
    try {
      await this.#log.saveSnapshot(at, bytes);
      // The previous snapshot stays usable: only what lies below it goes.
      await this.#log.trim(this.#savedAt);
      this.#savedAt = at;
    } catch (error) {
      // The log still holds every command; the next snapshot tries again.
      this.#environment.log.warn('catalog.snapshot.failed', { reason: String(error) });
    }
  }

  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => this.#environment.clock.soon(resolve));
  }
}
