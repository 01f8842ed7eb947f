import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench, type Answer } from '../harness.fixture.ts';
import { describeStream } from './describe-stream.ts';
import { getRecords } from './get-records.ts';
import { getShardIterator } from './get-shard-iterator.ts';
import { putRecord } from './put-record.ts';
import { splitShard } from './split-shard.ts';

const MIDDLE = (2n ** 127n).toString();

test('a split closes the parent behind its last record, and its children take what comes', async () => {
  const { call, make, fill } = await openBench();
  await make('a', 1);
  await fill('a', ['one', 'two']);
  const split = { StreamName: 'a', ShardToSplit: 'shardId-000000000000', NewStartingHashKey: MIDDLE };
  assert.equal(await call(splitShard, split), undefined);
  const { StreamDescription } = await call(describeStream, { StreamName: 'a' });
  assert.equal(StreamDescription.StreamStatus, 'ACTIVE');
  const [parent, low, high] = StreamDescription.Shards;
  assert.match(parent.SequenceNumberRange.EndingSequenceNumber, /^49\d{54}$/);
  for (const child of [low, high]) {
    assert.equal(child.ParentShardId, parent.ShardId);
    assert.equal('EndingSequenceNumber' in child.SequenceNumberRange, false);
  }
  const ranges = [low, high].map(({ HashKeyRange }: Answer) => HashKeyRange);
  assert.deepEqual(ranges, [
    { StartingHashKey: '0', EndingHashKey: (2n ** 127n - 1n).toString() },
    { StartingHashKey: MIDDLE, EndingHashKey: (2n ** 128n - 1n).toString() },
  ]);
  const put = { StreamName: 'a', PartitionKey: 'k', Data: 'YQ==' };
  assert.equal((await call(putRecord, { ...put, ExplicitHashKey: '0' })).ShardId, low.ShardId);
  assert.equal((await call(putRecord, { ...put, ExplicitHashKey: MIDDLE })).ShardId, high.ShardId);
});

test('who reads the parent comes to its end and is told the children', async () => {
  const { call, make, fill } = await openBench();
  await make('a', 1);
  const sequenceNumbers = await fill('a', ['one', 'two']);
  const shard = { StreamName: 'a', ShardId: 'shardId-000000000000' };
  const { ShardIterator } = await call(getShardIterator, { ...shard, ShardIteratorType: 'TRIM_HORIZON' });
  const split = { StreamName: 'a', ShardToSplit: shard.ShardId, NewStartingHashKey: MIDDLE };
  await call(splitShard, split);
  const page = await call(getRecords, { ShardIterator });
  assert.deepEqual(
    page.Records.map(({ SequenceNumber }: Answer) => SequenceNumber),
    sequenceNumbers,
  );
  const end = await call(getRecords, { ShardIterator: page.NextShardIterator });
  assert.equal('NextShardIterator' in end, false);
  assert.equal(end.MillisBehindLatest, 0);
  assert.deepEqual(
    end.ChildShards.map(({ ShardId, ParentShards }: Answer) => [ShardId, ParentShards]),
    [
      ['shardId-000000000001', [shard.ShardId]],
      ['shardId-000000000002', [shard.ShardId]],
    ],
  );
  assert.ok(sequenceNumbers.every((one) => one <= page.Records.at(-1).SequenceNumber));
});

test('puts at the moment of a split are stored once, in order, none refused', async () => {
  const { call, make } = await openBench();
  await make('a', 1);
  const put = async (index: number): Promise<Answer> =>
    await call(putRecord, {
      StreamName: 'a',
      PartitionKey: 'k',
      ExplicitHashKey: '0',
      Data: Buffer.from(`${index}`).toString('base64'),
    });
  const before = Array.from({ length: 20 }, async (_, index) => await put(index));
  const split = call(splitShard, { StreamName: 'a', ShardToSplit: 'shardId-000000000000', NewStartingHashKey: MIDDLE });
  const after = Array.from({ length: 20 }, async (_, index) => await put(20 + index));
  await split;
  const shards = (await Promise.all([...before, ...after])).map(({ ShardId }) => Number(ShardId.slice(-1)));
  assert.deepEqual(
    shards.toSorted((one, other) => one - other),
    shards,
    'first the parent, then the child',
  );
  const texts: string[] = [];
  for (const ShardId of ['shardId-000000000000', 'shardId-000000000001']) {
    const asked = { StreamName: 'a', ShardId, ShardIteratorType: 'TRIM_HORIZON' };
    const { Records } = await call(getRecords, await call(getShardIterator, asked));
    texts.push(...Records.map(({ Data }: Answer) => Buffer.from(Data, 'base64').toString()));
  }
  assert.deepEqual(
    texts,
    Array.from({ length: 40 }, (_, index) => `${index}`),
  );
});

test('what SplitShard refuses', async () => {
  const { call, refusal, make, records } = await openBench();
  await make('a', 1);
  await records.create({ name: 'o', mode: 'ON_DEMAND', shardCount: 4, retentionMs: 86_400_000, maxRecordBytes: 1 });
  const split = { StreamName: 'a', ShardToSplit: 'shardId-000000000000', NewStartingHashKey: MIDDLE };
  const high = (2n ** 128n - 1n).toString();
  for (const NewStartingHashKey of ['0', '1', high, '9'.repeat(39)]) {
    assert.match(
      await refusal(splitShard, { ...split, NewStartingHashKey }),
      /^InvalidArgumentException: NewStartingHashKey \d+ used in SplitShard\(\) on shard shardId-000000000000 .* StartingHashKey 0 and less/,
    );
  }
  assert.match(await refusal(splitShard, { ...split, NewStartingHashKey: '01' }), /^ValidationException/);
  assert.match(await refusal(splitShard, { ...split, ShardToSplit: 'shardId-000000000007' }), /^ResourceNotFound/);
  assert.match(await refusal(splitShard, { ...split, StreamName: 'o' }), /^ValidationException: .*On-Demand mode/);
  const [, second] = await Promise.all([call(splitShard, split), refusal(splitShard, split)]);
  assert.match(second, /^ResourceInUseException: Stream a under account 000000000000 not ACTIVE/);
  assert.match(await refusal(splitShard, split), /^InvalidArgumentException: .* has already been merged or split/);
});
