import { EnvironmentError } from '../../kernel/errors.ts';
import { parentOf } from '../../kernel/paths.ts';
import type { CommandLog } from '../../ports/command-log.ts';
import type { Environment } from '../../ports/environment.ts';
import type { Offset, StreamStore } from '../../ports/stream-store.ts';
import { SegmentCommandLog } from './command-log.ts';
import { Cleaner } from './cleaner.ts';
import { Committer, type SyncMode } from './committer.ts';
import { IndexCache } from './index-cache.ts';
import { LogReader } from './reader.ts';
import { type Recovered, recover } from './recovery.ts';
import { Sealer } from './sealer.ts';
import { SegmentSet } from './segment-set.ts';
import { Slabs } from './slabs.ts';
import { CATALOG_SHARD } from './shard-table.ts';
import { type Snapshot, Snapshots } from './snapshots.ts';
import { Space } from './space.ts';
import { SegmentStore } from './store.ts';
import { TailCache } from './tail-cache.ts';

const MIB = 1024 * 1024;
const SEGMENT_BYTES_MAX = 64 * MIB;
const PENDING_BYTES_MAX = 64 * MIB;
const RESERVE_BYTES = 64 * MIB;
/** What is bounded holds at least so many files. */
const PARTS = 32;
const TAIL_BYTES_MAX = 8 * MIB;
const SYNC_INTERVAL_MS = 100;

export type { SyncMode } from './committer.ts';

