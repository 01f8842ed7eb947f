import type { Batch, OutgoingRecord } from '../../../ports/destination.ts';
import { limits } from '../limits.ts';
import type { DeliveryRequest } from './delivery-request.ts';
import type { ReceivedRecord } from './received-records.ts';

/** The records of a request as a batch: a repeated request is the same batch, whose records have the same names. */
export function recordBatch(
  { requestId, timestamp }: DeliveryRequest,
  records: readonly ReceivedRecord[],
  source: { readonly deliveryStreamArn: string; readonly receivedAt: number },
): Batch {
  const { deliveryStreamArn, receivedAt } = source;
  const at = timestamp ?? receivedAt;
  const outgoing = records.map(({ index, data, partitionKey = requestId }): OutgoingRecord => {
    const name = { sequenceNumber: requestId, subSequenceNumber: index, shardId: '' };
    return { data, at, partitionKey, index, ...name };
  });
  return {
    id: requestId,
    deliveryStream: deliveryStreamArn.slice(deliveryStreamArn.indexOf('/') + 1),
    deliveryStreamArn,
    versionId: '1',
    oldestAt: at,
    recordCount: records.length,
    sizeBytes: records.reduce((sum, { data }) => sum + data.length, 0),
    async *records() {
      for (let from = 0; from < outgoing.length; from += limits.receivedRecordsPerWrite) {
        yield outgoing.slice(from, from + limits.receivedRecordsPerWrite);
      }
    },
  };
}
