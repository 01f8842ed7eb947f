import * as s from '../../../kernel/schema/declare.ts';
import { operation, RawAnswer } from '../../../ports/operation.ts';
import type { RecordBatch } from '../../../ports/records.ts';
import { addressedStream, type StreamAddress } from '../address.ts';
import { kinesisError } from '../errors.ts';
import { endDryRun } from '../dry-run.ts';
import { formOf, type KinesisForm } from '../form.ts';
import { batchBytes, checkRecords, putBatch, putChecked, putScanned, tooMuch } from '../incoming.ts';
import { kinesisLimits } from '../limits.ts';
import type { KinesisState } from '../model.ts';
import { settingsOf } from '../settings.ts';
import { putAnswer } from '../put-answer.ts';
import { TARGET, data, encryptionType, hashKey, partitionKey, streamArn, streamId, streamName } from '../shapes.ts';

const input = s.struct({
  Records: s.list(s.struct({ Data: data, ExplicitHashKey: s.optional(hashKey), PartitionKey: partitionKey }), {
    min: 1,
    max: kinesisLimits.putRecordsCountMax,
  }),
  StreamName: s.optional(streamName),
  StreamARN: s.optional(streamArn),
  StreamId: s.optional(streamId),
  DryRun: s.optional(s.boolean()),
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
  EncryptionType: s.optional(encryptionType),
});

/** What names the stream, and whether the rest is only to be tried. */
type Request = StreamAddress & { readonly DryRun?: boolean | undefined };

/** Stores up to 500 records; each one's fate stands in the answer, in the request's order. */
export const putRecords = operation<KinesisState>()({
  name: 'PutRecords',
  target: TARGET,
  input,
  output,
  errors: [
    'DryRunOperationException',
    'InvalidArgumentException',
    'ProvisionedThroughputExceededException',
    'ResourceNotFoundException',
  ],
  plane: 'data',
  doc: 'Stores up to 500 records; each one’s fate stands in the answer, in the request’s order.',
  async fast(body, call) {
    const form = formOf(call);
    const scanned = form.scan.many(body);
    if (scanned === undefined) return undefined;
    return await putScanned(async () => await put(call.state, form, scanned, scanned.batch));
  },
  async handle(request, call) {
    return await put(call.state, formOf(call), request, putBatch(request.Records));
  },
});

async function put(state: KinesisState, form: KinesisForm, request: Request, batch: RecordBatch): Promise<RawAnswer> {
  const stream = addressedStream(state, request);
  if (batchBytes(batch) > kinesisLimits.putRecordsBytesMax) {
    const sentence = `Records size exceeds ${kinesisLimits.putRecordsBytesMax / 1024 / 1024} MB limit`;
    throw kinesisError('InvalidArgumentException', sentence);
  }
  checkRecords(batch, stream);
  endDryRun(request);
  const outcome = await putChecked(state, stream, batch);
  const isEncrypted = settingsOf(stream).keyId !== undefined;
  return new RawAnswer(putAnswer(form.put, outcome, isEncrypted, (failure) => tooMuch(state, stream, failure)));
}
