import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench } from '../harness.fixture.ts';
import { createStream } from './create-stream.ts';
import { describeStreamSummary } from './describe-stream-summary.ts';
import { updateAccountSettings } from './update-account-settings.ts';
import { updateStreamWarmThroughput } from './update-stream-warm-throughput.ts';

const StreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/o';
const commit = { MinimumThroughputBillingCommitment: { Status: 'ENABLED' } };

test('an on-demand stream of a committed account is ready for what is asked', async () => {
  const { call } = await openBench();
  await call(updateAccountSettings, commit);
  const mode = { StreamModeDetails: { StreamMode: 'ON_DEMAND' } };
  await call(createStream, { StreamName: 'o', ...mode, WarmThroughputMiBps: 3 });
  const shown = async (): Promise<unknown> =>
    (await call(describeStreamSummary, { StreamName: 'o' })).StreamDescriptionSummary.WarmThroughput;
  assert.deepEqual(await shown(), { TargetMiBps: 3, CurrentMiBps: 3 });
  const WarmThroughput = { TargetMiBps: 10_240, CurrentMiBps: 10_240 };
  const answer = await call(updateStreamWarmThroughput, { StreamARN, WarmThroughputMiBps: 10_240 });
  assert.deepEqual(answer, { StreamARN, StreamName: 'o', WarmThroughput });
  assert.deepEqual(await shown(), WarmThroughput);
});

test('refusals', async () => {
  const { call, refusal, make } = await openBench();
  await make('p', 1);
  await call(createStream, { StreamName: 'o', StreamModeDetails: { StreamMode: 'ON_DEMAND' } });
  const warm = async (StreamName: string, WarmThroughputMiBps: number): Promise<string> =>
    await refusal(updateStreamWarmThroughput, { StreamName, WarmThroughputMiBps });
  assert.match(await warm('o', 1), /^ValidationException: .*MinimumThroughputBillingCommitment enabled\.$/);
  await call(updateAccountSettings, commit);
  assert.match(await warm('p', 1), /^ValidationException: .*in ON_DEMAND mode\.$/);
  assert.match(await warm('o', 10_241), /^LimitExceededException: .*10240 MiBps/);
  assert.match(await warm('o', -1), /^ValidationException: .*greater than or equal to 0/);
  assert.match(await warm('x', 1), /^ResourceNotFoundException/);
});
