import * as s from '../../../kernel/schema/declare.ts';
import { operation, RawAnswer } from '../../../ports/operation.ts';
import { isStored, type RecordFailure, type RecordPosition, type StreamInfo } from '../../../ports/records.ts';
import { addressedStream, onStream } from '../address.ts';
import { kinesisError } from '../errors.ts';
import { countIn, entryBytes, tooMuch, toRecord } from '../incoming.ts';
import { kinesisLimits } from '../limits.ts';
import type { KinesisState } from '../model.ts';
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
  scan: scanPutRecords,
  async handle(request, { state }) {
    const stream = addressedStream(state, request);
    const bytes = request.Records.reduce((sum, entry) => sum + entryBytes(entry), 0);
    if (bytes > kinesisLimits.putRecordsBytesMax) {
      const sentence = `Records size exceeds ${kinesisLimits.putRecordsBytesMax / 1024 / 1024} MB limit`;
      throw kinesisError('InvalidArgumentException', sentence);
    }
    const records = request.Records.map((entry) => toRecord(entry, stream));
    const results = await onStream(state, stream, async () => await state.records.append(stream.name, records));
    const refused = request.Records.filter((_, index) => !isStored(results[index] as RecordPosition | RecordFailure));
    const refusedBytes = refused.reduce((sum, entry) => sum + entryBytes(entry), 0);
    countIn(state, stream.name, results.length - refused.length, bytes - refusedBytes, refused.length);
    return new RawAnswer(answerText(state, stream, results, refused.length));
  },
});

/** Shard ids and sequence numbers need no escapes, so that the answer is joined rather than serialised. */
function answerText(
  state: KinesisState,
  stream: StreamInfo,
  results: readonly (RecordPosition | RecordFailure)[],
  failed: number,
): string {
  let text = `{"FailedRecordCount":${failed},"Records":[`;
  let separator = '';
  for (const result of results) {
    text += separator;
    separator = ',';
    if (isStored(result)) {
      text += `{"SequenceNumber":"${result.sequenceNumber}","ShardId":"${result.shardId}"}`;
    } else {
      const { code, message } = tooMuch(state, stream);
      text += JSON.stringify({ ErrorCode: code, ErrorMessage: message });
    }
  }
  return `${text}]}`;
}
