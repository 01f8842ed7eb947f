import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { openBench, type Answer, type Bench } from './harness.fixture.ts';
import { kinesisLimits } from './limits.ts';
import { listShards } from './operations/list-shards.ts';
import { mergeShards } from './operations/merge-shards.ts';
import { splitShard } from './operations/split-shard.ts';
import { updateShardCount } from './operations/update-shard-count.ts';

const SPACE = 1n << 128n;
const HOUR = 3_600_000;

/** A shard as the model knows it: only from what the actions asked for were, and when. */
interface Known {
  readonly id: string;
  readonly start: bigint;
  readonly end: bigint;
  readonly parents: readonly string[];
  readonly openedAt: number;
  closedAt?: number;
}

/** The shards of one stream, in the order in which they came. */
class Tree {
  readonly known: Known[] = [];
  readonly bench: Bench;

  constructor(bench: Bench) {
    this.bench = bench;
  }

  get now(): number {
    return this.bench.environment.clock.now();
  }

  get open(): Known[] {
    return this.known
      .filter(({ closedAt }) => closedAt === undefined)
      .sort((one, other) => (one.start < other.start ? -1 : 1));
  }

  /** Takes over what is new, which must follow from what was there: children own what their parents owned. */
  async learn(): Promise<void> {
    const shards: readonly Answer[] = (await this.bench.call(listShards, { StreamName: 'a' })).Shards;
    const fresh = shards.filter(({ ShardId }) => !this.known.some(({ id }) => id === ShardId)).map(known(this.now));
    this.known.push(...fresh);
    for (const { ShardId, SequenceNumberRange } of shards) {
      const shard = this.find(ShardId);
      if (SequenceNumberRange.EndingSequenceNumber !== undefined) shard.closedAt ??= this.now;
      else assert.equal(shard.closedAt, undefined, 'nothing opens again');
    }
    for (const { id, start, end, parents } of fresh) {
      for (const parent of parents)
        assert.notEqual(this.find(parent).closedAt, undefined, 'children follow their parents');
      const born = fresh.filter((one) => one.parents.some((name) => parents.includes(name)));
      const [from, to] = [parents, born.map((one) => one.id)].map((ids) => ids.map((name) => this.find(name)));
      if (parents.length > 0) assert.deepEqual(joined(to ?? []), joined(from ?? []), `${id}: ${start}..${end}`);
    }
    assert.deepEqual(joined(this.open), [0n, SPACE - 1n], 'the open shards own all hash keys');
  }

  find(id: string): Known {
    return this.known.find((one) => one.id === id) ?? assert.fail(`no shard ${id}`);
  }
}

function known(openedAt: number): (shard: Answer) => Known {
  return ({ ShardId: id, ParentShardId, AdjacentParentShardId, HashKeyRange }) => ({
    id,
    start: BigInt(HashKeyRange.StartingHashKey),
    end: BigInt(HashKeyRange.EndingHashKey),
    parents: [ParentShardId, AdjacentParentShardId].filter((one) => one !== undefined),
    openedAt,
  });
}

/** The bounds of ranges that lie side by side without gap or overlap; fails for any others. */
function joined(shards: readonly Known[]): [bigint, bigint] {
  const sorted = shards.toSorted((one, other) => (one.start < other.start ? -1 : 1));
  for (const [index, { start, end }] of sorted.entries()) {
    assert.ok(start <= end);
    if (index > 0) assert.equal(start, (sorted[index - 1]?.end ?? 0n) + 1n, 'no gap and no overlap');
  }
  return [sorted[0]?.start ?? -1n, sorted.at(-1)?.end ?? -1n];
}

type Step =
  | { readonly kind: 'split'; readonly which: number; readonly where: number }
  | { readonly kind: 'merge'; readonly which: number }
  | { readonly kind: 'count'; readonly factor: number }
  | { readonly kind: 'pass'; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('split' as const),
    which: fc.nat(),
    where: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  fc.record({ kind: fc.constant('merge' as const), which: fc.nat() }),
  fc.record({ kind: fc.constant('count' as const), factor: fc.double({ min: 0.5, max: 2, noNaN: true }) }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1, 1000, 8 * HOUR, 25 * HOUR) }),
);

