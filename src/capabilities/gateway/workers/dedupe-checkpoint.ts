import { OneAtATime } from '../../../kernel/flow/one-at-a-time.ts';
import { ensureInternalStream } from '../../../ports/internal-stream.ts';
import type { Records, ShardInfo, StreamInfo } from '../../../ports/records.ts';
import { Unavailable, UnknownShard, type Offset } from '../../../ports/stream-store.ts';
import { encodeChunk, type CheckpointId, type CoveredShard, type CoveredStream } from '../checkpoint-format.ts';
import type { GatewayEvents } from '../events.ts';
import { IdWindow } from '../id-window.ts';
import { limits } from '../limits.ts';
import type { Lane } from '../model.ts';
import type { Receiver } from '../operations/receive-webhook.ts';
import { readChunks, readTail, type FoundId } from '../rebuild.ts';
import type { StreamRoute } from '../route.ts';

/** The internal stream that holds the windows. */
export const DEDUPE_STREAM = '$dedupe';
const DEDUPE_SPEC = {
  name: DEDUPE_STREAM,
  shardCount: 1,
  retentionMs: limits.checkpointRetentionMs,
  maxRecordBytes: limits.checkpointRecordBytes,
} as const;

const HOUR_MS = 3_600_000;
const PARTITION_KEY = 'ids';

/**
 * Keeps the windows of delivery ids over restarts. Every few seconds the ids added since are appended to `$dedupe`,
 * with the positions up to which streams are covered; a restart folds those chunks and reads each stream behind its
 * position.
 * A route is ready once its window is rebuilt and its stream stands among the covered ones, durably: from then on no
 * webhook's record can be where a restart does not look.
 */
export class DedupeCheckpoint {
  readonly #receiver: Receiver;
  readonly #events: GatewayEvents;
  readonly #rebuilt = new Set<string>();
  readonly #coveredStreams = new Set<string>();
  /** Number of the first id of each window that is not checkpointed. */
  readonly #flushedTo = new Map<string, number>();
  readonly #stop = new AbortController();
  /** Preparing and flushing share the windows' marks. */
  readonly #works = new OneAtATime();
  #written: readonly CoveredStream[] = [];
  #writtenAt = -Infinity;
  #trimmedAt = -Infinity;
  #hasFolded = false;
  #routes: readonly StreamRoute[] = [];
  #running: Promise<void> | undefined;
  #pause = new AbortController();
  #idsSincePause = 0;

  constructor(receiver: Receiver, events: GatewayEvents) {
    this.#receiver = receiver;
    this.#events = events;
  }

