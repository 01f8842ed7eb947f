import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base64, NodeBench } from '../testing/node-bench.ts';

const SECTIONS = { streams: { a: { ShardCount: 1 } } };
const RECORD = { PartitionKey: 'k', Data: base64('x'.repeat(20_000)) };
const SENTENCE =
  'The disk is full, or what the log may take of it: nothing is stored ' +
  'for shard shardId-000000000000 in stream a under account 000000000000.';

test('a full disk is called so, under the code that clients back off on, and reading goes on', async () => {
  const bench = await new NodeBench().open(SECTIONS);
  await bench.call('Kinesis_20131202.PutRecord', { StreamName: 'a', ...RECORD });
  bench.simulation.limitDisk(0);
  assert.equal(
    await bench.refusal('Kinesis_20131202.PutRecord', { StreamName: 'a', ...RECORD }),
    `ProvisionedThroughputExceededException: ${SENTENCE}`,
  );
  const { Records } = await bench.call('Kinesis_20131202.PutRecords', { StreamName: 'a', Records: [RECORD, RECORD] });
  const failure = { ErrorCode: 'ProvisionedThroughputExceededException', ErrorMessage: SENTENCE };
  assert.deepEqual(Records, [failure, failure]);
  const where = { StreamName: 'a', ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON' };
  const { ShardIterator } = await bench.call('Kinesis_20131202.GetShardIterator', where);
  assert.equal((await bench.call('Kinesis_20131202.GetRecords', { ShardIterator })).Records.length, 1);
  bench.simulation.limitDisk(Infinity);
  await bench.call('Kinesis_20131202.PutRecord', { StreamName: 'a', ...RECORD });
});