async function take(tree: Tree, one: Step): Promise<void> {
  const { bench, open } = tree;
  const StreamName = 'a';
  switch (one.kind) {
    case 'split': {
      const shard = open[one.which % open.length] ?? assert.fail();
      const width = shard.end - shard.start;
      if (width < 4n || open.length > 20) return;
      // Also right beside the bounds that are not allowed any more.
      const at = shard.start + 2n + ((width - 3n) * BigInt(Math.round(one.where * 1000))) / 1000n;
      const NewStartingHashKey = at.toString();
      await bench.call(splitShard, { StreamName, ShardToSplit: shard.id, NewStartingHashKey });
      return;
    }
    case 'merge': {
      if (open.length < 2) return;
      const index = one.which % (open.length - 1);
      const pair = [open[index]?.id, open[index + 1]?.id];
      const [ShardToMerge, AdjacentShardToMerge] = one.which % 2 === 0 ? pair : pair.toReversed();
      await bench.call(mergeShards, { StreamName, ShardToMerge, AdjacentShardToMerge });
      return;
    }
    case 'count': {
      const TargetShardCount = Math.round(open.length * one.factor);
      if (TargetShardCount === open.length || TargetShardCount > 20 || TargetShardCount < open.length / 2) return;
      await bench.call(updateShardCount, { StreamName, TargetShardCount, ScalingType: 'UNIFORM_SCALING' });
      return;
    }
    default:
      bench.environment.advance(one.ms);
  }
}

/** What AWS's documentation says of each filter, told from the tree alone. */
function expected(tree: Tree, createdAt: number, filter: Answer): string[] {
  const horizon = tree.now - kinesisLimits.retentionHoursMin * HOUR;
  const kept = tree.known.filter(({ closedAt = Infinity }) => closedAt >= horizon);
  const roots = ({ parents }: Known): boolean => parents.length === 0;
  const chosen = (): Known[] => {
    const asked = Math.round((filter.Timestamp ?? 0) * 1000);
    const moment = Math.max(asked, horizon);
    switch (filter.Type) {
      case 'AFTER_SHARD_ID':
        return kept.filter(({ id }) => id > filter.ShardId);
      case 'AT_LATEST':
        return tree.open;
      case 'AT_TRIM_HORIZON':
        if (horizon <= createdAt) return kept.filter(roots);
        return kept.filter(({ openedAt, closedAt = Infinity }) => openedAt <= horizon && closedAt > horizon);
      case 'AT_TIMESTAMP':
        if (moment <= createdAt) return kept.filter(roots);
        return kept.filter(({ openedAt, closedAt = Infinity }) => openedAt <= moment && closedAt >= moment);
      case 'FROM_TIMESTAMP':
        return kept.filter(({ closedAt = Infinity }) => closedAt >= moment);
      default:
        return kept;
    }
  };
  return chosen()
    .map(({ id }) => id)
    .sort();
}

async function checkFilters(tree: Tree, createdAt: number): Promise<void> {
  const moments = new Set(tree.known.flatMap(({ openedAt, closedAt = tree.now }) => [openedAt, closedAt]));
  const times = [...moments].flatMap((at) => [at - 1, at, at + 1]).filter((at) => at <= tree.now);
  const filters: readonly Answer[] = [
    { Type: 'AT_LATEST' },
    { Type: 'AT_TRIM_HORIZON' },
    { Type: 'FROM_TRIM_HORIZON' },
    ...tree.known.map(({ id }) => ({ Type: 'AFTER_SHARD_ID', ShardId: id })),
    ...times.flatMap((at) => ['AT_TIMESTAMP', 'FROM_TIMESTAMP'].map((Type) => ({ Type, Timestamp: at / 1000 }))),
  ];
  for (const ShardFilter of filters) {
    const { Shards } = await tree.bench.call(listShards, { StreamName: 'a', ShardFilter });
    const ids = Shards.map(({ ShardId }: Answer) => ShardId);
    assert.deepEqual(ids, expected(tree, createdAt, ShardFilter), JSON.stringify(ShardFilter));
    if (!['AT_LATEST', 'AT_TRIM_HORIZON'].includes(ShardFilter.Type)) continue;
    const whole = joined(ids.map((id: string) => tree.find(id)));
    assert.deepEqual(whole, [0n, SPACE - 1n], `${ShardFilter.Type} chooses shards that own all hash keys`);
  }
}

test('after any splits, merges and counts the open shards own all hash keys, and filters choose what AWS says', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 12 }), async (shards, steps) => {
      const bench = await openBench();
      const { createdAt } = await bench.make('a', shards);
      const tree = new Tree(bench);
      await tree.learn();
      for (const one of steps) {
        const before = tree.known.length;
        await take(tree, one);
        await tree.learn();
        if (tree.known.length > before) seen.add(one.kind);
      }
      await checkFilters(tree, createdAt);
    }),
    { seed: 5, numRuns: 60 },
  );
  assert.deepEqual([...seen].sort(), ['count', 'merge', 'split'], 'each way of changing shards was tried');
});
