import type { CommitEncoder } from './commit-encoder.ts';
import { FLAG_DEFINE, FLAG_DROP, FLAG_END } from './format.ts';
import { refusal, type Run } from './run.ts';
import type { Segment } from './segment.ts';
import type { ShardAhead, ShardState, ShardTable } from './shard-table.ts';

/** Shards that are encoded in one piece of work: about a millisecond's. */
const SHARDS_AT_ONCE = 100;

/**
 * A commit being encoded: all runs that may still be written, grouped by shard in the order of calls. Moves the shards'
 * `ahead` on. Between two pieces of its work others have their turn, but nothing else may be encoded.
 */
export class BatchEncoding {
  readonly #encoder: CommitEncoder;
  readonly #segment: Segment;
  readonly #now: number;
  readonly #before: [ShardState, ShardAhead][] = [];

  /** Begins a commit at the end of `segment`, with what came up to `now`. */
  constructor(encoder: CommitEncoder, segment: Segment, now: number) {
    this.#encoder = encoder;
    this.#segment = segment;
    this.#now = now;
    encoder.begin(segment, now);
  }

  /**
   * Says where every shard stands, as the first commit of a segment does so that older ones can go at any time; in
   * pieces of work, since there may be thousands.
   */
  *defineAll(table: ShardTable): Generator<undefined, void> {
    let count = 0;
    for (const state of table.all()) {
      if (state.dropped) {
        // Segments still speak of it as if it lived: whoever reads them must know.
        if (state.mentions > 0) this.#encoder.mark(state, FLAG_DROP, state.end, this.#now);
      } else if (state.isOnDisk) this.#define(state);
      count += 1;
      if (count % SHARDS_AT_ONCE === 0) yield;
    }
  }

  /** Encodes the batch in pieces of work, and returns the runs that are in it; the others are rejected. */
  *add(batch: readonly Run[]): Generator<undefined, readonly Run[]> {
    const accepted: Run[] = [];
    let count = 0;
    for (const [state, runs] of groupByShard(batch, accepted)) {
      const isAsked = runs.some(({ flags }) => flags === FLAG_DEFINE);
      // Whether it was dropped when the batch was looked at: since then there were turns of the loop.
      const isDrop = runs.every(({ flags }) => flags === FLAG_DROP);
      if (!isDrop) this.#define(state, isAsked);
      yield* encodeRuns(this.#encoder, state, runs, this.#now);
      count += 1;
      if (count % SHARDS_AT_ONCE === 0) yield;
    }
    return accepted;
  }

  /** Takes back what was done to the shards. */
  undo(): void {
    for (const [state, ahead] of this.#before.reverse()) state.ahead = ahead;
  }

  #define(state: ShardState, isAgain = false): void {
    this.#before.push([state, state.ahead]);
    if (state.ahead.definedIn === this.#segment.number && !isAgain) return;
    this.#encoder.define(state);
    // Until another segment says it too, one wrong byte must not make the shard's records nobody's.
    if (state.mentions === 0) this.#encoder.define(state);
    state.ahead = { ...state.ahead, definedIn: this.#segment.number };
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

function* encodeRuns(
  encoder: CommitEncoder,
  state: ShardState,
  runs: readonly Run[],
  now: number,
): Generator<undefined, void> {
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
    yield* encoder.add(state, entries, ahead.end, at);
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
