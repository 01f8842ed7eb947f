import { packEntries } from '../../kernel/stream/packed-entries.ts';
import type { CommandLog, LoggedCommand } from '../../ports/command-log.ts';
import type { Offset, ShardWriter, Slice } from '../../ports/stream-store.ts';
import type { Cleaner } from './cleaner.ts';
import { CATALOG_SHARD } from './shard-table.ts';
import type { Snapshots } from './snapshots.ts';
import type { SegmentStore } from './store.ts';

const NO_KEY = new Uint8Array(0);
const TAIL_LIMIT = { records: 1000, bytes: 1024 * 1024 };

/** The catalog's commands: one shard of the same log, and snapshots beside it. */
export class SegmentCommandLog implements CommandLog {
  readonly #store: SegmentStore;
  readonly #writer: ShardWriter;
  readonly #snapshots: Snapshots;
  readonly #cleaner: Cleaner;

  private constructor(store: SegmentStore, writer: ShardWriter, snapshots: Snapshots, cleaner: Cleaner) {
    this.#store = store;
    this.#writer = writer;
    this.#snapshots = snapshots;
    this.#cleaner = cleaner;
  }

  static async open(store: SegmentStore, snapshots: Snapshots, cleaner: Cleaner): Promise<SegmentCommandLog> {
    await store.createShards([CATALOG_SHARD], { retentionMs: Infinity });
    const writer = await store.open(CATALOG_SHARD, 0n);
    return new SegmentCommandLog(store, writer, snapshots, cleaner);
  }

  async append(commands: readonly Uint8Array[]): Promise<void> {
    if (commands.length === 0) return;
    await this.#writer.append(packEntries(commands.map((data) => ({ key: NO_KEY, data }))));
  }

  async *tail(from: Offset, signal: AbortSignal): AsyncGenerator<readonly LoggedCommand[]> {
    let next = from;
    while (!signal.aborted) {
      const slice: Slice = await this.#store.read(CATALOG_SHARD, next, TAIL_LIMIT);
      next = slice.next;
      if (slice.records.length > 0) yield slice.records.map(({ offset, at, data }) => ({ offset, at, bytes: data }));
      else await this.#store.waitForMore(CATALOG_SHARD, next, signal);
    }
  }

  async end(): Promise<Offset> {
    return this.#store.bounds(CATALOG_SHARD).end;
  }

  saveSnapshot(at: Offset, parts: AsyncIterable<Uint8Array>): Promise<void> {
    return this.#snapshots.save(at, parts);
  }

  loadSnapshot(): Promise<{ readonly at: Offset; readonly bytes: Uint8Array } | undefined> {
    return this.#snapshots.load();
  }

  /** Keeps what the older of the two snapshots needs, so that a damaged newer one costs nothing. */
  async trim(before: Offset): Promise<void> {
    const offsets = await this.#snapshots.offsets();
    const older = offsets.length < 2 ? undefined : offsets.at(-2);
    if (older === undefined) return;
    await this.#store.trim(CATALOG_SHARD, older < before ? older : before);
    this.#cleaner.ask();
  }
}
