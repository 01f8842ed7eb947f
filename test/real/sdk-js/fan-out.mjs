/** A consumer that follows splits and merges. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ListShardsCommand,
  MergeShardsCommand,
  PutRecordsCommand,
  SplitShardCommand,
  waitUntilStreamExists,
} from '@aws-sdk/client-kinesis';
import { client, consumerOf, createStream, ok, subscribe, text, waiting } from './client.mjs';

const KEYS = 8;
const BATCH = 40;

async function putBatch(StreamName, first) {
  const Records = Array.from({ length: BATCH }, (_, index) => ({
    PartitionKey: `key ${(first + index) % KEYS}`,
    Data: Buffer.from(String(first + index)),
  }));
  const { FailedRecordCount } = await client.send(new PutRecordsCommand({ StreamName, Records }));
  assert.equal(FailedRecordCount, 0);
}

/** Puts numbered records under a few keys, about 800 a second, until `work` is done, and one batch behind it. */
async function writeDuring(StreamName, work, total) {
  const done = new AbortController();
  const working = work.finally(() => done.abort());
  let next = 0;
  for (; !done.signal.aborted; next += BATCH) {
    await putBatch(StreamName, next);
    await sleep(50);
  }
  await working;
  // Known before the last ones come, so that whoever follows sees that they are the last.
  total.count = next + BATCH;
  await putBatch(StreamName, next);
}

/** Splits the first shard and merges its children, again and again, while the others go on. */
async function reshard(StreamName) {
  for (let round = 0; round < 2; round += 1) {
    const { Shards } = await client.send(new ListShardsCommand({ StreamName, ShardFilter: { Type: 'AT_LATEST' } }));
    const [{ ShardId, HashKeyRange }] = Shards;
    const middle = (BigInt(HashKeyRange.StartingHashKey) + BigInt(HashKeyRange.EndingHashKey)) / 2n;
    const split = { StreamName, ShardToSplit: ShardId, NewStartingHashKey: String(middle) };
    await client.send(new SplitShardCommand(split));
    await waitUntilStreamExists(waiting, { StreamName });
    await sleep(300);
    const after = await client.send(new ListShardsCommand({ StreamName }));
    const [one, other] = after.Shards.filter(({ ParentShardId }) => ParentShardId === ShardId);
    const merge = { StreamName, ShardToMerge: one.ShardId, AdjacentShardToMerge: other.ShardId };
    await client.send(new MergeShardsCommand(merge));
    await waitUntilStreamExists(waiting, { StreamName });
    await sleep(300);
  }
}

/**
 * Follows shards from the first ones on, children after all of their parents, until `total` came; what came, in its order.
 */
async function follow(consumer, first, total) {
  const seen = [];
  const ended = new Set();
  const known = new Map(first.map((shard) => [shard, []]));
  const begun = new Set();
  const run = async (shard) => {
    for await (const { SubscribeToShardEvent: event } of await subscribe(consumer, shard)) {
      assert.ok(Number.isInteger(event.MillisBehindLatest));
      for (const { PartitionKey, Data } of event.Records) seen.push({ key: PartitionKey, number: Number(text(Data)) });
      for (const { ShardId, ParentShards } of event.ChildShards ?? []) known.set(ShardId, ParentShards);
      if (event.ChildShards !== undefined) ended.add(shard);
      if (seen.length >= total.count) return;
    }
    assert.ok(ended.has(shard), `${shard} ended without children`);
  };
  await new Promise((resolve, reject) => {
    const look = () => {
      if (seen.length >= total.count) resolve();
      for (const [shard, parents] of known) {
        if (begun.has(shard) || !parents.every((parent) => ended.has(parent))) continue;
        begun.add(shard);
        run(shard).then(look, reject);
      }
    };
    look();
  });
  return { seen, ended };
}

/** A consumer follows a stream through two splits and two merges while records flow. */
export async function followsTheTree() {
  const { StreamARN } = await createStream('tree', 2);
  const consumer = await consumerOf(StreamARN, 'follower');
  const { Shards } = await client.send(new ListShardsCommand({ StreamName: 'tree' }));
  const total = { count: Infinity };
  const first = Shards.map(({ ShardId }) => ShardId);
  const following = follow(consumer, first, total);
  await writeDuring('tree', reshard('tree'), total);
  const { seen, ended } = await following;
  assert.equal(ended.size, 6);
  assert.equal(new Set(seen.map(({ number }) => number)).size, total.count);
  assert.equal(seen.length, total.count);
  for (let key = 0; key < KEYS; key += 1) {
    const numbers = seen.filter((record) => record.key === `key ${key}`).map(({ number }) => number);
    assert.deepEqual(
      numbers,
      Array.from({ length: total.count / KEYS }, (_, index) => index * KEYS + key),
    );
  }
  ok('SubscribeToShard through two splits and two merges: each record once, in order for each key');
}
