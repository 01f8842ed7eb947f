import type { Environment } from '../../ports/environment.ts';
import type { LoggedCommand } from '../../ports/command-log.ts';
import { packEntries } from '../../kernel/stream/packed-entries.ts';
import {
  type Offset,
  orPastDamage,
  type ShardWriter,
  type StoredRecord,
  Trimmed,
  Unavailable,
} from '../../ports/stream-store.ts';
import { readU64, writeU64 } from './format.ts';
import { CATALOG_SHARD, COPY_SHARD } from './shard-table.ts';
import type { SegmentStore } from './store.ts';

const LIMIT = { records: 1000, bytes: 1024 * 1024 };
/** Pause after an append that a full disk refused. */
const AGAIN_MS = 1000;
const KEY_BYTES = 16;

/**
 * The catalog's commands once more, in a shard of their own: a damaged place takes one of the two, and what the whole
 * node hangs on can still be read. Written behind the commands, by nobody waited for; what is missing at a start is
 * copied then.
 */
export class CommandCopy {
  readonly #store: SegmentStore;
  readonly #environment: Environment;
  readonly #writer: ShardWriter;
  readonly #stop = new AbortController();
  /** Where each piece of the copy begins: the number of its first command, and its own offset in the copy. */
  readonly #places: { readonly command: Offset; readonly offset: Offset }[] = [];
  /** Commands below stand in the copy. */
  #copied: Offset = 0n;
  #running: Promise<void> | undefined;

  private constructor(store: SegmentStore, environment: Environment, writer: ShardWriter) {
    this.#store = store;
    this.#environment = environment;
    this.#writer = writer;
  }

  static async open(store: SegmentStore, environment: Environment): Promise<CommandCopy> {
    await store.createShards([COPY_SHARD], { retentionMs: Infinity });
    return new CommandCopy(store, environment, await store.open(COPY_SHARD, 0n));
  }

  start(): void {
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Copies of the commands from `from` to `to`, as far as there are any. */
  async between(from: Offset, to: Offset): Promise<readonly LoggedCommand[]> {
    const found: LoggedCommand[] = [];
    const begin = this.#places.findLast(({ command }) => command <= from)?.offset;
    await this.#scan(begin, (commands) => {
      found.push(...commands.filter(({ offset }) => offset >= from && offset < to));
      return (commands.at(-1)?.offset ?? from) < to;
    });
    return found;
  }

  /** Commands below `before` are needed no more. */
  async trim(before: Offset): Promise<void> {
    const keep = this.#places.findLastIndex(({ command }) => command <= before);
    const oldest = this.#places[keep];
    if (oldest === undefined) return;
    this.#places.splice(0, keep);
    await this.#store.trim(COPY_SHARD, oldest.offset);
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#environment;
    let isKnown = false;
    while (!this.#stop.signal.aborted) {
      try {
        if (!isKnown) await this.#look();
        isKnown = true;
        await this.#copy();
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        if (error instanceof Trimmed) this.#copied = error.start;
        else {
          log.warn('catalog.copy.waits', { reason: String(error) });
          if (!(error instanceof Unavailable)) return;
          await clock.sleep(AGAIN_MS, this.#stop.signal);
        }
      }
    }
  }

  /** Finds out what is there. */
  async #look(): Promise<void> {
    this.#places.length = 0;
    await this.#scan(undefined, (commands, offset) => {
      const [first] = commands;
      if (first !== undefined) this.#places.push({ command: first.offset, offset });
      this.#copied = (commands.at(-1)?.offset ?? this.#copied - 1n) + 1n;
      return true;
    });
  }

  async #copy(): Promise<void> {
    const { records, next } = await orPastDamage(this.#store.read(CATALOG_SHARD, this.#copied, LIMIT));
    const [first] = records;
    if (first !== undefined) {
      const { first: offset } = await this.#writer.append(packEntries(records.map(entryOf)));
      this.#places.push({ command: first.offset, offset });
    } else if (next === this.#copied) {
      await this.#store.waitForMore(CATALOG_SHARD, next, this.#stop.signal);
    }
    this.#copied = next;
  }

  /** Goes over the copy from an offset, or its start, past damaged places, until `take` wants no more. */
  async #scan(
    from: Offset | undefined,
    take: (commands: readonly LoggedCommand[], offset: Offset) => boolean,
  ): Promise<void> {
    const { start, end } = this.#store.bounds(COPY_SHARD);
    for (let at = from ?? start; at < end;) {
      const { records, next } = await orPastDamage(this.#store.read(COPY_SHARD, at, LIMIT));
      if (!take(records.map(commandOf), records[0]?.offset ?? at) || next <= at) return;
      at = next;
    }
  }
}

/** The key says which command it is: its number and its time. */
function entryOf({ offset, at, data }: StoredRecord): { readonly key: Uint8Array; readonly data: Uint8Array } {
  const key = Buffer.alloc(KEY_BYTES);
  writeU64(key, Number(offset), 0);
  writeU64(key, at, 8);
  return { key, data };
}

function commandOf({ key, data }: StoredRecord): LoggedCommand {
  const bytes = Buffer.from(key);
  return { offset: BigInt(readU64(bytes, 0)), at: readU64(bytes, 8), bytes: data };
}
