import { isStored } from '../../../ports/records.ts';
import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { firehoseError } from '../errors.ts';
import { putDirectly, recordId, TRY_AGAIN } from '../incoming.ts';
import { firehoseLimits } from '../limits.ts';
import type { FirehoseState } from '../model.ts';
import { deliveryStreamName, record, TARGET } from '../shapes.ts';

const input = s.struct({
  DeliveryStreamName: deliveryStreamName,
  Records: s.list(record, { min: 1, max: firehoseLimits.batchRecordsMax }),
});

const output = s.struct({
  FailedPutCount: s.integer(),
  Encrypted: s.boolean(),
  RequestResponses: s.list(
    s.struct({
      RecordId: s.optional(s.string()),
      ErrorCode: s.optional(s.string()),
      ErrorMessage: s.optional(s.string()),
    }),
  ),
});

/** Takes up to 500 records; each one's fate stands in the answer, in the request's order. */
export const putRecordBatch = operation<FirehoseState>()({
  name: 'PutRecordBatch',
  target: TARGET,
  input,
  output,
  errors: ['InvalidArgumentException', 'ResourceNotFoundException', 'ServiceUnavailableException'],
  plane: 'data',
  doc: 'Takes up to 500 records and 4 MiB; each one’s fate stands in the answer, in the request’s order.',
  async handle(request, { state }) {
    const data = request.Records.map(({ Data }) => Data);
    const bytes = data.reduce((sum, { length }) => sum + length, 0);
    if (bytes > firehoseLimits.batchBytesMax) {
      const sentence = 'Records size exceeds 4 MB limit';
      throw firehoseError('InvalidArgumentException', sentence);
    }
    const { results, isEncrypted } = await putDirectly(state, request.DeliveryStreamName, data, 'PutRecordBatch');
    return {
      FailedPutCount: results.filter((result) => !isStored(result)).length,
      Encrypted: isEncrypted,
      RequestResponses: results.map((result) =>
        isStored(result)
          ? { RecordId: recordId(result) }
          : { ErrorCode: 'ServiceUnavailableException', ErrorMessage: TRY_AGAIN },
      ),
    };
  },
});