  /** Whether repeats of the route's ids can be told from new ones. */
  isReady(route: StreamRoute): boolean {
    return route.dedupe === undefined || (this.#rebuilt.has(route.key) && this.#coveredStreams.has(route.stream));
  }

  /** Gets the routes ready. When the log refuses writes they stay unready, and the worker tries again. */
  async prepare(routes: readonly StreamRoute[]): Promise<void> {
    this.#routes = routes.filter(({ dedupe }) => dedupe !== undefined);
    await this.#works.run(async () => await this.#tryPrepare());
  }

  /** Starts the loop. */
  start(): void {
    this.#running = this.#run();
  }

  /** An id was stored; many of them start a checkpoint early. */
  noteStored(): void {
    this.#idsSincePause += 1;
    if (this.#idsSincePause >= limits.checkpointIds) this.#pause.abort();
  }

  /** Writes what is not yet written. Rejects with Unavailable. */
  async flush(): Promise<void> {
    await this.#works.run(async () => await this.#flush(false));
  }

  /** Ends the loop after a last checkpoint. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#pause.abort();
    await this.#running;
    await this.#works.run(async () => await this.#quietly(async () => await this.#flush(false)));
  }

  async #run(): Promise<void> {
    const { clock } = this.#receiver.environment;
    while (!this.#stop.signal.aborted) {
      this.#pause = new AbortController();
      this.#idsSincePause = 0;
      await clock.sleep(limits.checkpointIntervalMs, this.#pause.signal);
      if (this.#stop.signal.aborted) return;
      await this.#works.run(async () => {
        if (!this.#routes.every((route) => this.isReady(route))) await this.#tryPrepare();
        await this.#quietly(async () => {
          await this.#flush(false);
          await this.#trim();
        });
      });
      this.#report();
    }
  }

  async #quietly(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#events.checkpointFailed(error);
    }
  }

  async #tryPrepare(): Promise<void> {
    try {
      await this.#prepare();
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      this.#events.checkpointFailed(error);
    }
  }

  async #prepare(): Promise<void> {
    if (this.#routes.length === 0) return;
    const stream = await ensureInternalStream(this.#receiver.records, DEDUPE_SPEC);
    const missing = this.#routes.filter(({ key }) => !this.#rebuilt.has(key));
    if (missing.length > 0) await this.#rebuild(stream, missing);
    const fresh = this.#routes.filter((route) => !this.#coveredStreams.has(route.stream));
    for (const { stream: name } of fresh) this.#receiver.dedupe.lane(name);
    if (missing.length > 0 || fresh.length > 0) await this.#flush(true);
    for (const { key, dedupe } of this.#routes) if (dedupe !== undefined) this.#receiver.dedupe.bound(key, dedupe);
    for (const { stream: name } of fresh) this.#coveredStreams.add(name);
    this.#dropUnrouted();
  }

  async #rebuild(stream: StreamInfo, missing: readonly StreamRoute[]): Promise<void> {
    const { environment, dedupe } = this.#receiver;
    const startedAt = environment.clock.monotonic();
    // Ids found for routes that are not in the file now must be in `$dedupe` before one of these routes
    // is read from it.
    if (this.#hasFolded) await this.#flush(true);
    const windows = new Map(
      missing.flatMap((route) => (route.dedupe ? [[route.key, new IdWindow(route.dedupe)]] : [])),
    );
    const covered = await this.#foldChunks(stream, windows);
    const flushedTo = new Map(Array.from(windows, ([route, window]) => [route, window.end]));
    const tailRecords = this.#hasFolded ? 0 : await this.#foldTails(covered, windows);
    for (const [route, window] of windows) {
      dedupe.windows.set(route, window);
      this.#flushedTo.set(route, flushedTo.get(route) ?? 0);
    }
    for (const { key } of missing) this.#rebuilt.add(key);
    this.#hasFolded = true;
    const ids = Array.from(windows.values()).reduce((sum, { size }) => sum + size, 0);
    this.#events.rebuilt(ids, tailRecords, startedAt);
  }

  async #foldChunks(stream: StreamInfo, windows: ReadonlyMap<string, IdWindow>): Promise<readonly CoveredStream[]> {
    const { records, environment, dedupe } = this.#receiver;
    const now = environment.clock.now();
    let covered: readonly CoveredStream[] = [];
    await readChunks(records, environment, stream, now - this.#horizonMs(), (chunk) => {
      covered = chunk.covered ?? covered;
      for (const { route, id, shard, offset, seconds } of chunk.ids) {
        const window = windows.get(route);
        if (window === undefined || seconds * 1000 + window.bounds.windowMs <= now) continue;
        window.add(id, { shard: dedupe.shardNumber(shard), offset, seconds });
      }
    });
    return covered;
  }

  /** Reads what chunks do not cover; ids of routes that left the file get a window until they are checkpointed. */
  async #foldTails(covered: readonly CoveredStream[], windows: Map<string, IdWindow>): Promise<number> {
    const { records, environment, dedupe } = this.#receiver;
    const now = environment.clock.now();
    const add = ({ route, id, shard, offset, seconds }: FoundId): void => {
      const window = windows.get(route) ?? new IdWindow({ windowMs: this.#horizonMs(), idsMax: limits.idsMax });
      windows.set(route, window);
      const number = dedupe.shardNumber(shard);
      const known = window.find(id, now);
      // A round of chunks that a crash cut short left ids behind that its positions do not cover yet.
      if (known?.shard !== number || known.offset !== offset) window.add(id, { shard: number, offset, seconds });
    };
    let count = 0;
    for (const position of covered) {
      const stream = records.describe(position.stream);
      if (stream === undefined) continue;
      count += await readTail(records, environment, stream, position, now - this.#horizonMs(), add);
    }
    return count;
  }

  /** Windows of routes that are not in the file are dropped once their ids are durable. */
  #dropUnrouted(): void {
    for (const route of this.#receiver.dedupe.windows.keys()) {
      if (this.#rebuilt.has(route)) continue;
      this.#receiver.dedupe.windows.delete(route);
      this.#flushedTo.delete(route);
    }
  }

  async #flush(isForced: boolean): Promise<void> {
    if (!this.#hasFolded) return;
    const now = this.#receiver.environment.clock.monotonic();
    const { dedupe, records } = this.#receiver;
    // Ends and positions belong together: both are taken in this turn.
    const ends = new Map(Array.from(dedupe.windows, ([route, window]) => [route, window.end]));
    const covered = Array.from(dedupe.lanes.values(), (lane) => coverageOf(this.#receiver, lane));
    const hasIds = Array.from(ends).some(([route, end]) => end > (this.#flushedTo.get(route) ?? 0));
    const isDue = now - this.#writtenAt >= limits.heartbeatMs || hasMoved(this.#written, covered);
    if (!isForced && !hasIds && !isDue) return;
    for (let chunk = this.#take(ends); ; chunk = this.#take(ends)) {
      const isLast = chunk.ids.length < limits.chunkIds;
      await append(records, encodeChunk({ ids: chunk.ids, covered: isLast ? covered : undefined }));
      for (const [route, number] of chunk.flushedTo) this.#flushedTo.set(route, number);
      this.#events.checkpointed(chunk.ids.length);
      if (isLast) break;
    }
    this.#written = covered;
    this.#writtenAt = now;
  }

  /** The next ids that are not checkpointed, and the marks that hold once they are. */
  #take(ends: ReadonlyMap<string, number>): { ids: CheckpointId[]; flushedTo: ReadonlyMap<string, number> } {
    const { dedupe } = this.#receiver;
    const ids: CheckpointId[] = [];
    const flushedTo = new Map<string, number>();
    for (const [route, end] of ends) {
      const window = dedupe.windows.get(route);
      if (window === undefined) continue;
      let number = Math.max(this.#flushedTo.get(route) ?? 0, window.first);
      for (; number < end && ids.length < limits.chunkIds; number += 1) {
        const entry = window.entry(number);
        if (entry === undefined) continue;
        const { shard, offset, seconds } = entry.place;
        ids.push({ route, id: entry.id, shard: dedupe.shard(shard), offset, seconds });
      }
      flushedTo.set(route, number);
    }
    return { ids, flushedTo };
  }

  /** Lets go of chunks that no window can need. */
  async #trim(): Promise<void> {
    const { records, environment } = this.#receiver;
    const now = environment.clock.monotonic();
    if (now - this.#trimmedAt < limits.heartbeatMs) return;
    const shard = records.describe(DEDUPE_STREAM)?.shards[0];
    if (shard === undefined) return;
    await records.trim(shard, await records.positionAt(shard, environment.clock.now() - this.#horizonMs()));
    this.#trimmedAt = now;
  }

  /** How far back chunks are read: the longest window, and at least the usual one, so that a shorter one can grow. */
  #horizonMs(): number {
    const windows = [
      ...this.#routes.map(({ dedupe }) => dedupe?.windowMs ?? 0),
      ...Array.from(this.#receiver.dedupe.windows.values(), ({ bounds }) => bounds.windowMs),
    ];
    return Math.max(limits.windowHours * HOUR_MS, ...windows) + limits.horizonSlackMs;
  }

  #report(): void {
    const { dedupe, environment } = this.#receiver;
    const now = environment.clock.now();
    for (const [route, window] of dedupe.windows) {
      window.expire(now);
      const { idsMax, windowMs } = window.bounds;
      this.#events.window(route, window.size, idsMax, window.realWindowMs(now), windowMs);
    }
  }
}

async function append(records: Records, data: Uint8Array): Promise<void> {
  const [result] = await records.append(DEDUPE_STREAM, [{ partitionKey: PARTITION_KEY, data }]);
  if (result === undefined || 'failed' in result) throw new Unavailable('the checkpoint was not stored');
}

/**
 * How far a stream is covered. With no append under way everything durable is: what comes later stands later.
 * A stream that does not exist keeps its name here, so that all of it is read when it was made again before a crash.
 */
function coverageOf({ records, dedupe }: Receiver, lane: Lane): CoveredStream {
  const info = records.describe(lane.stream);
  if (info === undefined) return { stream: lane.stream, createdAt: 0, shards: [] };
  const { createdAt } = info;
  const shards = info.shards.flatMap((shard): CoveredShard[] => {
    const { generation, ordinal } = shard.ref;
    const number = dedupe.shardNumber({ stream: lane.stream, createdAt, generation, ordinal });
    const end = lane.length === 0 ? endOf(records, shard) : undefined;
    if (end !== undefined) lane.covered.set(number, end);
    const position = lane.covered.get(number);
    return position === undefined ? [] : [{ generation, ordinal, position }];
  });
  return { stream: lane.stream, createdAt, shards };
}

function endOf(records: Records, shard: ShardInfo): Offset | undefined {
  try {
    return records.bounds(shard).end;
  } catch (error) {
    if (error instanceof UnknownShard) return undefined;
    throw error;
  }
}

/** Whether a restart would have to read much more than needed. */
function hasMoved(before: readonly CoveredStream[], now: readonly CoveredStream[]): boolean {
  const positions = new Map(
    before.flatMap(({ stream, createdAt, shards }) =>
      shards.map((shard) => [`${stream}/${createdAt}/${shard.generation}/${shard.ordinal}`, shard.position] as const),
    ),
  );
  return now.some(({ stream, createdAt, shards }) =>
    shards.some(({ generation, ordinal, position }) => {
      const earlier = positions.get(`${stream}/${createdAt}/${generation}/${ordinal}`) ?? 0n;
      return position - earlier > limits.tailRecordsMax;
    }),
  );
}
