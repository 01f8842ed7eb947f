import { packEntries } from '../../kernel/stream/packed-entries.ts';
import type { CommandLog, LoggedCommand } from '../../ports/command-log.ts';
import type { Environment } from '../../ports/environment.ts';
import { Damaged, type Offset, type ShardWriter } from '../../ports/stream-store.ts';
import type { Cleaner } from './cleaner.ts';
import { CommandCopy } from './command-copy.ts';
import type { Committer } from './committer.ts';
import { CATALOG_SHARD } from './shard-table.ts';
import type { Snapshot, Snapshots } from './snapshots.ts';
import type { SegmentStore } from './store.ts';

const NO_KEY = new Uint8Array(0);
const TAIL_LIMIT = { records: 1000, bytes: 1024 * 1024 };

/** What a command log works on. */
export interface CommandLogParts {
  readonly store: SegmentStore;
  readonly environment: Environment;
  readonly committer: Committer;
  readonly snapshots: Snapshots;
  readonly cleaner: Cleaner;
}

/** The catalog's commands: one shard of the same log, a copy of it, and snapshots beside it. */
export class SegmentCommandLog implements CommandLog {
  readonly #store: SegmentStore;
  readonly #committer: Committer;
  readonly #writer: ShardWriter;
  readonly #copy: CommandCopy;
  readonly #snapshots: Snapshots;
  readonly #cleaner: Cleaner;
  /** The newest snapshot as the start found it, until somebody takes it. */
  #found: Snapshot | undefined;

  private constructor(
    { store, committer, snapshots, cleaner }: CommandLogParts,
    writer: ShardWriter,
    copy: CommandCopy,
    found: Snapshot | undefined,
  ) {
    this.#store = store;
    this.#committer = committer;
    this.#writer = writer;
    this.#copy = copy;
    this.#snapshots = snapshots;
    this.#cleaner = cleaner;
    this.#found = found;
  }

  static async open(parts: CommandLogParts, found: Snapshot | undefined): Promise<SegmentCommandLog> {
    const { store, environment } = parts;
    await store.createShards([CATALOG_SHARD], { retentionMs: Infinity });
    const writer = await store.open(CATALOG_SHARD, 0n);
    const copy = await CommandCopy.open(store, environment);
    copy.start();
    return new SegmentCommandLog(parts, writer, copy, found);
  }

  async append(commands: readonly Uint8Array[]): Promise<void> {
    if (commands.length === 0) return;
    await this.#writer.append(packEntries(commands.map((data) => ({ key: NO_KEY, data }))));
  }

  async *tail(from: Offset, signal: AbortSignal): AsyncGenerator<readonly LoggedCommand[]> {
    let next = from;
    while (!signal.aborted) {
      const found = await this.#read(next);
      if (found.commands.length > 0) yield found.commands;
      else if (found.next === next) await this.#store.waitForMore(CATALOG_SHARD, next, signal);
      next = found.next;
    }
  }

  async end(): Promise<Offset> {
    const { end } = this.#store.bounds(CATALOG_SHARD);
    const last = this.#store.endOfRecords(CATALOG_SHARD);
    // Nobody waits for commands that damage took with their copies, and whose numbers are not given again.
    if (last === end) return end;
    const copied = await this.#copy.between(last, end);
    return (copied.at(-1)?.offset ?? last - 1n) + 1n;
  }

  async close(): Promise<void> {
    await this.#copy.close();
  }

  /** Commands from `from` on; where they are damaged, their copies. */
  async #read(from: Offset): Promise<{ readonly commands: readonly LoggedCommand[]; readonly next: Offset }> {
    try {
      const { records, next } = await this.#store.read(CATALOG_SHARD, from, TAIL_LIMIT);
      const commands = records.map(({ offset, at, data }) => ({ offset, at, bytes: data }));
      // Numbers that were given up after damage: some of them may have had a command.
      const first = commands[0]?.offset ?? next;
      const copied = first > from ? await this.#copy.between(from, first) : [];
      return { commands: [...copied, ...commands], next };
    } catch (error) {
      if (!(error instanceof Damaged)) throw error;
      const commands = await this.#copy.between(from, error.next);
      // A command that is left out would make another catalog of what follows.
      if (commands.length < this.#store.numbersBetween(CATALOG_SHARD, from, error.next)) throw error;
      return { commands, next: error.next };
    }
  }

  /** The snapshot gets its name only when all it covers survives a power cut. */
  saveSnapshot(at: Offset, parts: AsyncIterable<Uint8Array>): Promise<void> {
    return this.#snapshots.save(at, parts, async () => await this.#committer.confirm());
  }

  async loadSnapshot(): Promise<Snapshot | undefined> {
    const found = this.#found;
    this.#found = undefined;
    return found ?? (await this.#snapshots.load());
  }

  /** Keeps what the older of the two snapshots needs, so that a damaged newer one costs nothing. */
  async trim(before: Offset): Promise<void> {
    const offsets = await this.#snapshots.offsets();
    const older = offsets.length < 2 ? undefined : offsets.at(-2);
    if (older === undefined) return;
    const needed = older < before ? older : before;
    await this.#store.trim(CATALOG_SHARD, needed);
    await this.#copy.trim(needed);
    this.#cleaner.ask();
  }
}
