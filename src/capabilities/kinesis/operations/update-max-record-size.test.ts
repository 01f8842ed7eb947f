import assert from 'node:assert/strict';
import { test } from 'node:test';
import { invalid, openBench, refuses, type Refusals } from '../harness.fixture.ts';
import { storedRecordBytesMax } from '../settings.ts';
import { describeStreamSummary } from './describe-stream-summary.ts';
import { putRecord } from './put-record.ts';
import { updateMaxRecordSize } from './update-max-record-size.ts';

const StreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/a';

test('puts keep to the new size, and it is reported', async () => {
  const { call, refusal, make, records } = await openBench();
  const { maxRecordBytes } = await make('a', 1);
  const put = (bytes: number): object => ({
    StreamName: 'a',
    PartitionKey: 'k',
    Data: Buffer.alloc(bytes - 1).toString('base64'),
  });
  assert.match(await refusal(putRecord, put(maxRecordBytes + 1)), /^InvalidArgumentException: .* 1048576 bytes/);
  assert.equal(await call(updateMaxRecordSize, { StreamARN, MaxRecordSizeInKiB: 2048 }), undefined);
  await call(putRecord, put(2 * maxRecordBytes));
  assert.match(await refusal(putRecord, put(2 * maxRecordBytes + 1)), /^InvalidArgumentException: .* 2097152 bytes/);
  const { StreamDescriptionSummary } = await call(describeStreamSummary, { StreamARN });
  assert.equal(StreamDescriptionSummary.MaxRecordSizeInKiB, 2048);
  await call(updateMaxRecordSize, { StreamARN, MaxRecordSizeInKiB: 1024 });
  assert.match(await refusal(putRecord, put(maxRecordBytes + 1)), /^InvalidArgumentException/);
  const after = records.describe('a');
  assert.equal(after && storedRecordBytesMax(after), 2 * maxRecordBytes, 'readers make room for what is stored');
});

test('refusals', async () => {
  const bench = await openBench();
  await bench.make('a', 1);
  const table: Refusals = [
    [{ StreamARN }, invalid(null, 'maxRecordSizeInKiB', 'not be null')],
    [
      { StreamARN, MaxRecordSizeInKiB: 1023 },
      invalid('1023', 'maxRecordSizeInKiB', 'have value greater than or equal to 1024'),
    ],
    [
      { StreamARN, MaxRecordSizeInKiB: 10_241 },
      invalid('10241', 'maxRecordSizeInKiB', 'have value less than or equal to 10240'),
    ],
    [{ MaxRecordSizeInKiB: 1024 }, 'InvalidArgumentException: Either StreamARN or StreamName must be provided.'],
    [
      { StreamARN: `${StreamARN}b`, MaxRecordSizeInKiB: 1024 },
      'ResourceNotFoundException: Stream ab under account 000000000000 not found.',
    ],
  ];
  await refuses(bench, updateMaxRecordSize, table);
});
