import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench } from '../harness.fixture.ts';
import { createStream } from './create-stream.ts';
import { describeStreamSummary } from './describe-stream-summary.ts';

test('says what the stream is, in AWS members and units', async () => {
  const { call, environment } = await openBench();
  environment.advance(123);
  const request = { StreamName: 'a', StreamModeDetails: { StreamMode: 'ON_DEMAND' }, MaxRecordSizeInKiB: 2048 };
  await call(createStream, request);
  environment.advance(60_000);
  assert.deepEqual(await call(describeStreamSummary, { StreamName: 'a' }), {
    StreamDescriptionSummary: {
      StreamName: 'a',
      StreamARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/a',
      StreamStatus: 'ACTIVE',
      StreamModeDetails: { StreamMode: 'ON_DEMAND' },
      RetentionPeriodHours: 24,
      StreamCreationTimestamp: 1_700_000_000.123,
      EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
      EncryptionType: 'NONE',
      OpenShardCount: 4,
      ConsumerCount: 0,
      MaxRecordSizeInKiB: 2048,
      ChannelCount: 0,
      QueueCount: 0,
      RecordDistributionStrategy: 'USER_PARTITION_KEY',
    },
  });
});

test('only open shards are counted', async () => {
  const { call, make, split } = await openBench();
  await make('a', 3);
  await split('a');
  const { StreamDescriptionSummary } = await call(describeStreamSummary, { StreamName: 'a' });
  assert.equal(StreamDescriptionSummary.OpenShardCount, 4, 'two of three, and two children');
});

test('a stream that is not there', async () => {
  const { refusal } = await openBench();
  for (const name of ['none', '__proto__', 'constructor']) {
    const sentence = `ResourceNotFoundException: Stream ${name} under account 000000000000 not found.`;
    assert.equal(await refusal(describeStreamSummary, { StreamName: name }), sentence);
  }
});
