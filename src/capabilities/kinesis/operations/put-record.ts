import * as s from '../../../kernel/schema/declare.ts';
import { Defect } from '../../../kernel/errors.ts';
import { operation } from '../../../ports/operation.ts';
import { StreamNotFound } from '../../../ports/records.ts';
import { addressedStream } from '../address.ts';
import { streamNotFound } from '../errors.ts';
import { checkOrdering, countIn, entryBytes, isStored, tooMuch, toRecord } from '../incoming.ts';
import type { KinesisState } from '../model.ts';
import { data, hashKey, partitionKey, sequenceNumber, shardId, streamArn, streamName } from '../shapes.ts';
import { TARGET } from './target.ts';

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
  async handle(request, { state }) {
    const stream = addressedStream(state, request);
    checkOrdering(state, stream, request.SequenceNumberForOrdering);
    const record = toRecord(request, stream);
    try {
      const [result] = await state.records.append(stream.name, [record]);
      if (result === undefined) throw new Defect('append answered nothing for one record');
      const stored = isStored(result);
      countIn(state, stream.name, stored ? 1 : 0, stored ? entryBytes(request) : 0, stored ? 0 : 1);
      if (!isStored(result)) throw tooMuch(state, stream, result);
      return { ShardId: result.shardId, SequenceNumber: result.sequenceNumber };
    } catch (error) {
      if (error instanceof StreamNotFound) throw streamNotFound(stream.name, state.identity.account);
      throw error;
    }
  },
});
