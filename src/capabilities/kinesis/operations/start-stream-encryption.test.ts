import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench, type Answer } from '../harness.fixture.ts';
import { describeStream } from './describe-stream.ts';
import { describeStreamSummary } from './describe-stream-summary.ts';
import { getRecords } from './get-records.ts';
import { getShardIterator } from './get-shard-iterator.ts';
import { putRecord } from './put-record.ts';
import { putRecords } from './put-records.ts';
import { startStreamEncryption } from './start-stream-encryption.ts';
import { stopStreamEncryption } from './stop-stream-encryption.ts';

const KEY = 'alias/aws/kinesis';
const encryption = { StreamName: 'a', EncryptionType: 'KMS', KeyId: KEY };

test('type and key are reported by descriptions, puts and the records put meanwhile', async () => {
  const { call, fast, callCbor, make, environment } = await openBench();
  await make('a', 1);
  const put = async (PartitionKey: string): Promise<unknown[]> => {
    environment.advance(1000);
    const record = { PartitionKey, Data: '' };
    const one = await call(putRecord, { StreamName: 'a', ...record });
    const quick = await fast(putRecord, { StreamName: 'a', ...record });
    const many = await call(putRecords, { StreamName: 'a', Records: [record] });
    const cbor = { PartitionKey, Data: Buffer.alloc(0) };
    const oneInCbor = await callCbor(putRecord, { StreamName: 'a', ...cbor });
    const manyInCbor = await callCbor(putRecords, { StreamName: 'a', Records: [cbor] });
    environment.advance(1000);
    return [one, quick, many, oneInCbor, manyInCbor].map(({ EncryptionType }) => EncryptionType);
  };
  const described = async (): Promise<unknown[]> => {
    const { StreamDescription } = await call(describeStream, { StreamName: 'a' });
    const { StreamDescriptionSummary } = await call(describeStreamSummary, { StreamName: 'a' });
    return [StreamDescription, StreamDescriptionSummary].flatMap(({ EncryptionType, KeyId }) => [
      EncryptionType,
      KeyId,
    ]);
  };
  assert.deepEqual(await put('before'), Array(5).fill(undefined));
  assert.deepEqual(await described(), ['NONE', undefined, 'NONE', undefined]);
  assert.equal(await call(startStreamEncryption, encryption), undefined);
  assert.deepEqual(await put('with'), Array(5).fill('KMS'));
  assert.deepEqual(await described(), ['KMS', KEY, 'KMS', KEY]);
  await call(startStreamEncryption, { ...encryption, KeyId: 'alias/other' });
  assert.deepEqual(await put('with'), Array(5).fill('KMS'));
  assert.equal(await call(stopStreamEncryption, encryption), undefined);
  assert.deepEqual(await put('after'), Array(5).fill(undefined));
  assert.deepEqual(await described(), ['NONE', undefined, 'NONE', undefined]);
  const start = { StreamName: 'a', ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON' };
  const { ShardIterator } = await call(getShardIterator, start);
  const answers = [await call(getRecords, { ShardIterator }), await callCbor(getRecords, { ShardIterator })];
  const records = answers.flatMap(({ Records }) => Records as Answer[]);
  assert.equal(records.length, 2 * 20);
  for (const { PartitionKey, EncryptionType } of records) {
    assert.equal(EncryptionType, PartitionKey === 'with' ? 'KMS' : undefined, PartitionKey);
  }
});

test('25 changes in 24 hours; what is on already is no change', async () => {
  const { call, refusal, make, environment, records } = await openBench();
  await make('a', 1);
  for (let change = 0; change < 25; change += 1) {
    const action = change % 2 === 0 ? startStreamEncryption : stopStreamEncryption;
    await call(action, encryption);
    await call(action, encryption);
  }
  const sentence =
    'LimitExceededException: The encryption of stream a under account 000000000000 was changed 25 times within 24 hours.';
  assert.equal(await refusal(stopStreamEncryption, encryption), sentence);
  environment.advance(24 * 3_600_000);
  await call(stopStreamEncryption, encryption);
  const settings: Answer = records.describe('a')?.settings;
  assert.equal(settings.encrypted.length, 1, 'times that no record stands in any more are forgotten');
});

test('refusals', async () => {
  const { refusal, make, split, records } = await openBench();
  await make('a', 1);
  const none =
    'InvalidArgumentException: Encryption type NONE cannot be started or stopped: the only valid value is KMS.';
  assert.equal(await refusal(startStreamEncryption, { ...encryption, EncryptionType: 'NONE' }), none);
  assert.match(await refusal(startStreamEncryption, { ...encryption, EncryptionType: 'AES' }), /^ValidationException/);
  assert.match(await refusal(startStreamEncryption, { ...encryption, KeyId: '' }), /^ValidationException: .*'keyId'/);
  assert.match(await refusal(startStreamEncryption, { ...encryption, StreamName: 'b' }), /^ResourceNotFoundException/);
  const splitting = split('a');
  for (let turn = 0; turn < 1000 && records.describe('a')?.isResharding !== true; turn += 1) await Promise.resolve();
  const busy =
    'ResourceInUseException: Stream a under account 000000000000 not ACTIVE, instead in state UPDATING: ' +
    'try again in a moment.';
  assert.equal(await refusal(startStreamEncryption, encryption), busy);
  await splitting;
});
