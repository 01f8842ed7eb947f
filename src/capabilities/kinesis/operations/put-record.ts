import * as s from '../../../kernel/schema/declare.ts';
import { Defect } from '../../../kernel/errors.ts';
import { operation, RawAnswer } from '../../../ports/operation.ts';
import { isStored, type RecordBatch, type StreamInfo } from '../../../ports/records.ts';
import { addressedStream } from '../address.ts';
import { checkOrdering, putBatch, putChecked, putScanned, tooMuch } from '../incoming.ts';
import type { KinesisState } from '../model.ts';
import { scanPutRecord } from '../put-scan.ts';
import { TARGET, data, hashKey, partitionKey, sequenceNumber, shardId, streamArn, streamName } from '../shapes.ts';

const input = s.struct({
  StreamName: s.optional(streamName),
  Data: data,
  PartitionKey: partitionKey,
  ExplicitHashKey: s.optional(hashKey),
  SequenceNumberForOrdering: s.optional(sequenceNumber),
  StreamARN: s.optional(streamArn),
});

const output = s.struct({ ShardId: shardId, SequenceNumber: sequenceNumber });

/** Stores one record and answers where, once it is durable. */
export const putRecord = operation<KinesisState>()({
  name: 'PutRecord',
  target: TARGET,
  input,
  output,
  errors: ['InvalidArgumentException', 'ProvisionedThroughputExceededException', 'ResourceNotFoundException'],
  plane: 'data',
  doc: 'Stores one record and answers where, once it is durable.',
  async fast(body, { state }) {
    const scanned = scanPutRecord(body);
    if (scanned === undefined) return undefined;
    return await putScanned(async () => await put(state, addressedStream(state, scanned), scanned.batch));
  },
  async handle(request, { state }) {
    const stream = addressedStream(state, request);
    checkOrdering(state, stream, request.SequenceNumberForOrdering);
    return await put(state, stream, putBatch([request]));
  },
});

async function put(state: KinesisState, stream: StreamInfo, batch: RecordBatch): Promise<RawAnswer> {
  const [part] = (await putChecked(state, stream, batch)).parts;
  if (part === undefined) throw new Defect('append answered nothing for one record');
  if (!isStored(part)) throw tooMuch(state, stream);
  return new RawAnswer(`{"ShardId":"${part.shard.id}","SequenceNumber":"${part.encode(part.first)}"}`);
}
