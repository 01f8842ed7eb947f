import { assert } from '../../kernel/assert.ts';
import { EnvironmentError } from '../../kernel/errors.ts';
import { nextTurn } from '../../kernel/flow/next-turn.ts';
import { EntryPlace, readEntryAt } from '../../kernel/stream/packed-entries.ts';
import type { Environment, OpenFile } from '../../ports/environment.ts';
import type { StoredRun } from '../../ports/stream-store.ts';
import { missingRecords } from './damage-sentences.ts';
import { damage } from './format.ts';
import type { IndexCache } from './index-cache.ts';
import type { Segment, Share } from './segment.ts';
import { Spans } from './segment-index.ts';
import type { SegmentSet } from './segment-set.ts';
import { SettledWriter } from './settled-writer.ts';
import { planReads } from './read-plan.ts';
import type { ShardState } from './shard-table.ts';
import { walkEntries } from './walk.ts';

const READ_BYTES = 1024 * 1024;

/** What settling works on. */
export interface SettleParts {
  readonly environment: Environment;
  readonly segments: SegmentSet;
  readonly indexes: IndexCache;
  /** Time by which records expire, in ms. */
  readonly now: () => number;
  /** Called between pieces of the work, which is to leave the disk and the processor to others. */
  readonly pause: () => Promise<void>;
  /** Writes where shards start now; false when the log has failed. */
  readonly keepStarts: (moved: readonly ShardState[]) => Promise<boolean>;
  /** Told of a file that may have got its name, and does not take the place of its sources. */
  readonly giveUp: (path: string) => void;
}

/**
 * Copies what is still needed of neighbouring segments into one new file, shard by shard, and resolves with it once its
 * name is durable; nobody reads it yet. Rejects with EIO when a source is damaged, and leaves nothing behind then.
 */
export async function settle(parts: SettleParts, sources: readonly Segment[]): Promise<Segment> {
  const { environment, segments } = parts;
  const { files } = environment;
  assert(areNeighbours(segments.all(), sources), 'nothing stands between files that become one');
  const settled = segments.make(Math.min(...sources.map(({ place }) => place)));
  settled.sources = sources.map(({ number }) => number);
  const temporary = `${settled.path}.tmp`;
  let isNamed = false;
  try {
    const file = await files.open(temporary, 'create');
    try {
      await copyAll(parts, sources, settled, file);
    } finally {
      await file.close();
    }
    if (!(await parts.keepStarts(moveStarts(sources, settled)))) {
      throw new EnvironmentError('EIO', 'the log failed while files were settled');
    }
    isNamed = true;
    await files.rename(temporary, settled.path);
    await files.syncDirectory(segments.options.directory);
    return settled;
  } catch (error) {
    for (const share of settled.shares.values()) share.leave();
    if (isNamed) parts.giveUp(settled.path);
    await files.remove(temporary).catch(() => undefined);
    throw error;
  }
}

/** A file has one place among all: what stood between its sources would be in front of some of its records. */
function areNeighbours(all: readonly Segment[], sources: readonly Segment[]): boolean {
  const from = all.indexOf(sources[0] as Segment);
  return sources.every((source, index) => all[from + index] === source);
}

async function copyAll(
  parts: SettleParts,
  sources: readonly Segment[],
  settled: Segment,
  file: OpenFile,
): Promise<void> {
  const writer = new SettledWriter(settled, file, Math.floor(parts.environment.clock.now()));
  for (const [state, shares] of sharesByShard(sources)) {
    // One bound for the whole shard: all that is left out is older than anything that is kept.
    const kept = { start: state.start, since: parts.now() - state.retentionMs };
    for (const share of shares) {
      if (state.isDropWritten || share.end <= kept.start || share.lastAt < kept.since) continue;
      const spans = (await parts.indexes.of(share.segment)).spans.get(state.id);
      await copyShare(parts, share, spans ?? new Spans(), kept, writer);
    }
  }
  const { index } = settled;
  const { clock } = parts.environment;
  if (index !== undefined) await writer.finish(index, async () => await nextTurn(clock));
}

