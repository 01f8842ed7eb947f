import type { CommitEncoder } from './commit-encoder.ts';
import { FLAG_DEFINE, FLAG_DROP, FLAG_END } from './format.ts';
import { refusal, type Run } from './run.ts';
import type { Segment } from './segment.ts';
import type { ShardAhead, ShardState, ShardTable } from './shard-table.ts';

/**
 * Encodes all runs that may still be written, grouped by shard in the order of calls, and returns them; the others are
 * rejected. The first commit of a segment says where every shard stands, so that older segments can go at any time.
 * Moves the shards' `ahead` on; `undo` takes that back.
 */
export function encodeBatch(
  encoder: CommitEncoder,
  segment: Segment,
  table: ShardTable,
  batch: readonly Run[],
  now: number,
): { readonly accepted: readonly Run[]; readonly undo: () => void } {
  encoder.begin(segment, now);
  const before: [ShardState, ShardAhead][] = [];
  const define = (state: ShardState, isAgain = false): void => {
    before.push([state, state.ahead]);
    if (state.ahead.definedIn === segment.number && !isAgain) return;
    encoder.define(state);
    // Until another segment says it too, one wrong byte must not make the shard's records nobody's.
    if (state.mentions === 0) encoder.define(state);
    state.ahead = { ...state.ahead, definedIn: segment.number };
  };
  if (segment.commitCount === 0) defineAll(encoder, table, now, define);
  const accepted: Run[] = [];
  for (const [state, runs] of groupByShard(batch, accepted)) {
    const isAsked = runs.some(({ flags }) => flags === FLAG_DEFINE);
    if (!state.dropped) define(state, isAsked);
    encodeRuns(encoder, state, runs, now);
  }
  return {
    accepted,
    undo: () => {
      for (const [state, ahead] of before.reverse()) state.ahead = ahead;
    },
  };
}

function defineAll(encoder: CommitEncoder, table: ShardTable, now: number, define: (state: ShardState) => void): void {
  for (const state of table.all()) {
    if (state.dropped) {
      // Segments still speak of it as if it lived: whoever reads them must know.
      if (state.mentions > 0) encoder.mark(state, FLAG_DROP, state.end, now);
    } else if (state.isOnDisk) define(state);
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
  const { ahead } = state;
  const at = Math.max(now, ahead.at);
  let { end, closed } = ahead;
  for (const run of runs) {
    run.first = end;
    run.at = at;
    end += run.entries.count;
  }
  if (end > ahead.end) {
    const entries = runs.filter((run) => run.entries.count > 0).map((run) => run.entries);
    encoder.add(state, entries, ahead.end, at);
  }
  for (const { flags } of runs) {
    // Commits under way may name it, which no segment counts yet.
    const isNamed = state.mentions > 0 || state.ahead.definedIn >= 0;
    const isNews = flags === FLAG_DROP ? isNamed : flags === FLAG_END && !closed;
    if (isNews) encoder.mark(state, flags, end, at);
    if (flags === FLAG_END) closed = true;
  }
  state.ahead = { ...ahead, end, closed, at: end > ahead.end ? at : ahead.at };
}
