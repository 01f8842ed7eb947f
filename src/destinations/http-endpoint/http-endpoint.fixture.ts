import type { Batch, OutgoingRecord } from '../../ports/destination.ts';

/** When all records of these batches arrived. */
export const AT = Date.parse('2026-01-31T23:04:05.678Z');
/** The id of these batches. */
export const BATCH_ID = '6a3b0f6e-3c0c-4c36-9d7b-6f1a2f3b4c5d';

/** A batch of these records, in groups of `groupMax`; `passes` counts how often it was read. */
export interface FakeBatch extends Batch {
  passes: number;
  data: readonly Uint8Array[];
}

/** Makes one; `recordCount` is that of the whole batch when this is a part. */
export function batchOf(
  data: readonly (string | Uint8Array)[],
  { groupMax = 3, recordCount = data.length, firstNumber = 0 } = {},
): FakeBatch {
  const batch: FakeBatch = {
    id: BATCH_ID,
    deliveryStream: 'd',
    deliveryStreamArn: 'arn:aws:firehose:us-east-1:000000000000:deliverystream/d',
    versionId: '1',
    oldestAt: AT,
    recordCount,
    sizeBytes: 0,
    passes: 0,
    data: data.map((one) => Buffer.from(one)),
    async *records() {
      batch.passes += 1;
      for (let from = 0; from < batch.data.length; from += groupMax) {
        yield batch.data.slice(from, from + groupMax).map((one, at) => recordOf(one, from + at, firstNumber));
      }
    },
  };
  return batch;
}

function recordOf(data: Uint8Array, index: number, firstNumber: number): OutgoingRecord {
  return { data, at: AT, partitionKey: 'k', sequenceNumber: `${firstNumber + index + 1}`, shardId: 's', index };
}
