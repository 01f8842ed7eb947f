import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ok, refuses, type Subject } from './subject.ts';

interface Shard {
  readonly ShardId: string;
  readonly HashKeyRange: { readonly StartingHashKey: string; readonly EndingHashKey: string };
  readonly SequenceNumberRange: { readonly StartingSequenceNumber: string };
}

interface Description extends Readonly<Record<string, unknown>> {
  readonly StreamName: string;
  readonly StreamARN: string;
  readonly StreamCreationTimestamp: number;
  readonly Shards: readonly Shard[];
}

interface ListedStreams {
  readonly StreamNames: readonly string[];
  readonly HasMoreStreams: boolean;
  readonly NextToken?: string;
  readonly StreamSummaries: readonly Readonly<Record<string, unknown>>[];
}

interface ListedShards {
  readonly Shards: readonly Shard[];
  readonly NextToken?: string;
}

/** Even ranges as AWS cuts them: the first hash keys of a stream's shards. */
const STARTING_HASH_KEYS: Readonly<Record<number, readonly string[]>> = {
  1: ['0'],
  2: ['0', '170141183460469231731687303715884105728'],
  3: ['0', '113427455640312821154458202477256070485', '226854911280625642308916404954512140970'],
  4: [
    '0',
    '85070591730234615865843651857942052864',
    '170141183460469231731687303715884105728',
    '255211775190703847597530955573826158592',
  ],
};
const LAST_HASH_KEY = '340282366920938463463374607431768211455';

async function describeStream(subject: Subject, name: string): Promise<Description> {
  const answer = await ok<{ StreamDescription: Description }>(subject.kinesis('DescribeStream', { StreamName: name }));
  return answer.StreamDescription;
}

