import assert from 'node:assert/strict';
import { check, onStream, refusals, type Area, type Check } from '../check.ts';
import { shard, texts, type Endpoint, type Json, type MadeStream } from '../endpoint.ts';

const MIDDLE = String(2n ** 127n);
const LAST = String(2n ** 128n - 1n);

/** A stream whose one shard, with a record `before`, was split, and whose low child has `after`. */
async function split(endpoint: Endpoint, { name }: MadeStream): Promise<Json> {
  if ((await endpoint.active(name)).Shards.length === 1) {
    await endpoint.put(name, 'before');
    const input = { StreamName: name, ShardToSplit: shard(0), NewStartingHashKey: MIDDLE };
    await endpoint.change('SplitShard', name, input);
    await endpoint.put(name, 'after');
  }
  return (await endpoint.active(name)).Shards;
}

function onSplit(name: string, run: (endpoint: Endpoint, stream: MadeStream, shards: Json) => Promise<void>): Check {
  return onStream(name, 'split', 1, async (endpoint, stream) => {
    await run(endpoint, stream, await split(endpoint, stream));
  });
}

const splits: readonly Check[] = [
  onSplit('a split gives two children that share the hash keys', async (_, __, [parent, low, high]) => {
    assert.deepEqual([parent.ShardId, low.ShardId, high.ShardId], [shard(0), shard(1), shard(2)]);
    assert.deepEqual([low.ParentShardId, high.ParentShardId], [shard(0), shard(0)]);
    const { StartingHashKey, EndingHashKey } = low.HashKeyRange;
    assert.deepEqual([StartingHashKey, EndingHashKey], ['0', String(2n ** 127n - 1n)]);
    assert.deepEqual(high.HashKeyRange, { StartingHashKey: MIDDLE, EndingHashKey: LAST });
  }),
  onSplit('the parent of a split ends behind its last record', async (endpoint, { name }, [parent, low]) => {
    const { EndingSequenceNumber } = parent.SequenceNumberRange;
    const [record] = (await endpoint.read(name, 'TRIM_HORIZON')).Records;
    assert.ok(BigInt(EndingSequenceNumber) >= BigInt(record.SequenceNumber), 'the last record is inside');
    assert.equal('EndingSequenceNumber' in low.SequenceNumberRange, false);
  }),
  onSplit('records of a parent stay with it, new ones go to its children', async (endpoint, { name }) => {
    const read = async (ordinal: number): Promise<string[]> =>
      texts(await endpoint.read(name, 'TRIM_HORIZON', { ShardId: shard(ordinal) }));
    assert.deepEqual([await read(0), await read(1), await read(2)], [['before'], ['after'], []]);
  }),
  onSplit('the end of a parent names its children and has no next iterator', async (endpoint, { name }) => {
    let page = await endpoint.read(name, 'TRIM_HORIZON');
    for (let time = 0; time < 5 && page.NextShardIterator; time += 1) {
      page = await endpoint.ok('GetRecords', { ShardIterator: page.NextShardIterator });
    }
    assert.ok(!page.NextShardIterator, 'no next iterator');
    const children = page.ChildShards?.map(({ ShardId, ParentShards }: Json) => [ShardId, ...ParentShards]);
    assert.deepEqual(children, [
      [shard(1), shard(0)],
      [shard(2), shard(0)],
    ]);
  }),
  onSplit('at the end of a closed shard one is 0 ms behind', async (endpoint, { name }) => {
    let page = await endpoint.read(name, 'TRIM_HORIZON');
    for (let time = 0; time < 5 && page.NextShardIterator; time += 1) {
      page = await endpoint.ok('GetRecords', { ShardIterator: page.NextShardIterator });
    }
    assert.equal(page.MillisBehindLatest, 0);
  }),
  onSplit('a closed shard is not split again', async (endpoint, { name }) => {
    const input = { StreamName: name, ShardToSplit: shard(0), NewStartingHashKey: '7' };
    const types = 'InvalidArgumentException|ResourceNotFoundException';
    await endpoint.refuses('SplitShard', input, types, /already been merged or split/);
  }),
  ...refusals('SplitShard', ({ name }) => {
    const at = (NewStartingHashKey: string, ShardToSplit = shard(0)): object => ({
      StreamName: name,
      ShardToSplit,
      NewStartingHashKey,
    });
    return [
      ['a shard that is not there', at('5', shard(9)), 'ResourceNotFoundException', /^Could not find shard/],
      ['a cut at the very start', at('0'), 'InvalidArgumentException', /NewStartingHashKey/],
      ['a cut behind the end', at('9'.repeat(39)), 'InvalidArgumentException', /NewStartingHashKey/],
      ['a hash key with a leading zero', at('01'), 'ValidationException', /'newStartingHashKey'/],
      ['a negative hash key', at('-5'), 'ValidationException', /'newStartingHashKey'/],
    ];
  }),
];

const merges: readonly Check[] = [
  onStream('a merge gives one child that owns the hash keys of both', 'merged', 2, async (endpoint, { name }) => {
    const merge = { StreamName: name, ShardToMerge: shard(0), AdjacentShardToMerge: shard(1) };
    await endpoint.change('MergeShards', name, merge);
    const [, , child] = (await endpoint.active(name)).Shards;
    assert.deepEqual([child.ParentShardId, child.AdjacentParentShardId], [shard(0), shard(1)]);
    assert.deepEqual(child.HashKeyRange, { StartingHashKey: '0', EndingHashKey: LAST });
  }),
  onStream('shards that are not neighbours are not merged', 'even4', 4, async (endpoint, { name }) => {
    const apart = { StreamName: name, ShardToMerge: shard(0), AdjacentShardToMerge: shard(2) };
    await endpoint.refuses('MergeShards', apart, 'InvalidArgumentException', /not an adjacent pair/);
  }),
  onStream('a shard that is not there is not merged', 'even4', 4, async (endpoint, { name }) => {
    const apart = { StreamName: name, ShardToMerge: shard(0), AdjacentShardToMerge: shard(9) };
    await endpoint.refuses('MergeShards', apart, 'ResourceNotFoundException', /^Could not find shard/);
  }),
];

