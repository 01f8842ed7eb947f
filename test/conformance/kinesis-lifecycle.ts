import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { base64, ok, refuses, withStream, type Subject } from './subject.ts';

interface Shard {
  readonly ShardId: string;
  readonly ParentShardId?: string;
  readonly AdjacentParentShardId?: string;
  readonly HashKeyRange: { readonly StartingHashKey: string; readonly EndingHashKey: string };
  readonly SequenceNumberRange: { readonly StartingSequenceNumber: string; readonly EndingSequenceNumber?: string };
}

interface Page {
  readonly Records: readonly { readonly Data: string }[];
  readonly NextShardIterator?: string;
  readonly MillisBehindLatest: number;
  readonly ChildShards?: readonly { readonly ShardId: string; readonly ParentShards: readonly string[] }[];
}

const MIDDLE = (2n ** 127n).toString();
const id = (ordinal: number): string => `shardId-${String(ordinal).padStart(12, '0')}`;

/** What changes a stream after it was made: splits, merges, counts, retention, tags. */
export function kinesisLifecycleConformance(subject: Subject): void {
  describe('kinesis: the life of a stream', () => {
    test('a split: parent, children and who reads across', async () => await splits(subject));
    test('merges and uniform counts', async () => await counts(subject));
    test('retention up and down', async () => await retention(subject));
    test('tags', async () => await tags(subject));
  });
}

async function shardsOf(subject: Subject, name: string): Promise<readonly Shard[]> {
  const { Shards } = await ok<{ Shards: readonly Shard[] }>(subject.kinesis('ListShards', { StreamName: name }));
  return Shards;
}

async function splits(subject: Subject): Promise<void> {
  await withStream(subject, 1, async (name) => {
    const put = { StreamName: name, PartitionKey: 'k', ExplicitHashKey: '0' };
    await ok(subject.kinesis('PutRecord', { ...put, Data: base64('before') }));
    const asked = { StreamName: name, ShardId: id(0), ShardIteratorType: 'TRIM_HORIZON' };
    const { ShardIterator } = await ok<{ ShardIterator: string }>(subject.kinesis('GetShardIterator', asked));
    const split = { StreamName: name, ShardToSplit: id(0), NewStartingHashKey: MIDDLE };
    await ok(subject.kinesis('SplitShard', split));
    await refuses(subject.kinesis('SplitShard', split), 'InvalidArgumentException', /already been merged or split/);
    const { ShardId } = await ok<{ ShardId: string }>(subject.kinesis('PutRecord', { ...put, Data: base64('after') }));
    assert.equal(ShardId, id(1));
    const [parent, low, high] = await shardsOf(subject, name);
    assert.deepEqual([low?.ParentShardId, high?.ParentShardId], [id(0), id(0)]);
    assert.equal(high?.HashKeyRange.StartingHashKey, MIDDLE);
    assert.match(parent?.SequenceNumberRange.EndingSequenceNumber ?? '', /^49\d{54}$/);
    const page = await ok<Page>(subject.kinesis('GetRecords', { ShardIterator }));
    assert.deepEqual(
      page.Records.map(({ Data }) => Data),
      [base64('before')],
    );
    assert.deepEqual([page.NextShardIterator, page.MillisBehindLatest], [undefined, 0]);
    const children = page.ChildShards?.map((child) => [child.ShardId, ...child.ParentShards]);
    assert.deepEqual(children, [
      [id(1), id(0)],
      [id(2), id(0)],
    ]);
  });
}

async function counts(subject: Subject): Promise<void> {
  await withStream(subject, 2, async (name) => {
    const merge = { StreamName: name, ShardToMerge: id(0), AdjacentShardToMerge: id(1) };
    await ok(subject.kinesis('MergeShards', merge));
    const [, , child] = await shardsOf(subject, name);
    assert.deepEqual([child?.ParentShardId, child?.AdjacentParentShardId], [id(0), id(1)]);
    const update = { StreamName: name, TargetShardCount: 2, ScalingType: 'UNIFORM_SCALING' };
    const answer = await ok(subject.kinesis('UpdateShardCount', update));
    assert.deepEqual([answer['CurrentShardCount'], answer['TargetShardCount']], [1, 2]);
    const open = (await shardsOf(subject, name)).filter(
      ({ SequenceNumberRange: range }) => range.EndingSequenceNumber === undefined,
    );
    const starts = open.map(({ HashKeyRange }) => HashKeyRange.StartingHashKey);
    assert.deepEqual(starts, ['0', MIDDLE]);
    const apart = { StreamName: name, ShardToMerge: open[0]?.ShardId, AdjacentShardToMerge: id(0) };
    await refuses(subject.kinesis('MergeShards', apart), 'InvalidArgumentException', /already been merged or split/);
  });
}

async function retention(subject: Subject): Promise<void> {
  await withStream(subject, 1, async (StreamName) => {
    const change = async (which: string, hours: number) =>
      await subject.kinesis(`${which}StreamRetentionPeriod`, { StreamName, RetentionPeriodHours: hours });
    await ok(change('Increase', 48));
    await refuses(change('Increase', 47), 'InvalidArgumentException', /can not be shorter than/);
    await refuses(change('Decrease', 49), 'InvalidArgumentException', /can not be longer than/);
    await refuses(change('Increase', 8761), 'InvalidArgumentException', /too long/);
    await refuses(change('Decrease', 23), 'InvalidArgumentException', /too short/);
    await ok(change('Decrease', 24));
  });
}

async function tags(subject: Subject): Promise<void> {
  await withStream(subject, 1, async (StreamName) => {
    await ok(subject.kinesis('AddTagsToStream', { StreamName, Tags: { a: '1', b: '2', c: '' } }));
    await ok(subject.kinesis('RemoveTagsFromStream', { StreamName, TagKeys: ['b', 'x'] }));
    const listed = await ok(subject.kinesis('ListTagsForStream', { StreamName, Limit: 1 }));
    assert.deepEqual(listed, { Tags: [{ Key: 'a', Value: '1' }], HasMoreTags: true });
  });
}
