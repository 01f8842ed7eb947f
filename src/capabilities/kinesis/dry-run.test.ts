import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSubscribed, SHARD } from './subscriber.fixture.ts';

const DONE = 'DryRunOperationException: The request would have succeeded, but the DryRun parameter is set.';

test('what would succeed is told so and does nothing; what would fail fails as ever', async () => {
  const bench = await openSubscribed();
  const ConsumerARN = await bench.prepare();
  const [number] = await bench.put('one');
  const shard = { StreamName: 'a', ShardId: SHARD };
  const { ShardIterator } = await bench.kinesis('GetShardIterator', { ...shard, ShardIteratorType: 'TRIM_HORIZON' });
  const record = { Data: 'YQ==', PartitionKey: 'k' };
  const latest = { ConsumerARN, ShardId: SHARD, StartingPosition: { Type: 'LATEST' } };
  const beyond = { Data: '', PartitionKey: 'k', ExplicitHashKey: '9'.repeat(39) };
  const table: readonly (readonly [action: string, input: object, wrong: object, code: RegExp])[] = [
    ['PutRecord', { StreamName: 'a', ...record }, { SequenceNumberForOrdering: '5' }, /^InvalidArgument/],
    ['PutRecord', { StreamName: 'a', ...record }, beyond, /^InvalidArgument/],
    ['PutRecords', { StreamName: 'a', Records: [record] }, { Records: [beyond] }, /^InvalidArgument/],
    ['PutRecords', { StreamName: 'a', Records: [record] }, { StreamName: 'b' }, /^ResourceNotFound/],
    ['GetRecords', { ShardIterator }, { ShardIterator: 'x' }, /^InvalidArgument/],
    ['GetShardIterator', { ...shard, ShardIteratorType: 'LATEST' }, { ShardIteratorType: 'AT_TIMESTAMP' }, /^Invalid/],
    ['SubscribeToShard', latest, { ShardId: 'shardId-000000000001' }, /^ResourceNotFound/],
  ];
  for (const [action, input, wrong, code] of table) {
    const refusal = async (more: object): Promise<string> =>
      await bench.refusal(`Kinesis_20131202.${action}`, { ...input, ...more });
    assert.equal(await refusal({ DryRun: true }), DONE, action);
    assert.match(await refusal({ ...wrong, DryRun: true }), code, action);
  }
  const { Records } = await bench.kinesis('GetRecords', { ShardIterator, DryRun: false });
  assert.deepEqual(
    Records.map(({ SequenceNumber }: { SequenceNumber: string }) => SequenceNumber),
    [number],
    'nothing was put',
  );
  assert.notEqual(bench.subscriptions, 1, 'nothing was subscribed to');
});
