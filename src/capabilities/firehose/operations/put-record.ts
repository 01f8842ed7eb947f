import { isStored } from '../../../ports/records.ts';
import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { firehoseError } from '../errors.ts';
import { putDirectly, recordId, TRY_AGAIN } from '../incoming.ts';
import type { FirehoseState } from '../model.ts';
import { deliveryStreamName, record, TARGET } from '../shapes.ts';

/** Takes one record; durable when the answer comes. */
export const putRecord = operation<FirehoseState>()({
  name: 'PutRecord',
  target: TARGET,
  input: s.struct({ DeliveryStreamName: deliveryStreamName, Record: record }),
  output: s.struct({ RecordId: s.string(), Encrypted: s.boolean() }),
  errors: ['InvalidArgumentException', 'ResourceNotFoundException', 'ServiceUnavailableException'],
  plane: 'data',
  doc: 'Takes one record; durable when the answer comes.',
  async handle(request, { state }) {
    const { results, isEncrypted } = await putDirectly(
      state,
      request.DeliveryStreamName,
      [request.Record.Data],
      'PutRecord',
    );
    const [result] = results;
    if (result === undefined || !isStored(result)) throw firehoseError('ServiceUnavailableException', TRY_AGAIN);
    return { RecordId: recordId(result), Encrypted: isEncrypted };
  },
});