/** Streams and shards: CreateStream, DeleteStream, DescribeStream, DescribeStreamSummary, ListStreams, ListShards. */
export function kinesisConformance(subject: Subject): void {
  describe('kinesis: streams and shards', () => {
    test('the envelope: ids of the request, the type of the answer, nothing where nothing is said', async () => {
      const created = await subject.kinesis('CreateStream', { StreamName: subject.name('envelope'), ShardCount: 1 });
      assert.equal(created.status, 200, created.text);
      assert.equal(created.text, '');
      assert.match(created.headers.get('x-amzn-requestid') ?? '', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      assert.match(created.headers.get('x-amz-id-2') ?? '', /^[A-Za-z0-9+/=]{40,}$/);
      assert.equal(created.headers.get('content-type'), 'application/x-amz-json-1.1');
      const deleted = await subject.kinesis('DeleteStream', { StreamName: subject.name('envelope') });
      assert.deepEqual([deleted.status, deleted.text], [200, '']);
    });
    test('CreateStream cuts the hash keys evenly', async () => await evenRanges(subject));
    test('CreateStream opens an on-demand stream with 4 shards', async () => await onDemand(subject));
    test('DescribeStream and DescribeStreamSummary: all members, page of shards', async () => await describes(subject));
    test('any region and account of an ARN finds the local stream by its name', async () => await byArn(subject));
    test('ListStreams: sorted, paged by name and by token', async () => await listStreams(subject));
    test('ListShards: paged, resumed, filtered', async () => await listShards(subject));
    test('DeleteStream: gone, with its records, and the name is free', async () => await deletes(subject));
  });
}

async function evenRanges(subject: Subject): Promise<void> {
  for (const [count, starts] of Object.entries(STARTING_HASH_KEYS)) {
    const name = subject.name(`even${count}`);
    await ok(subject.kinesis('CreateStream', { StreamName: name, ShardCount: Number(count) }));
    const { Shards } = await describeStream(subject, name);
    assert.deepEqual(
      Shards.map(({ ShardId }) => ShardId),
      starts.map((_, index) => `shardId-00000000000${index}`),
    );
    assert.deepEqual(
      Shards.map(({ HashKeyRange }) => HashKeyRange.StartingHashKey),
      starts,
    );
    const ends = [...starts.slice(1).map((start) => String(BigInt(start) - 1n)), LAST_HASH_KEY];
    assert.deepEqual(
      Shards.map(({ HashKeyRange }) => HashKeyRange.EndingHashKey),
      ends,
    );
    const numbers = Shards.map(({ SequenceNumberRange }) => SequenceNumberRange.StartingSequenceNumber);
    assert.equal(new Set(numbers).size, starts.length);
    for (const number of numbers) assert.match(number, /^49\d{54}$/);
    await ok(subject.kinesis('DeleteStream', { StreamName: name }));
  }
}

async function onDemand(subject: Subject): Promise<void> {
  const name = subject.name('on-demand');
  await ok(subject.kinesis('CreateStream', { StreamName: name, StreamModeDetails: { StreamMode: 'ON_DEMAND' } }));
  const description = await describeStream(subject, name);
  assert.deepEqual(description['StreamModeDetails'], { StreamMode: 'ON_DEMAND' });
  assert.equal(description.Shards.length, 4);
  await ok(subject.kinesis('DeleteStream', { StreamName: name }));
}

async function describes(subject: Subject): Promise<void> {
  const name = subject.name('described');
  const before = Date.now() / 1000;
  await ok(subject.kinesis('CreateStream', { StreamName: name, ShardCount: 3 }));
  const { Shards, StreamARN, StreamCreationTimestamp, ...rest } = await describeStream(subject, name);
  assert.match(StreamARN, new RegExp(`^arn:aws:kinesis:[a-z0-9-]+:\\d{12}:stream/${name}$`));
  assert.ok(StreamCreationTimestamp >= Math.floor(before) && StreamCreationTimestamp <= Date.now() / 1000 + 1);
  const common = {
    StreamName: name,
    StreamStatus: 'ACTIVE',
    StreamModeDetails: { StreamMode: 'PROVISIONED' },
    RetentionPeriodHours: 24,
    EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
    EncryptionType: 'NONE',
  };
  assert.deepEqual(rest, { ...common, HasMoreShards: false });
  const summary = await ok(subject.kinesis('DescribeStreamSummary', { StreamName: name }));
  const counts = { OpenShardCount: 3, ConsumerCount: 0, MaxRecordSizeInKiB: 1024, ChannelCount: 0, QueueCount: 0 };
  assert.deepEqual(summary, {
    StreamDescriptionSummary: { ...common, StreamARN, StreamCreationTimestamp, ...counts },
  });
  const first = await ok(subject.kinesis('DescribeStream', { StreamName: name, Limit: 2 }));
  const page = first['StreamDescription'] as Description;
  assert.deepEqual([page.Shards, page['HasMoreShards']], [Shards.slice(0, 2), true]);
  const last = await ok(
    subject.kinesis('DescribeStream', { StreamName: name, ExclusiveStartShardId: page.Shards[1]?.ShardId }),
  );
  const rest2 = last['StreamDescription'] as Description;
  assert.deepEqual([rest2.Shards, rest2['HasMoreShards']], [Shards.slice(2), false]);
  await ok(subject.kinesis('DeleteStream', { StreamName: name }));
}

async function byArn(subject: Subject): Promise<void> {
  const name = subject.name('by-arn');
  await ok(subject.kinesis('CreateStream', { StreamName: name, ShardCount: 1 }));
  const own = await describeStream(subject, name);
  const foreign = `arn:aws:kinesis:eu-central-1:123456789012:stream/${name}`;
  for (const address of [{ StreamARN: foreign }, { StreamARN: foreign, StreamName: name }]) {
    const found = await ok<{ StreamDescription: Description }>(subject.kinesis('DescribeStream', address));
    assert.equal(found.StreamDescription.StreamARN, own.StreamARN);
  }
  await ok(subject.kinesis('PutRecord', { StreamARN: foreign, Data: 'YQ==', PartitionKey: 'a' }));
  await refuses(
    subject.kinesis('DescribeStream', { StreamARN: foreign, StreamName: 'x' }),
    'InvalidArgumentException',
    /./,
  );
  await ok(subject.kinesis('DeleteStream', { StreamARN: foreign }));
}

async function listStreams(subject: Subject): Promise<void> {
  const names = ['1', '2', '3', '4', '5'].map((number) => subject.name(`list${number}`));
  // Made in another order than they are listed in.
  for (const name of names.toReversed()) {
    await ok(subject.kinesis('CreateStream', { StreamName: name, ShardCount: 1 }));
  }
  const [one = '', two = '', three = '', four = '', five = ''] = names;
  const page = await ok<ListedStreams>(subject.kinesis('ListStreams', { Limit: 2, ExclusiveStartStreamName: one }));
  assert.deepEqual([page.StreamNames, page.HasMoreStreams], [[two, three], true]);
  assert.deepEqual(
    page.StreamSummaries.map((summary) => Object.keys(summary).sort()),
    [0, 1].map(() => ['StreamARN', 'StreamCreationTimestamp', 'StreamModeDetails', 'StreamName', 'StreamStatus']),
  );
  assert.deepEqual(
    page.StreamSummaries.map(({ StreamName }) => StreamName),
    [two, three],
  );
  const next = await ok<ListedStreams>(subject.kinesis('ListStreams', { Limit: 2, NextToken: page.NextToken }));
  assert.deepEqual(next.StreamNames, [four, five]);
  const all = await ok<ListedStreams>(subject.kinesis('ListStreams', {}));
  if (subject.node !== undefined) assert.deepEqual([all.HasMoreStreams, all.NextToken], [false, undefined]);
  assert.deepEqual(all.StreamNames, all.StreamNames.toSorted());
  assert.ok(!all.StreamNames.some((name) => name.startsWith('$')), 'internal streams are invisible');
  for (const name of names) await ok(subject.kinesis('DeleteStream', { StreamName: name }));
}

async function listShards(subject: Subject): Promise<void> {
  const name = subject.name('shards');
  await ok(subject.kinesis('CreateStream', { StreamName: name, ShardCount: 4 }));
  const { Shards } = await describeStream(subject, name);
  const ids = Shards.map(({ ShardId }) => ShardId);
  assert.deepEqual(await ok(subject.kinesis('ListShards', { StreamName: name })), { Shards });
  const page = await ok<ListedShards>(subject.kinesis('ListShards', { StreamName: name, MaxResults: 3 }));
  assert.deepEqual(page.Shards, Shards.slice(0, 3));
  const rest = await ok<ListedShards>(subject.kinesis('ListShards', { NextToken: page.NextToken }));
  assert.deepEqual(rest, { Shards: Shards.slice(3) });
  const both = subject.kinesis('ListShards', { NextToken: page.NextToken, StreamName: name });
  await refuses(both, 'InvalidArgumentException', /NextToken and StreamName/);
  const now = Math.floor(Date.now() / 1000);
  const table: readonly (readonly [members: object, ids: readonly string[]])[] = [
    [{ ExclusiveStartShardId: ids[1] }, ids.slice(2)],
    [{ ShardFilter: { Type: 'AFTER_SHARD_ID', ShardId: ids[0] } }, ids.slice(1)],
    [{ ShardFilter: { Type: 'AT_LATEST' } }, ids],
    [{ ShardFilter: { Type: 'AT_TRIM_HORIZON' } }, ids],
    [{ ShardFilter: { Type: 'FROM_TRIM_HORIZON' } }, ids],
    [{ ShardFilter: { Type: 'AT_TIMESTAMP', Timestamp: now } }, ids],
    [{ ShardFilter: { Type: 'FROM_TIMESTAMP', Timestamp: now } }, ids],
  ];
  for (const [members, expected] of table) {
    const listed = await ok<ListedShards>(subject.kinesis('ListShards', { StreamName: name, ...members }));
    assert.deepEqual(
      listed.Shards.map(({ ShardId }) => ShardId),
      expected,
      JSON.stringify(members),
    );
  }
  await ok(subject.kinesis('DeleteStream', { StreamName: name }));
}

async function deletes(subject: Subject): Promise<void> {
  const name = subject.name('deleted');
  const create = async (): Promise<unknown> =>
    await ok(subject.kinesis('CreateStream', { StreamName: name, ShardCount: 1 }));
  await create();
  await ok(subject.kinesis('PutRecord', { StreamName: name, Data: 'YQ==', PartitionKey: 'a' }));
  const start = { StreamName: name, ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON' };
  const { ShardIterator } = await ok(subject.kinesis('GetShardIterator', start));
  await ok(subject.kinesis('DeleteStream', { StreamName: name }));
  const gone = new RegExp(`^Stream ${name} under account \\d{12} not found\\.$`);
  for (const action of ['DescribeStream', 'DescribeStreamSummary', 'ListShards', 'DeleteStream']) {
    await refuses(subject.kinesis(action, { StreamName: name }), 'ResourceNotFoundException', gone);
  }
  await refuses(subject.kinesis('GetRecords', { ShardIterator }), 'ResourceNotFoundException', gone);
  await create();
  await refuses(subject.kinesis('GetRecords', { ShardIterator }), 'ResourceNotFoundException', /./);
  const fresh = await ok(subject.kinesis('GetShardIterator', start));
  const { Records } = await ok(subject.kinesis('GetRecords', { ShardIterator: fresh['ShardIterator'] }));
  assert.deepEqual(Records, [], 'a new stream of an old name is empty');
  await ok(subject.kinesis('DeleteStream', { StreamName: name }));
}
