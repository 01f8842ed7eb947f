import type { Environment } from '../../ports/environment.ts';
import { EnvironmentError } from '../../kernel/errors.ts';
import { type Offset, shardKey, Slice, Trimmed, UnknownShard } from '../../ports/stream-store.ts';
import { collectEntries, type Collection } from './collect-entries.ts';
import { type LogPosition, damage } from './format.ts';
import type { SegmentSet } from './segment-set.ts';
import type { ShardState } from './shard-table.ts';
import { walk } from './walk.ts';

const CHUNK_BYTES_MIN = 64 * 1024;
const CHUNK_BYTES_MAX = 1024 * 1024;
const DAMAGED_PLACES_MAX = 10;

/** Reads shards from the segments' files, through the system's page cache only. */
export class LogReader {
  readonly #environment: Environment;
  readonly #segments: SegmentSet;
  readonly #damaged = new Set<string>();

  constructor(environment: Environment, segments: SegmentSet) {
    this.#environment = environment;
    this.#segments = segments;
  }

  /** Places found damaged, for people. */
  problems(): string[] {
    return [...this.#damaged];
  }

  /** Durable records from `from` on; see StreamStore.read. */
  async read(state: ShardState, from: Offset, limit: { records: number; bytes: number }): Promise<Slice> {
    if (from < state.start) throw new Trimmed(BigInt(state.start));
    const collection: Collection = {
      runs: [],
      count: 0,
      next: Number(from),
      end: state.end,
      recordsMax: limit.records,
      bytesMax: limit.bytes,
      bytes: 0,
      full: false,
    };
    if (collection.next < collection.end && limit.records > 0) await this.#collect(state, collection);
    return new Slice(collection.runs, {
      next: BigInt(collection.next),
      end: BigInt(state.end),
      start: BigInt(state.start),
      ...(state.closed ? { closedAt: BigInt(state.end) } : {}),
    });
  }

  async #collect(state: ShardState, collection: Collection): Promise<void> {
    const entry = state.index.below(collection.next);
    const chunkBytes = Math.min(Math.max(collection.bytesMax, CHUNK_BYTES_MIN), CHUNK_BYTES_MAX);
    await this.#walk(state, entry, chunkBytes, {
      look(extent) {
        if (collection.full || extent.first >= collection.end || extent.first > collection.next) return 'stop';
        return extent.first + extent.count <= collection.next ? 'skip' : 'take';
      },
      take: (run) => collectEntries(run, collection),
    });
    if (collection.count > 0) return;
    if (state.dropped) throw new UnknownShard(`shard ${shardKey(state.ref)} was dropped`);
    if (collection.next < state.start) throw new Trimmed(BigInt(state.start));
    throw this.#note(this.#missing(entry, `record ${collection.next} of shard ${shardKey(state.ref)} is not there`));
  }

  /** Offset of the first record with `at >= timeMs`, else the end. */
  async positionAt(state: ShardState, timeMs: number): Promise<Offset> {
    if (timeMs > state.lastAt || state.start === state.end) return BigInt(state.end);
    let found: number | undefined;
    await this.#walk(state, state.index.before(timeMs), CHUNK_BYTES_MIN, {
      look(extent) {
        if (extent.at < timeMs) return 'skip';
        found = extent.first;
        return 'stop';
      },
      take: () => true,
    });
    return BigInt(Math.max(state.start, Math.min(found ?? state.end, state.end)));
  }

  async #walk(
    state: ShardState,
    from: LogPosition | undefined,
    chunkBytes: number,
    visitor: Parameters<typeof walk>[4],
  ) {
    if (from === undefined) return;
    try {
      await walk(this.#segments, state, from, chunkBytes, visitor);
    } catch (error) {
      throw this.#note(error);
    }
  }

  #missing(entry: LogPosition | undefined, what: string): Error {
    const segment = entry === undefined ? undefined : this.#segments.get(entry.segment);
    return damage(segment?.path ?? 'index', entry?.position ?? 0, what);
  }

  #note(error: unknown): unknown {
    if (!(error instanceof EnvironmentError) || this.#damaged.size >= DAMAGED_PLACES_MAX) return error;
    if (!this.#damaged.has(error.message)) this.#environment.log.error('log.damaged', { error: error.message });
    this.#damaged.add(error.message);
    return error;
  }
}
