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
const RECORDS = 1600;

/** Puts numbered records under a few keys until there are enough, about 800 a second. */
async function write(StreamName) {
  for (let next = 0; next < RECORDS; next += 40) {
    const Records = Array.from({ length: 40 }, (_, index) => ({
      PartitionKey: `key ${(next + index) % KEYS}`,
      Data: Buffer.from(String(next + index)),
    }));
    const { FailedRecordCount } = await client.send(new PutRecordsCommand({ StreamName, Records }));
    assert.equal(FailedRecordCount, 0);
    await sleep(50);
  }
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

/** Follows shards from the first ones on, children after all of their parents; what came, in the order it came. */
async function follow(consumer, first) {
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
      if (seen.length >= RECORDS) return;
    }
    assert.ok(ended.has(shard), `${shard} ended without children`);
  };
  await new Promise((resolve, reject) => {
    const look = () => {
      if (seen.length >= RECORDS) resolve();
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
  const following = follow(
    consumer,
    Shards.map(({ ShardId }) => ShardId),
  );
  const writing = write('tree');
  await Promise.all([reshard('tree'), writing]);
  const { seen, ended } = await following;
  assert.equal(ended.size, 6);
  assert.equal(new Set(seen.map(({ number }) => number)).size, RECORDS);
  assert.equal(seen.length, RECORDS);
  for (let key = 0; key < KEYS; key += 1) {
    const numbers = seen.filter((record) => record.key === `key ${key}`).map(({ number }) => number);
    assert.deepEqual(
      numbers,
      Array.from({ length: RECORDS / KEYS }, (_, index) => index * KEYS + key),
    );
  }
  ok('SubscribeToShard through two splits and two merges: each record once, in order for each key');
}