async function openStarts(endpoint: Endpoint, name: string): Promise<string[]> {
  const { Shards } = await endpoint.active(name);
  const open = Shards.filter((one: Json) => one.SequenceNumberRange.EndingSequenceNumber === undefined);
  const starts: bigint[] = open.map((one: Json) => BigInt(one.HashKeyRange.StartingHashKey));
  return starts.sort((one, other) => (one < other ? -1 : 1)).map(String);
}

const counts: readonly Check[] = [
  check('UpdateShardCount from 2 to 3 makes even ranges and answers with the ARN', async (endpoint) => {
    const { name, arn } = await endpoint.make(endpoint.name('counted'), 2);
    const input = { StreamName: name, TargetShardCount: 3, ScalingType: 'UNIFORM_SCALING' };
    const answer = await endpoint.change('UpdateShardCount', name, input);
    const third = 2n ** 128n / 3n;
    assert.deepEqual(await openStarts(endpoint, name), ['0', String(third), String(third * 2n)]);
    const { StreamName, CurrentShardCount, TargetShardCount, StreamARN } = answer;
    assert.deepEqual([StreamName, CurrentShardCount, TargetShardCount, StreamARN], [name, 2, 3, arn]);
    await endpoint.remove(name);
  }),
  check('UpdateShardCount from 4 to 2 makes even ranges', async (endpoint) => {
    const { name } = await endpoint.make(endpoint.name('halved'), 4);
    const input = { StreamName: name, TargetShardCount: 2, ScalingType: 'UNIFORM_SCALING' };
    await endpoint.change('UpdateShardCount', name, input);
    assert.deepEqual(await openStarts(endpoint, name), ['0', MIDDLE]);
    await endpoint.remove(name);
  }),
  ...refusals('UpdateShardCount', ({ name }) => {
    const to = (TargetShardCount: number, ScalingType = 'UNIFORM_SCALING'): object => ({
      StreamName: name,
      TargetShardCount,
      ScalingType,
    });
    return [
      ['more than double', to(3), 'InvalidArgumentException', /over double/],
      ['a count of nothing', to(0), 'ValidationException', /greater than or equal to 1$/],
      ['another type of scaling', to(2, 'FAST'), 'ValidationException', /'scalingType'.*\[UNIFORM_SCALING\]$/],
    ];
  }),
];

function refusedOnDemand(action: string, input: object): Check {
  return onStream(`${action} is refused on an on-demand stream`, 'on-demand', undefined, async (endpoint, stream) => {
    // An endpoint that took what it had to refuse may still be at it.
    await endpoint.active(stream.name);
    const given = { StreamName: stream.name, ...input };
    const types = 'ValidationException|InvalidArgumentException';
    await endpoint.refuses(action, given, action === 'SplitShard' ? 'ValidationException' : types, /On-Demand mode\.$/);
  });
}

const onDemand: readonly Check[] = [
  onStream('an on-demand stream opens with 4 shards', 'on-demand', undefined, async (endpoint, { name }) => {
    const { Shards, StreamModeDetails } = await endpoint.active(name);
    assert.deepEqual([Shards.length, StreamModeDetails], [4, { StreamMode: 'ON_DEMAND' }]);
  }),
  refusedOnDemand('SplitShard', { ShardToSplit: shard(0), NewStartingHashKey: '1000' }),
  refusedOnDemand('MergeShards', { ShardToMerge: shard(0), AdjacentShardToMerge: shard(1) }),
  refusedOnDemand('UpdateShardCount', { TargetShardCount: 5, ScalingType: 'UNIFORM_SCALING' }),
  check('UpdateStreamMode changes the mode twice a day, shards stay', async (endpoint) => {
    const { name, arn } = await endpoint.make(endpoint.name('mode'), 2);
    const to = (StreamMode: string): object => ({ StreamARN: arn, StreamModeDetails: { StreamMode } });
    await endpoint.change('UpdateStreamMode', name, to('ON_DEMAND'));
    const { StreamModeDetails, Shards } = await endpoint.active(name);
    assert.deepEqual([StreamModeDetails, Shards.length], [{ StreamMode: 'ON_DEMAND' }, 2]);
    await endpoint.change('UpdateStreamMode', name, to('PROVISIONED'));
    await endpoint.refuses('UpdateStreamMode', to('ON_DEMAND'), 'LimitExceededException', /24 hours/);
    await endpoint.remove(name);
  }),
  ...refusals('UpdateStreamMode', ({ arn }) => [
    [
      'an unknown mode',
      { StreamARN: arn, StreamModeDetails: { StreamMode: 'X' } },
      'ValidationException',
      /'streamModeDetails\.streamMode'/,
    ],
    ['no ARN', { StreamModeDetails: { StreamMode: 'ON_DEMAND' } }, 'ValidationException', /'streamARN'/],
    [
      'a stream that is not there',
      { StreamARN: `${arn}x`, StreamModeDetails: { StreamMode: 'ON_DEMAND' } },
      'ResourceNotFoundException',
      /not found\.$/,
    ],
  ]),
];

/** Shards that are split, merged, counted; streams that change their mode. */
export const resharding: Area = {
  title: 'resharding and modes',
  checks: [...splits, ...merges, ...counts, ...onDemand],
};
