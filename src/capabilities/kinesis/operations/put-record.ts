import * as s from '../../../kernel/schema/declare.ts';
import { Defect } from '../../../kernel/errors.ts';
import { operation, RawAnswer } from '../../../ports/operation.ts';
import { isStored, type RecordBatch } from '../../../ports/records.ts';
import { addressedStream, type StreamAddress } from '../address.ts';
import { endDryRun } from '../dry-run.ts';
import { formOf, type KinesisForm } from '../form.ts';
import { checkOrdering, checkRecords, putBatch, putChecked, putScanned, tooMuch } from '../incoming.ts';
import type { KinesisState } from '../model.ts';
import { settingsOf } from '../settings.ts';
import {
  TARGET,
  data,
  encryptionType,
  hashKey,
  partitionKey,
  sequenceNumber,
  shardId,
  streamArn,
  streamId,
  streamName,
} from '../shapes.ts';

const input = s.struct({
  StreamName: s.optional(streamName),
  Data: data,
  PartitionKey: partitionKey,
  ExplicitHashKey: s.optional(hashKey),
  SequenceNumberForOrdering: s.optional(sequenceNumber),
  StreamARN: s.optional(streamArn),
  StreamId: s.optional(streamId),
  DryRun: s.optional(s.boolean()),
});

const output = s.struct({
  ShardId: shardId,
  SequenceNumber: sequenceNumber,
  EncryptionType: s.optional(encryptionType),
});

/** What names the stream, and what else is asked beside the record. */
type Request = StreamAddress & {
  readonly SequenceNumberForOrdering?: string | undefined;
  readonly DryRun?: boolean | undefined;
};

/** Stores one record and answers where, once it is durable. */
export const putRecord = operation<KinesisState>()({
  name: 'PutRecord',
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
  doc: 'Stores one record and answers where, once it is durable.',
  async fast(body, call) {
    const form = formOf(call);
    const scanned = form.scan.one(body);
    if (scanned === undefined) return undefined;
    return await putScanned(async () => await put(call.state, form, scanned, scanned.batch));
  },
  async handle(request, call) {
    return await put(call.state, formOf(call), request, putBatch([request]));
  },
});

async function put(state: KinesisState, form: KinesisForm, request: Request, batch: RecordBatch): Promise<RawAnswer> {
  const stream = addressedStream(state, request);
  checkOrdering(state, stream, request.SequenceNumberForOrdering);
  checkRecords(batch, stream);
  endDryRun(request);
  const [part] = (await putChecked(state, stream, batch)).parts;
  if (part === undefined) throw new Defect('append answered nothing for one record');
  if (!isStored(part)) throw tooMuch(state, stream, part);
  const isEncrypted = settingsOf(stream).keyId !== undefined;
  return new RawAnswer(form.stored(part.shard.id, part.encode(part.first), isEncrypted));
}
