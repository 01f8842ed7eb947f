import { isStored } from '../../../ports/records.ts';
import * as s from '../../../kernel/schema/declare.ts';
import { Defect } from '../../../kernel/errors.ts';
import { operation } from '../../../ports/operation.ts';
import { addressedStream, onStream } from '../address.ts';
import { checkOrdering, countIn, entryBytes, tooMuch, toRecord } from '../incoming.ts';
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
  scan: scanPutRecord,
  async handle(request, { state }) {
    const stream = addressedStream(state, request);
    checkOrdering(state, stream, request.SequenceNumberForOrdering);
    const record = toRecord(request, stream);
    const [result] = await onStream(state, stream, async () => await state.records.append(stream.name, [record]));
    if (result === undefined) throw new Defect('append answered nothing for one record');
    const stored = isStored(result);
    countIn(state, stream.name, stored ? 1 : 0, stored ? entryBytes(request) : 0, stored ? 0 : 1);
    if (!isStored(result)) throw tooMuch(state, stream);
    return { ShardId: result.shardId, SequenceNumber: result.sequenceNumber };
  },
});
