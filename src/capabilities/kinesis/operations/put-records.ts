import * as s from '../../../kernel/schema/declare.ts';
import { operation, RawAnswer } from '../../../ports/operation.ts';
import type { RecordBatch } from '../../../ports/records.ts';
import { addressedStream, type StreamAddress } from '../address.ts';
import { kinesisError } from '../errors.ts';
import { batchBytes, putBatch, putChecked, putScanned, tooMuch } from '../incoming.ts';
import { kinesisLimits } from '../limits.ts';
import type { KinesisState } from '../model.ts';
import { putAnswer } from '../put-answer.ts';
import { scanPutRecords } from '../put-scan.ts';
import { TARGET, data, hashKey, partitionKey, streamArn, streamName } from '../shapes.ts';

const input = s.struct({
  Records: s.list(s.struct({ Data: data, ExplicitHashKey: s.optional(hashKey), PartitionKey: partitionKey }), {
    min: 1,
    max: kinesisLimits.putRecordsCountMax,
  }),
  StreamName: s.optional(streamName),
  StreamARN: s.optional(streamArn),
});

const output = s.struct({
  FailedRecordCount: s.integer(),
  Records: s.list(
    s.struct({
      SequenceNumber: s.optional(s.string()),
      ShardId: s.optional(s.string()),
      ErrorCode: s.optional(s.string()),
      ErrorMessage: s.optional(s.string()),
    }),
  ),
});

/** Stores up to 500 records; each one's fate stands in the answer, in the request's order. */
export const putRecords = operation<KinesisState>()({
  name: 'PutRecords',
  target: TARGET,
  input,
  output,
  errors: ['InvalidArgumentException', 'ProvisionedThroughputExceededException', 'ResourceNotFoundException'],
  plane: 'data',
  doc: 'Stores up to 500 records; each one’s fate stands in the answer, in the request’s order.',
  async fast(body, { state }) {
    const scanned = scanPutRecords(body);
    if (scanned === undefined) return undefined;
    return await putScanned(async () => await put(state, scanned, scanned.batch));
  },
  async handle(request, { state }) {
    return await put(state, request, putBatch(request.Records));
  },
});

async function put(state: KinesisState, address: StreamAddress, batch: RecordBatch): Promise<RawAnswer> {
  const stream = addressedStream(state, address);
  if (batchBytes(batch) > kinesisLimits.putRecordsBytesMax) {
    const sentence = `Records size exceeds ${kinesisLimits.putRecordsBytesMax / 1024 / 1024} MB limit`;
    throw kinesisError('InvalidArgumentException', sentence);
  }
  const outcome = await putChecked(state, stream, batch);
  return new RawAnswer(putAnswer(outcome, () => tooMuch(state, stream)));
}
