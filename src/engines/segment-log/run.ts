import { Fenced, type PackedEntries, UnknownShard, shardKey } from '../../ports/stream-store.ts';
import { FLAG_DROP } from './format.ts';
import { CATALOG_SHARD, type ShardState } from './shard-table.ts';

/** Something that waits for a commit: entries of one append call, or a marker. */
export interface Run {
  readonly state: ShardState;
  /** The writer's token; undefined for what no writer has to send. */
  readonly token: bigint | undefined;
  readonly entries: PackedEntries;
  /** END, DROP, DEFINE (said again, as the shard stands now), or 0 for entries. */
  readonly flags: number;
  /** What the run takes in the log at most. */
  readonly bytes: number;
  readonly resolve: (run: Run) => void;
  readonly reject: (error: Error) => void;
  /** Where it landed; set when its commit is encoded. */
  first: number;
  at: number;
}

/** Why the run cannot be written any more, if so. Asked when it is queued and again when its commit is made. */
export function refusal(run: Pick<Run, 'state' | 'token' | 'flags'>): Error | undefined {
  const { state, token, flags } = run;
  if (flags === FLAG_DROP) return undefined;
  if (state.dropped) return new UnknownShard(`shard ${shardKey(state.ref)} was dropped`);
  if (token !== undefined && token !== state.token) {
    return new Fenced(`another writer owns shard ${shardKey(state.ref)}`);
  }
  if (state.ahead.closed && flags === 0) return new Fenced(`shard ${shardKey(state.ref)} is closed`);
  return undefined;
}

/** Of all their entries. */
export function bytesOf(runs: readonly Run[]): number {
  return runs.reduce((sum, run) => sum + run.bytes, 0);
}

/** What a full disk must still take: the catalog's changes, deletions and ends of shards. */
export function isPrivileged(run: Run): boolean {
  return run.flags !== 0 || run.state.ref.stream === CATALOG_SHARD.stream;
}

/** Calls that tell everybody whom a commit of these runs concerns. */
export function answers(runs: readonly Run[]): readonly (() => void)[] {
  const shards = new Set(runs.map(({ state }) => state));
  return [...runs.map((run) => () => run.resolve(run)), ...Array.from(shards, (state) => state.due()).flat()];
}
