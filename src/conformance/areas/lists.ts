import assert from 'node:assert/strict';
import { check, onStream, refusals, type Area, type Check } from '../check.ts';
import { pause, shard, type Endpoint, type Json, type MadeStream } from '../endpoint.ts';

async function listed(endpoint: Endpoint): Promise<readonly string[]> {
  const names = ['list1', 'list2', 'list3'];
  // Made in another order than they are listed in.
  for (const name of names.toReversed()) await endpoint.stream(name, 1);
  return await Promise.all(names.map(async (name) => (await endpoint.stream(name, 1)).name));
}

const ofStreams: readonly Check[] = [
  check('ListStreams is sorted and goes on behind a name', async (endpoint) => {
    const [one, two, three] = await listed(endpoint);
    const page = await endpoint.ok('ListStreams', { Limit: 2, ExclusiveStartStreamName: one });
    assert.deepEqual(page.StreamNames, [two, three]);
  }),
  check('ListStreams goes on with a NextToken', async (endpoint) => {
    const [one, two, three] = await listed(endpoint);
    const page = await endpoint.ok('ListStreams', { Limit: 1, ExclusiveStartStreamName: one });
    assert.deepEqual([page.StreamNames, page.HasMoreStreams], [[two], true]);
    const next = await endpoint.ok('ListStreams', { Limit: 1, NextToken: page.NextToken });
    assert.deepEqual(next.StreamNames, [three]);
  }),
  check('ListStreams summarises each stream', async (endpoint) => {
    const [one] = await listed(endpoint);
    const page = await endpoint.ok('ListStreams', { Limit: 1, ExclusiveStartStreamName: one?.slice(0, -9) });
    const [summary] = page.StreamSummaries;
    assert.equal(page.StreamNames[0], summary.StreamName);
    const { StreamStatus, StreamModeDetails } = summary;
    assert.deepEqual([StreamStatus, StreamModeDetails], ['ACTIVE', { StreamMode: 'PROVISIONED' }]);
    for (const member of ['StreamARN', 'StreamCreationTimestamp']) assert.ok(member in summary, member);
  }),
  ...refusals('ListStreams', () => [
    ['a page of nothing', { Limit: 0 }, 'ValidationException', /greater than or equal to 1$/],
  ]),
];

const ofShards: readonly Check[] = [
  onStream('ListShards goes on with a NextToken', 'even4', 4, async (endpoint, { name }) => {
    const page = await endpoint.ok('ListShards', { StreamName: name, MaxResults: 3 });
    assert.equal(page.Shards.length, 3);
    const { Shards, NextToken } = await endpoint.ok('ListShards', { NextToken: page.NextToken });
    assert.deepEqual([Shards.map(({ ShardId }: Json) => ShardId), NextToken], [[shard(3)], undefined]);
  }),
  onStream('ListShards takes no name beside a NextToken', 'even4', 4, async (endpoint, { name }) => {
    const { NextToken } = await endpoint.ok('ListShards', { StreamName: name, MaxResults: 3 });
    const both = { NextToken, StreamName: name };
    await endpoint.refuses('ListShards', both, 'InvalidArgumentException', /NextToken and StreamName/);
  }),
  onStream('ListShards goes on behind a shard', 'even4', 4, async (endpoint, { name }) => {
    const { Shards } = await endpoint.ok('ListShards', { StreamName: name, ExclusiveStartShardId: shard(1) });
    assert.deepEqual(
      Shards.map(({ ShardId }: Json) => ShardId),
      [shard(2), shard(3)],
    );
  }),
  onStream('ListShards knows a stream by the second in which it was made', 'even4', 4, async (endpoint, { name }) => {
    const { StreamCreationTimestamp } = await endpoint.active(name);
    const { Shards } = await endpoint.ok('ListShards', { StreamName: name, StreamCreationTimestamp });
    assert.equal(Shards.length, 4);
    const other = { StreamName: name, StreamCreationTimestamp: 1 };
    await endpoint.refuses('ListShards', other, 'ResourceNotFoundException');
  }),
  ...refusals('ListShards', ({ name, missing }) => {
    const filter = (ShardFilter: object): object => ({ StreamName: name, ShardFilter });
    return [
      ['a stream that is not there', { StreamName: missing }, 'ResourceNotFoundException', /not found\.$/],
      ['an unknown filter', filter({ Type: 'X' }), 'ValidationException', /'shardFilter\.type'.*enum value set/],
      ['a filter without a type', filter({}), 'ValidationException', /'shardFilter\.type'.*must not be null$/],
      ['AFTER_SHARD_ID without a shard', filter({ Type: 'AFTER_SHARD_ID' }), 'InvalidArgumentException', /ShardId/],
      ['AT_TIMESTAMP without a time', filter({ Type: 'AT_TIMESTAMP' }), 'InvalidArgumentException', /Timestamp/],
    ];
  }),
];

/** A stream whose one shard was split a moment after its first record; when that arrived. */
async function splitStream(endpoint: Endpoint, { name }: MadeStream): Promise<number> {
  const { Shards } = await endpoint.active(name);
  if (Shards.length === 1) {
    await endpoint.put(name, 'x');
    await pause(1100);
    const split = { StreamName: name, ShardToSplit: shard(0), NewStartingHashKey: String(2n ** 127n) };
    await endpoint.change('SplitShard', name, split);
    await pause(1100);
  }
  const { Records } = await endpoint.read(name, 'TRIM_HORIZON');
  return Records[0].ApproximateArrivalTimestamp;
}

function filters(title: string, expected: readonly number[], filter: (arrival: number) => object): Check {
  return onStream(`ListShards ${title} after a split`, 'filtered', 1, async (endpoint, stream) => {
    const arrival = await splitStream(endpoint, stream);
    const { Shards } = await endpoint.ok('ListShards', { StreamName: stream.name, ShardFilter: filter(arrival) });
    const ids = Shards.map(({ ShardId }: Json) => ShardId).sort();
    assert.deepEqual(ids, expected.map(shard));
  });
}

const filtered: readonly Check[] = [
  filters('AT_LATEST: the children', [1, 2], () => ({ Type: 'AT_LATEST' })),
  filters('AT_TRIM_HORIZON: the parent alone', [0], () => ({ Type: 'AT_TRIM_HORIZON' })),
  filters('FROM_TRIM_HORIZON: all', [0, 1, 2], () => ({ Type: 'FROM_TRIM_HORIZON' })),
  filters('AT_TIMESTAMP before it: the parent', [0], (Timestamp) => ({ Type: 'AT_TIMESTAMP', Timestamp })),
  filters('FROM_TIMESTAMP before it: all', [0, 1, 2], (Timestamp) => ({ Type: 'FROM_TIMESTAMP', Timestamp })),
  filters('AFTER_SHARD_ID: those behind it', [2], () => ({ Type: 'AFTER_SHARD_ID', ShardId: shard(1) })),
];

/** Lists of streams and shards. */
export const lists: Area = { title: 'lists and filters', checks: [...ofStreams, ...ofShards, ...filtered] };
