import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench } from '../harness.fixture.ts';
import { describeStreamSummary } from './describe-stream-summary.ts';
import { stopStreamEncryption } from './stop-stream-encryption.ts';

const encryption = { StreamName: 'a', EncryptionType: 'KMS', KeyId: 'alias/aws/kinesis' };

test('stopping what was never started changes nothing', async () => {
  const { call, make, records } = await openBench();
  await make('a', 1);
  for (let time = 0; time < 30; time += 1) await call(stopStreamEncryption, encryption);
  const { StreamDescriptionSummary } = await call(describeStreamSummary, { StreamName: 'a' });
  assert.equal(StreamDescriptionSummary.EncryptionType, 'NONE');
  assert.deepEqual(records.describe('a')?.settings, {});
});

test('refusals', async () => {
  const { refusal, make } = await openBench();
  await make('a', 1);
  assert.match(await refusal(stopStreamEncryption, { ...encryption, EncryptionType: 'NONE' }), /^InvalidArgument/);
  assert.match(await refusal(stopStreamEncryption, { ...encryption, KeyId: undefined }), /^ValidationException/);
  assert.match(await refusal(stopStreamEncryption, { ...encryption, StreamName: 'b' }), /^ResourceNotFoundException/);
});