/** Which records of a shard are copied: from offset `start` on, those that arrived at `since` or later, in ms. */
interface Kept {
  readonly start: number;
  readonly since: number;
}

/** By number of the shard, each one's shares in the order of its records. */
function sharesByShard(sources: readonly Segment[]): [ShardState, Share[]][] {
  const found = new Map<ShardState, Share[]>();
  for (const segment of sources) {
    for (const share of segment.shares.values()) {
      if (!share.hasRecords) continue;
      const shares = found.get(share.state);
      if (shares === undefined) found.set(share.state, [share]);
      else shares.push(share);
    }
  }
  return [...found].sort(([one], [other]) => one.id - other.id);
}

async function copyShare(parts: SettleParts, share: Share, spans: Spans, kept: Kept, writer: SettledWriter) {
  const { state, segment } = share;
  // What a wrong byte hides from the walk must not be taken for something that was never there.
  const walked = { to: share.first };
  const advance = (first: number, count: number): void => {
    if (first > Math.max(kept.start, state.past(walked.to))) throw missing(share, walked.to, first);
    walked.to = Math.max(walked.to, first + count);
  };
  for (let next = 0; next < spans.count;) {
    const wanted = planReads(spans, next, READ_BYTES);
    next = wanted.at(-1)?.next ?? spans.count;
    for (const part of wanted) {
      const { position, end } = part;
      const bytes = Buffer.allocUnsafeSlow(end - position);
      await parts.segments.handles.read(segment, position, bytes);
      let isFull = false;
      walkEntries({ segment, position, bytes, part, spans }, state.id, {
        look({ first, count, at }) {
          advance(first, count);
          return first + count <= kept.start || at < kept.since ? 'skip' : 'take';
        },
        take(run) {
          const { first, count, at } = run;
          // A new checksum is made over it: what is no entries now would be taken for whole ever after.
          if (!isWellFormed(run)) return false;
          const extent = { shard: state.id, flags: 0, count, first, at, payloadBytes: 0, payloadCrc: 0, salt: 0 };
          isFull = writer.add(state, extent, run.bytes.subarray(run.from, run.to)) || isFull;
          return true;
        },
      });
      if (isFull) await writer.flush();
      await parts.pause();
    }
  }
  advance(share.end, 0);
}

function isWellFormed({ bytes, from, to, count }: StoredRun): boolean {
  const place = new EntryPlace();
  let position = from;
  for (let index = 0; index < count; index += 1) {
    if (!readEntryAt(bytes, position, to, place)) return false;
    position = place.end;
  }
  return position === to;
}

function missing({ state, segment }: Share, first: number, end: number): Error {
  return damage(segment.path, 0, missingRecords(state.ref, first, end));
}

/**
 * What is left out of a settled file is needed no more, and neither is anything older: moves the shards' starts on, and
 * returns those of which older records stay in other files.
 */
function moveStarts(sources: readonly Segment[], settled: Segment): readonly ShardState[] {
  const moved: ShardState[] = [];
  for (const [state, shares] of sharesByShard(sources)) {
    const successor = settled.shares.get(state.id);
    const [first, last] = [shares[0] as Share, shares.at(-1) as Share];
    const isWhole = successor !== undefined && successor.first <= first.first;
    const isOldest = state.shares[0] === first;
    if (isWhole && !isOldest) continue;
    state.advanceStart(successor?.first ?? last.end);
    // Also where a trim had moved it before: that may not have been written yet.
    if (!isOldest && !state.dropped) moved.push(state);
  }
  return moved;
}

/** Lets a settled file take the place of its sources for everybody who reads from now on. */
export function takeOver(sources: readonly Segment[], settled: Segment): void {
  for (const [state, shares] of sharesByShard(sources)) replaceShares(state, shares, settled.shares.get(state.id));
  for (const source of sources) for (const share of source.shares.values()) share.leave();
}

function replaceShares({ shares }: ShardState, sources: readonly Share[], successor: Share | undefined): void {
  const listed = sources.filter((source) => shares.includes(source));
  const at = shares.indexOf(listed[0] as Share);
  if (at >= 0) shares.splice(at, listed.length, ...(successor === undefined ? [] : [successor]));
}
