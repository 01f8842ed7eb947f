import { asBuffer } from '../../kernel/bytes/as-buffer.ts';
import type { OutgoingRecord } from '../../ports/destination.ts';

/** What an event says beside its records. */
export interface TransformSource {
  /** The same for each attempt of one event. */
  readonly invocationId: string;
  readonly deliveryStreamArn: string;
  /** Absent: the records were put directly. */
  readonly sourceKinesisStreamArn?: string | undefined;
  readonly region: string;
}

/** The name by which an answer says which record it means. */
export function transformRecordId({ sequenceNumber, subSequenceNumber = 0 }: OutgoingRecord): string {
  return `${sequenceNumber}.${subSequenceNumber}`;
}

/** The event that Lambda gets to transform records (Developer guide, "Transform source data"), in UTF-8. */
export function transformEvent(source: TransformSource, records: readonly OutgoingRecord[]): Uint8Array {
  const { invocationId, deliveryStreamArn, sourceKinesisStreamArn, region } = source;
  const head = JSON.stringify({
    invocationId,
    deliveryStreamArn,
    ...(sourceKinesisStreamArn !== undefined && { sourceKinesisStreamArn }),
    region,
  });
  const isOfStream = sourceKinesisStreamArn !== undefined;
  const entries = records.map((record) => entryOf(record, isOfStream));
  return Buffer.from(`${head.slice(0, -1)},"records":[${entries.join()}]}`);
}

function entryOf(record: OutgoingRecord, isOfStream: boolean): string {
  const { data, at, partitionKey, sequenceNumber, subSequenceNumber, shardId } = record;
  return JSON.stringify({
    recordId: transformRecordId(record),
    approximateArrivalTimestamp: at,
    data: asBuffer(data).toString('base64'),
    ...(isOfStream && {
      kinesisRecordMetadata: {
        sequenceNumber,
        subsequenceNumber: String(subSequenceNumber ?? 0),
        partitionKey,
        shardId,
        approximateArrivalTimestamp: at,
      },
    }),
  });
}
