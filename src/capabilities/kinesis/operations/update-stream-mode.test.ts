import assert from 'node:assert/strict';
import { test } from 'node:test';
import { invalid, openBench, refuses, type Refusals } from '../harness.fixture.ts';
import { describeStreamSummary } from './describe-stream-summary.ts';
import { splitShard } from './split-shard.ts';
import { updateAccountSettings } from './update-account-settings.ts';
import { updateShardCount } from './update-shard-count.ts';
import { updateStreamMode } from './update-stream-mode.ts';

const ARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/a';
const mode = (StreamMode: string, more: object = {}): object => ({
  StreamARN: ARN,
  StreamModeDetails: { StreamMode },
  ...more,
});

test('the mode changes, the shards stay, and shards of an on-demand stream are not the caller’s to cut', async () => {
  const { call, refusal, make } = await openBench();
  await make('a', 3);
  assert.equal(await call(updateStreamMode, mode('ON_DEMAND')), undefined);
  const { StreamDescriptionSummary } = await call(describeStreamSummary, { StreamName: 'a' });
  assert.deepEqual(
    [StreamDescriptionSummary.StreamModeDetails, StreamDescriptionSummary.OpenShardCount],
    [{ StreamMode: 'ON_DEMAND' }, 3],
  );
  const onDemand = 'ValidationException: Request is invalid. Stream a under account 000000000000 is in On-Demand mode.';
  const split = { StreamName: 'a', ShardToSplit: 'shardId-000000000000', NewStartingHashKey: '5' };
  assert.equal(await refusal(splitShard, split), onDemand);
  const count = { StreamName: 'a', TargetShardCount: 4, ScalingType: 'UNIFORM_SCALING' };
  assert.equal(await refusal(updateShardCount, count), onDemand);
  await call(updateStreamMode, mode('PROVISIONED'));
  await call(updateShardCount, count);
});

test('twice in 24 hours; asking for the mode that is there counts for nothing', async () => {
  const { call, refusal, make, environment } = await openBench();
  await make('a', 1);
  for (const one of ['PROVISIONED', 'ON_DEMAND', 'ON_DEMAND', 'PROVISIONED', 'PROVISIONED']) {
    await call(updateStreamMode, mode(one));
    environment.advance(1000);
  }
  const sentence =
    'LimitExceededException: The mode of stream a under account 000000000000 was changed 2 times within 24 hours.';
  assert.equal(await refusal(updateStreamMode, mode('ON_DEMAND')), sentence);
  environment.advance(24 * 3_600_000 - 4001);
  assert.equal(await refusal(updateStreamMode, mode('ON_DEMAND')), sentence, 'the first change was at 1 s');
  environment.advance(1);
  await call(updateStreamMode, mode('ON_DEMAND'));
  assert.equal(await refusal(updateStreamMode, mode('PROVISIONED')), sentence);
});

test('warm throughput comes with on-demand and a commitment, and goes with them', async () => {
  const { call, refusal, make } = await openBench();
  await make('a', 1);
  const warm = mode('ON_DEMAND', { WarmThroughputMiBps: 5 });
  assert.match(await refusal(updateStreamMode, warm), /^ValidationException: .*MinimumThroughputBillingCommitment/);
  await call(updateAccountSettings, { MinimumThroughputBillingCommitment: { Status: 'ENABLED' } });
  assert.match(
    await refusal(updateStreamMode, mode('PROVISIONED', { WarmThroughputMiBps: 5 })),
    /^ValidationException: .* ON_DEMAND mode/,
  );
  await call(updateStreamMode, warm);
  const shown = async (): Promise<unknown> =>
    (await call(describeStreamSummary, { StreamName: 'a' })).StreamDescriptionSummary.WarmThroughput;
  assert.deepEqual(await shown(), { TargetMiBps: 5, CurrentMiBps: 5 });
  await call(updateStreamMode, mode('ON_DEMAND', { WarmThroughputMiBps: 7 }));
  assert.deepEqual(await shown(), { TargetMiBps: 7, CurrentMiBps: 7 });
  await call(updateStreamMode, mode('ON_DEMAND'));
  assert.deepEqual(await shown(), { TargetMiBps: 7, CurrentMiBps: 7 }, 'what is not said stays');
  await call(updateStreamMode, mode('PROVISIONED'));
  assert.equal(await shown(), undefined);
});

test('refusals', async () => {
  const bench = await openBench();
  const table: Refusals = [
    [{ StreamARN: ARN }, invalid(null, 'streamModeDetails', 'not be null')],
    [{ StreamModeDetails: { StreamMode: 'ON_DEMAND' } }, invalid(null, 'streamARN', 'not be null')],
    [mode('FAST'), invalid('FAST', 'streamModeDetails.streamMode', 'satisfy enum value set: [PROVISIONED, ON_DEMAND]')],
    [mode('ON_DEMAND'), 'ResourceNotFoundException: Stream a under account 000000000000 not found.'],
  ];
  await refuses(bench, updateStreamMode, table);
});
