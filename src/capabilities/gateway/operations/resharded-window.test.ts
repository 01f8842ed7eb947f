import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answer, NodeBench, oneRoute, send, stored } from '../harness.fixture.ts';

const SPLIT = {
  action: 'SplitShard',
  input: { ShardToSplit: 'shardId-000000000000', NewStartingHashKey: String(1n << 126n) },
};
const MERGE = {
  action: 'MergeShards',
  input: { ShardToMerge: 'shardId-000000000000', AdjacentShardToMerge: 'shardId-000000000001' },
};
/** The children of the split, in one again: grandchildren know what their parents' parent took. */
const MERGE_CHILDREN = {
  action: 'MergeShards',
  input: { ShardToMerge: 'shardId-000000000002', AdjacentShardToMerge: 'shardId-000000000003' },
};

async function reshard(bench: NodeBench, { action, input }: typeof SPLIT | typeof MERGE): Promise<void> {
  await bench.call(`Kinesis_20131202.${action}`, { StreamName: 'hooks', ...input });
  for (let status = ''; status !== 'ACTIVE';) {
    await bench.simulation.pass(100);
    const { StreamDescriptionSummary } = await bench.call('Kinesis_20131202.DescribeStreamSummary', {
      StreamName: 'hooks',
    });
    status = StreamDescriptionSummary.StreamStatus;
  }
}

/** Sends webhooks of these ids, and holds each answer against the first one. */
async function sendAll(bench: NodeBench, first: Map<string, Answer>, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const [answer, before] = [await send(bench, id, `{"id":"${id}"}`), first.get(id)];
    assert.equal(answer.status, 200);
    assert.equal(answer.duplicate, before !== undefined, id);
    if (before === undefined) first.set(id, answer);
    else assert.deepEqual([answer.ShardId, answer.SequenceNumber], [before.ShardId, before.SequenceNumber], id);
  }
}

for (const [what, steps] of [
  ['a split', [SPLIT]],
  ['a merge', [MERGE]],
  ['a split and a merge of its children', [SPLIT, MERGE_CHILDREN]],
] as const) {
  for (const isCut of [false, true]) {
    const when = isCut ? 'and a power cut' : 'by a node that goes on';
    test(`children inherit the window of their parents: after ${what} a repeat is told, ${when}`, async () => {
      const bench = await new NodeBench().open(oneRoute());
      const first = new Map<string, Answer>();
      const groups = [0, ...steps.map((_, index) => index + 1)].map((group) =>
        Array.from({ length: 12 }, (_unused, index) => `${group}-${index}`),
      );
      await sendAll(bench, first, groups[0] ?? []);
      for (const [index, step] of steps.entries()) {
        await reshard(bench, step);
        if (isCut) {
          bench.simulation.crash();
          bench.simulation.restart();
          await bench.open(oneRoute());
        }
        // Repeats of all before, then new ones, which go to the children.
        await sendAll(bench, first, groups.slice(0, index + 1).flat());
        await sendAll(bench, first, groups[index + 1] ?? []);
      }
      await sendAll(bench, first, groups.flat());
      const keys = (await stored(bench)).map(([key]) => key);
      assert.deepEqual(keys.sort(), groups.flat().sort(), 'each stands once in the stream');
      const shards = new Set([...first.values()].map(({ ShardId }) => ShardId));
      assert.ok(shards.size > 2, `those before and those behind a reshard took some: ${[...shards].join(', ')}`);
    });
  }
}
