import type { Environment, OpenFile } from '../../ports/environment.ts';
import type { IndexCache } from './index-cache.ts';
import type { Segment, Share } from './segment.ts';
import type { Spans } from './segment-index.ts';
import type { SegmentSet } from './segment-set.ts';
import { SettledWriter } from './settled-writer.ts';
import { planReads } from './read-plan.ts';
import type { ShardState } from './shard-table.ts';
import { walkPiece } from './walk.ts';

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
}

/**
 * Copies what is still needed of neighbouring segments into one new file, shard by shard, and resolves with it once its
 * name is durable; nobody reads it yet. Rejects with EIO when a source is damaged, and leaves nothing behind then.
 */
export async function settle(parts: SettleParts, sources: readonly Segment[]): Promise<Segment> {
  const { environment, segments } = parts;
  const { files } = environment;
  const settled = segments.make(Math.min(...sources.map(({ place }) => place)));
  settled.sources = sources.map(({ number }) => number);
  const temporary = `${settled.path}.tmp`;
  try {
    const file = await files.open(temporary, 'create');
    try {
      await copyAll(parts, sources, settled, file);
    } finally {
      await file.close();
    }
    await files.rename(temporary, settled.path);
    await files.syncDirectory(segments.options.directory);
    return settled;
  } catch (error) {
    for (const { state } of settled.shares.values()) state.mentions -= 1;
    await files.remove(temporary).catch(() => undefined);
    throw error;
  }
}

async function copyAll(
  parts: SettleParts,
  sources: readonly Segment[],
  settled: Segment,
  file: OpenFile,
): Promise<void> {
  const writer = new SettledWriter(settled, file, Math.floor(parts.environment.clock.now()));
  for (const [state, shares] of sharesByShard(sources)) {
    for (const share of shares) {
      if (!state.needs(share, parts.now())) continue;
      const spans = (await parts.indexes.of(share.segment)).spans.get(state.id);
      if (spans !== undefined) await copyShare(parts, share, spans, writer);
    }
  }
  const { index } = settled;
  if (index !== undefined) await writer.finish(index);
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

async function copyShare(parts: SettleParts, share: Share, spans: Spans, writer: SettledWriter): Promise<void> {
  const { state, segment } = share;
  const oldestAt = parts.now() - state.retentionMs;
  for (let next = 0; next < spans.count;) {
    const wanted = planReads(spans, next, READ_BYTES);
    next = wanted.at(-1)?.next ?? spans.count;
    for (const { position, end } of wanted) {
      const bytes = await parts.segments.handles.read(segment, position, end);
      let isFull = false;
      walkPiece({ segment, position, bytes }, state.id, {
        look: ({ first, count, at }) => (first + count <= state.start || at < oldestAt ? 'skip' : 'take'),
        take({ from, to, first, count, at }) {
          const extent = { shard: state.id, flags: 0, count, first, at, payloadBytes: 0, payloadCrc: 0, salt: 0 };
          isFull = writer.add(state, extent, bytes.subarray(from, to)) || isFull;
          return true;
        },
      });
      if (isFull) await writer.flush();
      await parts.pause();
    }
  }
}

/** Lets a settled file take the place of its sources for everybody who reads from now on. */
export function takeOver(sources: readonly Segment[], settled: Segment): void {
  for (const source of sources) {
    for (const share of source.shares.values()) {
      const { state } = share;
      const { shares } = state;
      const at = shares.indexOf(share);
      state.mentions -= 1;
      if (at < 0) continue;
      const successor = settled.shares.get(state.id);
      const isFirst = successor !== undefined && !shares.includes(successor);
      if (isFirst) shares.splice(at, 1, successor);
      else shares.splice(at, 1);
    }
  }
  for (const share of settled.shares.values()) {
    const { state } = share;
    // What stood in front of it was not needed any more.
    if (state.shares[0] === share) state.advanceStart(share.first);
  }
}