/** Where the log lives, and its bounds. */
export interface SegmentLogOptions {
  /** Absolute; snapshots of the catalog go into `catalog` beside it. */
  readonly directory: string;
  /** The data directory's claim: no other process writes under it. */
  readonly epoch: number;
  /** When appends are answered; default `always`: once they survive a power cut. */
  readonly sync?: SyncMode;
  /** With `interval`: longest time until an answered append survives a power cut, in ms; default 100. */
  readonly intervalMs?: number;
  /** What all files of the log may take together; default: as much as there is. */
  readonly diskBytesMax?: number;
  /** Kept back for what must be written on a full disk; default 64 MiB, less where the bound is small; 0: nothing. */
  readonly reserveBytes?: number;
  /** Size at which a segment file ends; default 64 MiB, less where the bound is small. */
  readonly segmentBytesMax?: number;
  /** Bytes of entries that may wait for the disk; default 64 MiB. */
  readonly pendingBytesMax?: number;
  /** Bytes of the newest entries that stay in memory for readers; default 8 MiB. */
  readonly tailBytesMax?: number;
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
 * Opens the log: recovers what the disk holds, and begins a new segment. Rejects with an EnvironmentError: EOTHER when
 * a newer millrace wrote the log. Damaged places do not keep it from opening.
 */
export async function openSegmentLog(environment: Environment, options: SegmentLogOptions): Promise<SegmentLog> {
  const { directory } = options;
  const parent = parentOf(directory);
  const { files, clock } = environment;
  const startedAt = clock.monotonic();
  for (const path of [directory, `${parent}/catalog`]) await files.makeDirectory(path);
  await files.syncDirectory(parent);
  const snapshots = new Snapshots(environment, `${parent}/catalog`);
  const catalog = await loadCatalog(environment, snapshots);
  const found = await recover(environment, directory, {
    isLossy: (options.sync ?? 'always') !== 'always',
    catalogEnd: Number(catalog.snapshot?.at ?? 0n),
    epoch: options.epoch,
  });
  refuseForgotten(found, catalog);
  const parts = assemble(environment, options, found);
  const { committer, cleaner, store, reader, space } = parts;
  await committer.start();
  for (const problem of [...catalog.damaged.map(({ message }) => message), ...found.damaged])
    reader.noteDamage(problem);
  const commands = await SegmentCommandLog.open(
    { store, environment, committer, snapshots, cleaner },
    catalog.snapshot,
  );
  // Where the life before gave the reserve up, no append may take the room that is left. A new log gave up nothing.
  if (found.segments.length > 0) await space.look();
  for (const segment of found.segments)
    if (segment.footer !== undefined && !segment.isSettled) parts.sealer.secure(segment, () => cleaner.ask());
  cleaner.start();
  const { sync = 'always' } = options;
  environment.meter.gauge('log_info', { sync }, 1);
  environment.meter.gauge('log_cut_bytes', {}, found.cutBytes);
  environment.log.info('log.opened', {
    segments: found.segments.length,
    bytes: found.segments.reduce((sum, segment) => sum + segment.fileBytes, 0),
    shards: store.shards().length,
    cutBytes: found.cutBytes,
    sync,
    tookMs: Math.round(clock.monotonic() - startedAt),
  });
  return {
    store,
    commands,
    health: () => [...committer.problems(), ...reader.problems()],
    async close() {
      await commands.close();
      await close(parts);
    },
  };
}

/** The newest snapshot of the catalog, and what is wrong with newer ones. */
interface FoundCatalog {
  readonly snapshot: Snapshot | undefined;
  readonly damaged: readonly { readonly at: Offset; readonly message: string }[];
}

async function loadCatalog({ log }: Environment, snapshots: Snapshots): Promise<FoundCatalog> {
  const damaged: { at: Offset; message: string }[] = [];
  const snapshot = await snapshots.load((at, path) => {
    log.error('log.snapshot.damaged', { path });
    damaged.push({ at, message: `the log is damaged: ${path}: a snapshot of the catalog does not match its checksum` });
  });
  return { snapshot, damaged };
}

/** A catalog that forgot something must not go on: what follows would be decided on another one. */
function refuseForgotten({ table }: Recovered, { snapshot, damaged }: FoundCatalog): void {
  const end = Math.max(table.find(CATALOG_SHARD)?.endOfRecords ?? 0, Number(snapshot?.at ?? 0n));
  const forgotten = damaged.find(({ at }) => at > end);
  if (forgotten === undefined) return;
  throw new EnvironmentError('EIO', `${forgotten.message}, and of the commands that it knew the log ends after ${end}`);
}

type Parts = ReturnType<typeof assemble>;

function assemble(environment: Environment, options: SegmentLogOptions, found: Recovered) {
  const { directory, epoch, onFailure, sync = 'always', intervalMs = SYNC_INTERVAL_MS } = options;
  const { diskBytesMax: bytesMax, pendingBytesMax = PENDING_BYTES_MAX } = options;
  // A small log has small files, so that its bound is met closely.
  const part = Math.floor((bytesMax ?? Infinity) / PARTS);
  const { segmentBytesMax = Math.min(SEGMENT_BYTES_MAX, part) } = options;
  const { reserveBytes = Math.min(RESERVE_BYTES, part) } = options;
  const { table } = found;
  const segments = new SegmentSet(
    environment,
    { directory, epoch, segmentBytesMax },
    found.segments,
    found.nextSegment,
  );
  const indexes = new IndexCache(environment, segments);
  const slabs = new Slabs();
  const tail = new TailCache(slabs, options.tailBytesMax ?? TAIL_BYTES_MAX);
  const space = new Space(environment, segments, { bytesMax, reserveBytes });
  const sealer = new Sealer(environment, segments, indexes, onFailure);
  const committer = new Committer(environment, {
    segments,
    table,
    slabs,
    tail,
    space,
    sync,
    intervalMs,
    pendingBytesMax,
    lastNumber: found.lastCommit,
    synced: found.synced,
    onFailure,
    onRolled: (before) => sealer.seal(before, () => cleaner.sealed()),
  });
  const reader = new LogReader({ environment, segments, indexes, slabs });
  const cleaner = new Cleaner({
    environment,
    segments,
    indexes,
    table,
    space,
    diskBytesMax: bytesMax,
    knownAt: found.lastAt,
    roll: async () => await committer.roll(),
    declare: async (states) => await committer.declare(states),
    seal: () => sealer.sealAll(() => cleaner.sealed()),
    damaged: (message) => reader.noteDamage(message),
  });
  const store = new SegmentStore({ environment, epoch, table, committer, reader, cleaner, slabs });
  return { segments, sealer, cleaner, committer, reader, store, space };
}

async function close({ segments, sealer, cleaner, committer, store }: Parts): Promise<void> {
  await cleaner.close();
  await committer.close();
  await sealer.close();
  store.wakeAll();
  await segments.close();
}
