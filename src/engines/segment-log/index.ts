import type { CommandLog } from '../../ports/command-log.ts';
import { parentOf } from '../../kernel/paths.ts';
import type { Environment } from '../../ports/environment.ts';
import type { StreamStore } from '../../ports/stream-store.ts';
import { SegmentCommandLog } from './command-log.ts';
import { Committer } from './committer.ts';
import { LogReader } from './reader.ts';
import { recover } from './recovery.ts';
import { Retention } from './retention.ts';
import { SegmentSet } from './segment-set.ts';
import { Snapshots } from './snapshots.ts';
import { SegmentStore } from './store.ts';

const SEGMENT_BYTES_MAX = 64 * 1024 * 1024;
const PENDING_BYTES_MAX = 64 * 1024 * 1024;

/** Where the log lives, and its bounds. */
export interface SegmentLogOptions {
  /** Absolute; snapshots of the catalog go into `catalog` beside it. */
  readonly directory: string;
  /** The data directory's claim: no other process writes under it. */
  readonly epoch: number;
  /** Size at which a segment file ends; default 64 MiB. */
  readonly segmentBytesMax?: number;
  /** Bytes of entries that may wait for the disk; default 64 MiB. */
  readonly pendingBytesMax?: number;
  /** Told once when durability can no longer be promised: the process must end. */
  readonly onFailure: (error: Error) => void;
}

/** The durable log of one machine. */
export interface SegmentLog {
  readonly store: StreamStore;
  readonly commands: CommandLog;
  /** What is wrong, for people; empty when all is well. */
  health(): string[];
  /** Writes what waits and closes the files; later calls reject with Unavailable. */
  close(): Promise<void>;
}

/**
 * Opens the log: recovers what the disk holds, and begins a new segment. Rejects with an EnvironmentError: EIO when a
 * durable place is damaged, EOTHER when a newer millrace wrote the log.
 */
export async function openSegmentLog(environment: Environment, options: SegmentLogOptions): Promise<SegmentLog> {
  const { directory, epoch, onFailure } = options;
  const parent = parentOf(directory);
  const { files, log, clock } = environment;
  const startedAt = clock.monotonic();
  for (const path of [directory, `${parent}/catalog`]) await files.makeDirectory(path);
  await files.syncDirectory(parent);
  const { table, ...found } = await recover(environment, directory);
  const segmentBytesMax = options.segmentBytesMax ?? SEGMENT_BYTES_MAX;
  const segments = new SegmentSet(
    environment,
    { directory, epoch, segmentBytesMax },
    found.segments,
    found.nextSegment,
  );
  const retention = new Retention(environment, segments, table);
  const committer = new Committer(environment, {
    segments,
    table,
    pendingBytesMax: options.pendingBytesMax ?? PENDING_BYTES_MAX,
    lastNumber: found.lastCommit,
    synced: found.synced,
    onFailure,
    onRoll: () => retention.ask(),
  });
  await committer.start();
  const reader = new LogReader(environment, segments);
  const store = new SegmentStore({ environment, epoch, table, committer, reader, retention });
  const commands = await SegmentCommandLog.open(store, new Snapshots(environment, `${parent}/catalog`), retention);
  retention.start();
  log.info('log.opened', {
    segments: found.segments.length,
    bytes: found.segments.reduce((sum, segment) => sum + segment.end, 0),
    shards: store.shards().length,
    cutBytes: found.cutBytes,
    tookMs: Math.round(clock.monotonic() - startedAt),
  });
  return {
    store,
    commands,
    health: () => [...committer.problems(), ...reader.problems()],
    async close() {
      await retention.close();
      await committer.close();
      store.wakeAll();
      await segments.close();
    },
  };
}
