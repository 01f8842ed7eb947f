import type { Segment } from './segment.ts';

/** A file of which less than this is still needed is worth copying the rest. */
const NEEDED_MAX = 1 / 3;
/** All files together may hold so much for each byte that is needed, beside the slack. */
const OVERHEAD_MAX = 1.4;
/** Files' worth of bytes that may be garbage before copying begins, and beyond which it must. */
const SLACK_FILES = 4;
const SLACK_FILES_MAX = 6;
/** As many neighbours that fit into half a file become one. */
const SMALL_FILES = 16;
/** Records of several shards lie scattered when this many bytes must be read for each byte of one shard's. */
const SCATTERED_MIN = 1.5;
const SCATTERED_BYTES_MIN = 256 * 1024;

/** What a choice is made from. */
export interface CleaningState {
  /** Complete files, in the order of their records. */
  readonly segments: readonly Segment[];
  /** In ms. */
  readonly now: number;
  readonly segmentBytesMax: number;
  readonly diskBytesMax: number | undefined;
  /** Whether every byte counts: the disk is full, or soon will be. */
  readonly isShort: boolean;
}

interface Candidate {
  readonly segment: Segment;
  readonly liveBytes: number;
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
function runsOf({ segments, now }: CleaningState): Candidate[][] {
  const runs: Candidate[][] = [[]];
  for (const segment of segments) {
    if (segment.isDamaged || segment.footer === undefined) runs.push([]);
    else runs.at(-1)?.push({ segment, liveBytes: segment.liveBytes(now) });
  }
  return runs.filter((run) => run.length > 0);
}

function sparse(runs: readonly Candidate[][], state: CleaningState): readonly Segment[] | undefined {
  const isSparse = ({ segment, liveBytes }: Candidate): boolean => liveBytes <= segment.fileBytes * NEEDED_MAX;
  const usual = Math.min(SLACK_FILES * state.segmentBytesMax, (state.diskBytesMax ?? Infinity) / 8);
  const slack = state.isShort ? 0 : usual;
  return batches(runs, isSparse, state.segmentBytesMax)
    .find((batch) => {
      const bytes = batch.reduce((sum, { segment }) => sum + segment.fileBytes, 0);
      return bytes - liveOf(batch) >= slack || liveOf(batch) >= state.segmentBytesMax / 2;
    })
    ?.map(({ segment }) => segment);
}

function scattered(runs: readonly Candidate[][], state: CleaningState): readonly Segment[] | undefined {
  const [batch] = batches(runs, ({ segment }) => isScattered(segment), state.segmentBytesMax);
  return batch?.map(({ segment }) => segment);
}

function small(runs: readonly Candidate[][], state: CleaningState): readonly Segment[] | undefined {
  const isSmall = ({ segment }: Candidate): boolean => segment.fileBytes <= state.segmentBytesMax / SMALL_FILES;
  const found = batches(runs, isSmall, state.segmentBytesMax).find((batch) => batch.length >= SMALL_FILES);
  return found?.map(({ segment }) => segment);
}

function excess(all: readonly Candidate[], state: CleaningState): readonly Segment[] | undefined {
  const bytes = state.segments.reduce((sum, { fileBytes }) => sum + fileBytes, 0);
  const live = state.segments.reduce((sum, segment) => sum + segment.liveBytes(state.now), 0);
  if (!state.isShort && bytes <= live * OVERHEAD_MAX + SLACK_FILES_MAX * state.segmentBytesMax) return undefined;
  const garbage = ({ segment, liveBytes }: Candidate): number => 1 - liveBytes / segment.fileBytes;
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
      const fits = batch.length === 0 || liveOf(batch) + candidate.liveBytes <= bytesMax;
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

function liveOf(batch: readonly Candidate[]): number {
  return batch.reduce((sum, { liveBytes }) => sum + liveBytes, 0);
}
