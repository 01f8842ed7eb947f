import type { CommitEncoder } from './commit-encoder.ts';
import { FLAG_DROP, FLAG_END } from './format.ts';
import { refusal, type Run } from './run.ts';
import type { Segment } from './segment.ts';
import type { ShardState, ShardTable } from './shard-table.ts';

/**
 * Encodes all runs that may still be written, grouped by shard in the order of calls, and returns them; the others are
 * rejected. The first commit of a segment says where every shard stands, so that older segments can go at any time.
 */
export function encodeBatch(
  encoder: CommitEncoder,
  segment: Segment,
  table: ShardTable,
  batch: readonly Run[],
  now: number,
): Run[] {
  encoder.begin(segment, now);
  const defined = new Set<ShardState>();
  if (segment.commitCount === 0) defineAll(encoder, table, defined, now);
  const accepted: Run[] = [];
  for (const [state, runs] of groupByShard(batch, accepted)) {
    if (state.definedIn !== segment.number && !defined.has(state) && !state.dropped) encoder.define(state);
    encodeRuns(encoder, state, runs, now);
  }
  return accepted;
}

function defineAll(encoder: CommitEncoder, table: ShardTable, defined: Set<ShardState>, now: number): void {
  for (const state of table.all()) {
    if (state.dropped) {
      // Bytes of the shard are still around: whoever reads them must know.
      if (state.segmentCount > 0) encoder.mark(state, FLAG_DROP, state.end, now);
    } else if (state.isOnDisk) {
      encoder.define(state);
      defined.add(state);
    }
  }
}

function groupByShard(batch: readonly Run[], accepted: Run[]): Map<ShardState, Run[]> {
  const groups = new Map<ShardState, Run[]>();
  for (const run of batch) {
    const error = refusal(run);
    if (error !== undefined) {
      run.reject(error);
      continue;
    }
    accepted.push(run);
    const group = groups.get(run.state);
    if (group === undefined) groups.set(run.state, [run]);
    else group.push(run);
  }
  return groups;
}

function encodeRuns(encoder: CommitEncoder, state: ShardState, runs: readonly Run[], now: number): void {
  const at = Math.max(now, state.lastAt);
  let next = state.end;
  let bytes = 0;
  for (const run of runs) {
    run.first = next;
    run.at = at;
    next += run.entries.count;
    bytes += run.bytes;
  }
  if (next > state.end) {
    const entries = runs.filter((run) => run.entries.count > 0).map((run) => run.entries);
    encoder.add(state, entries, state.end, at, bytes);
  }
  for (const { flags } of runs) {
    const isNews = flags === FLAG_DROP ? state.segmentCount > 0 : flags === FLAG_END && !state.closed;
    if (isNews) encoder.mark(state, flags, next, at);
  }
}
