import { gapsBytes } from './definition.ts';
import type { Segment } from './segment.ts';

/** A file of which less than this is still needed is worth copying the rest. */
const NEEDED_MAX = 1 / 3;
/** All files together may hold so much for each byte that is needed, beside the slack. */
const OVERHEAD_MAX = 1.4;
/** Files' worth of bytes that may be garbage before copying begins. */
const SLACK_FILES = 4;
/** As many neighbours that fit into half a file become one. */
const SMALL_FILES = 16;
/** Records of several shards lie scattered when this many bytes must be read for each byte of one shard's. */
const SCATTERED_MIN = 1.5;
const SCATTERED_BYTES_MIN = 256 * 1024;
/** What a settled file takes beside its records: once, for each shard (with its name twice), and in its index. */
const FILE_BYTES = 256;
const SHARE_BYTES = 192;
const INDEXED_PART = 1 / 2048;

/** What a choice is made from. */
export interface CleaningState {
  /** All files, in the order of their records. */
  readonly segments: readonly Segment[];
  /** Whether a file may go: others stay where they are, and those around them are no neighbours. */
  readonly isComplete: (segment: Segment) => boolean;
  /** In ms. */
  readonly now: number;
  readonly segmentBytesMax: number;
  readonly diskBytesMax: number | undefined;
  /** Whether every byte counts: the disk is full, or soon will be. */
  readonly isShort: boolean;
}

interface Candidate {
  readonly segment: Segment;
  /** What a file that took over from this one alone would take. */
  readonly neededBytes: number;
}

/** Whether reading one shard of the file means reading mostly others'. */
export function isScattered(segment: Segment): boolean {
  const { index } = segment;
  if (segment.isSettled || segment.shares.size < 2) return false;
  if (index === undefined) return segment.isScattered;
  let own = 0;
  let read = 0;
  for (const share of segment.shares.values()) own += share.bytes;
  for (const spans of index.spans.values()) read += spans.coveredBytes;
  return own >= SCATTERED_BYTES_MIN && read > own * SCATTERED_MIN;
}

/**
 * Neighbouring files that are to become one, if any are. A file is copied when at most a third of it is needed, so that
 * copying never writes more than half of what it frees; when its records lie scattered, once; and when it is one of
 * many small ones. Beyond the bound on all files together, or on a disk that is short of room, the file with the most
 * garbage goes.
 */
export function chooseJob(state: CleaningState): readonly Segment[] | undefined {
  const runs = runsOf(state);
  const all = runs.flat();
  return sparse(runs, state) ?? scattered(runs, state) ?? small(runs, state) ?? excess(all, state);
}

/** Neighbours that may be copied, in runs between files that may not. */
function runsOf({ segments, isComplete, now }: CleaningState): Candidate[][] {
  const runs: Candidate[][] = [[]];
  for (const segment of segments) {
    if (!isComplete(segment) || segment.isDamaged || segment.footer === undefined) runs.push([]);
    else runs.at(-1)?.push({ segment, neededBytes: neededBytes(segment, now) });
  }
  return runs.filter((run) => run.length > 0);
}

/** Counts what no settling can save, or files of little else would be settled again and again. */
function neededBytes(segment: Segment, now: number): number {
  let bytes = FILE_BYTES;
  for (const share of segment.shares.values()) {
    if (!share.state.needs(share, now)) continue;
    const { ref, gaps } = share.state;
    bytes += share.bytes * (1 + INDEXED_PART) + SHARE_BYTES + 2 * (ref.stream.length + gapsBytes(gaps));
  }
  return bytes;
}

function sparse(runs: readonly Candidate[][], state: CleaningState): readonly Segment[] | undefined {
  const isSparse = ({ segment, neededBytes }: Candidate): boolean => neededBytes <= segment.fileBytes * NEEDED_MAX;
  const usual = Math.min(SLACK_FILES * state.segmentBytesMax, (state.diskBytesMax ?? Infinity) / 8);
  const slack = state.isShort ? 0 : usual;
  return batches(runs, isSparse, state.segmentBytesMax)
    .find((batch) => {
      const bytes = batch.reduce((sum, { segment }) => sum + segment.fileBytes, 0);
      return bytes - neededOf(batch) >= slack || neededOf(batch) >= state.segmentBytesMax / 2;
    })
    ?.map(({ segment }) => segment);
}

function scattered(runs: readonly Candidate[][], state: CleaningState): readonly Segment[] | undefined {
  const [batch] = batches(runs, ({ segment }) => isScattered(segment), state.segmentBytesMax);
  return batch?.map(({ segment }) => segment);
}

function small(runs: readonly Candidate[][], state: CleaningState): readonly Segment[] | undefined {
  const isSmall = ({ segment }: Candidate): boolean => segment.fileBytes <= state.segmentBytesMax / 2 / SMALL_FILES;
  const found = batches(runs, isSmall, state.segmentBytesMax).find((batch) => batch.length >= SMALL_FILES);
  return found?.map(({ segment }) => segment);
}

function excess(all: readonly Candidate[], state: CleaningState): readonly Segment[] | undefined {
  const bytes = all.reduce((sum, { segment }) => sum + segment.fileBytes, 0);
  if (!state.isShort && bytes <= neededOf(all) * OVERHEAD_MAX + SLACK_FILES * state.segmentBytesMax) return undefined;
  const garbage = ({ segment, neededBytes: needed }: Candidate): number => 1 - needed / segment.fileBytes;
  const [most] = all.toSorted((one, other) => garbage(other) - garbage(one));
  return most === undefined || garbage(most) < 1 - 1 / OVERHEAD_MAX ? undefined : [most.segment];
}

/** Neighbours of a kind, together as long as what is needed of them fits into one file. */
function batches(
  runs: readonly Candidate[][],
  isWanted: (candidate: Candidate) => boolean,
  bytesMax: number,
): Candidate[][] {
  const found: Candidate[][] = [];
  for (const run of runs) {
    let batch: Candidate[] = [];
    for (const candidate of run) {
      const fits = batch.length === 0 || neededOf(batch) + candidate.neededBytes <= bytesMax;
      if (!isWanted(candidate) || !fits) {
        found.push(batch);
        batch = [];
      }
      if (isWanted(candidate)) batch.push(candidate);
    }
    found.push(batch);
  }
  return found.filter((batch) => batch.length > 0);
}

function neededOf(batch: readonly Candidate[]): number {
  return batch.reduce((sum, { neededBytes }) => sum + neededBytes, 0);
}
