import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench, tally, type Answer } from '../harness.fixture.ts';
import { createStream } from './create-stream.ts';
import { putRecords } from './put-records.ts';

const MIDDLE = '170141183460469231731687303715884105728';

function entry(text: string, ExplicitHashKey = '0'): object {
  return { Data: Buffer.from(text).toString('base64'), PartitionKey: 'k', ExplicitHashKey };
}

test('answers stand in the order of the request, sequence numbers in the order of each shard', async () => {
  const { seen, count } = tally();
  const { call, make, records } = await openBench(count);
  const stream = await make('a', 2);
  const Records = Array.from({ length: 500 }, (_, index) => entry(String(index), index % 3 === 0 ? MIDDLE : '0'));
  const answer = await call(putRecords, { StreamARN: stream.arn, Records });
  assert.deepEqual(Object.keys(answer), ['FailedRecordCount', 'Records']);
  assert.equal(answer.FailedRecordCount, 0);
  assert.deepEqual(
    answer.Records.map(({ ShardId }: Answer) => ShardId),
    Records.map((_, index) => (index % 3 === 0 ? 'shardId-000000000001' : 'shardId-000000000000')),
  );
  for (const [ordinal, shard] of stream.shards.entries()) {
    const numbers = answer.Records.filter(({ ShardId }: Answer) => ShardId === shard.id);
    const sorted = numbers.map(({ SequenceNumber }: Answer) => SequenceNumber as string);
    assert.deepEqual(sorted, sorted.toSorted());
    const slice = await records.read(stream, shard, 0n, { records: 1000, bytes: 1_000_000 });
    const wanted = Records.flatMap((_, index) => ((index % 3 === 0) === (ordinal === 1) ? [String(index)] : []));
    assert.deepEqual(
      slice.records.map(({ data }) => Buffer.from(data).toString()),
      wanted,
    );
  }
  assert.deepEqual(seen, { 'kinesis_records_in_total a': 500, 'kinesis_in_bytes_total a': 1390 + 500 });
});

test('a shard that takes nothing fails its own records only', async () => {
  const { seen, count } = tally();
  const { call, make, store } = await openBench(count);
  const { shards } = await make('a', 2);
  await call(putRecords, { StreamName: 'a', Records: [entry('x'), entry('y', MIDDLE)] });
  // Another owner took shard 0 over.
  await store.open(shards[0]?.ref ?? assert.fail(), 0n);
  const Records = [entry('1234'), entry('56', MIDDLE), entry('78')];
  const answer = await call(putRecords, { StreamName: 'a', Records });
  assert.equal(answer.FailedRecordCount, 2);
  const failure = {
    ErrorCode: 'ProvisionedThroughputExceededException',
    ErrorMessage: 'Rate exceeded for shard shardId-000000000000 in stream a under account 000000000000.',
  };
  assert.deepEqual([answer.Records[0], answer.Records[2]], [failure, failure]);
  assert.equal(answer.Records[1].ShardId, 'shardId-000000000001');
  assert.deepEqual(seen, {
    'kinesis_records_in_total a': 3,
    'kinesis_in_bytes_total a': 4 + 3,
    'kinesis_records_refused_total a': 2,
  });
});

test('one wrong record refuses all: nothing is stored', async () => {
  const { refusal, call, make, store } = await openBench();
  await make('a');
  await call(createStream, { StreamName: 'large', ShardCount: 1, MaxRecordSizeInKiB: 10_240 });
  const good = entry('x');
  const withKey = (PartitionKey: string): object => ({ ...good, PartitionKey });
  const withData = (bytes: number): object => ({ ...good, Data: Buffer.alloc(bytes).toString('base64') });
  const megabytes = Array.from({ length: 10 }, () => withData(1_048_575));
  const beyond = '340282366920938463463374607431768211456';
  const table: readonly (readonly [input: object, start: string, end: string])[] = [
    [{ StreamName: 'b', Records: [good] }, 'ResourceNotFoundException: Stream b', 'not found.'],
    [{ Records: [good] }, 'InvalidArgumentException: Either StreamARN or StreamName', 'must be provided.'],
    [{ StreamName: 'a' }, "Value null at 'records'", 'Member must not be null'],
    [{ StreamName: 'a', Records: [] }, "Value '[]' at 'records'", 'length greater than or equal to 1'],
    [{ StreamName: 'a', Records: Array(501).fill(good) }, "Value '[(data=java.nio.", 'less than or equal to 500'],
    [{ StreamName: 'a', Records: [good, withKey('')] }, "Value '' at 'records.2.member.partitionKey'", 'equal to 1'],
    [{ StreamName: 'a', Records: [good, null] }, "Value null at 'records.2.member'", 'Member must not be null'],
    [{ StreamName: 'a', Records: [good, entry('x', beyond)] }, 'InvalidArgumentException: Invalid Expl', beyond],
    [
      { StreamName: 'a', Records: [good, withData(1_048_576)] },
      'InvalidArgumentException: The record',
      '1048576 bytes.',
    ],
    [
      { StreamName: 'large', Records: [...megabytes, good] },
      'InvalidArgumentException: Records',
      'exceeds 10 MB limit',
    ],
  ];
  for (const [input, start, end] of table) {
    const sentence = await refusal(putRecords, input);
    const validation = start.startsWith('Value') ? 'ValidationException: 1 validation error detected: ' : '';
    assert.equal(sentence.slice(0, validation.length + start.length), validation + start);
    assert.equal(sentence.slice(-end.length), end);
  }
  assert.deepEqual(store.appends, []);
  const full = await call(putRecords, { StreamName: 'large', Records: megabytes });
  assert.equal(full.FailedRecordCount, 0, 'exactly 10 MiB');
});
