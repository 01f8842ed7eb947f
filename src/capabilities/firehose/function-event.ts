import { createHash } from 'node:crypto';
import { asBuffer } from '../../kernel/bytes/as-buffer.ts';
import { streamArn } from '../../kernel/names.ts';
import type { Identity } from '../../ports/capability.ts';
import type { OutgoingRecord } from '../../ports/destination.ts';
import { REDELIVERY_OF_HEADER } from '../../ports/redelivery-header.ts';

/** Where the records of an event come from. */
export interface EventSource {
  readonly stream: string;
  readonly identity: Identity;
  /** How often these records were handed over before. */
  readonly tries: number;
}

/** A record of a stream as an entry of `Records`. */
export interface EventForm {
  /** The entry, JSON. */
  entry(record: OutgoingRecord, source: EventSource): string;
  /** What `batchItemFailures` calls it. */
  identifier(record: OutgoingRecord): string;
}

/** Entries as Lambda's event source mappings make them: of Kinesis, and of SQS with the data as body. */
export const eventForms: Readonly<Record<'kinesis' | 'sqs', EventForm>> = {
  kinesis: { entry: kinesisEntry, identifier: ({ sequenceNumber }) => sequenceNumber },
  sqs: { entry: sqsEntry, identifier: messageId },
};

/** What stands around the entries. */
export const EVENT_FRONT = '{"Records":[';
/** See EVENT_FRONT. */
export const EVENT_BACK = ']}';

function kinesisEntry(record: OutgoingRecord, { stream, identity }: EventSource): string {
  const { partitionKey, sequenceNumber, data, at, shardId } = record;
  const { region, account } = identity;
  return JSON.stringify({
    kinesis: {
      kinesisSchemaVersion: '1.0',
      partitionKey,
      sequenceNumber,
      data: asBuffer(data).toString('base64'),
      approximateArrivalTimestamp: at / 1000,
    },
    eventSource: 'aws:kinesis',
    eventVersion: '1.0',
    eventID: `${shardId}:${sequenceNumber}`,
    eventName: 'aws:kinesis:record',
    invokeIdentityArn: `arn:aws:iam::${account}:role/millrace`,
    awsRegion: region,
    eventSourceARN: streamArn(region, account, stream),
  });
}

/** As from a FIFO queue whose message groups are the partition keys. */
function sqsEntry(record: OutgoingRecord, { stream, identity, tries }: EventSource): string {
  const { partitionKey, sequenceNumber, data, at, shardId, redeliveryOf } = record;
  const { region, account } = identity;
  const bytes = asBuffer(data);
  const text = bytes.toString();
  // A body is text: bytes that are none would not come back from it.
  const isText = bytes.equals(Buffer.from(text));
  const body = isText ? text : bytes.toString('base64');
  return JSON.stringify({
    messageId: messageId(record),
    receiptHandle: `${shardId}:${sequenceNumber}`,
    body,
    attributes: {
      ApproximateReceiveCount: String(tries + 1),
      SentTimestamp: String(at),
      SenderId: account,
      ApproximateFirstReceiveTimestamp: String(at),
      SequenceNumber: sequenceNumber,
      MessageGroupId: partitionKey,
    },
    messageAttributes: {
      ...(!isText && { encoding: textAttribute('base64') }),
      ...(redeliveryOf !== undefined && { [REDELIVERY_OF_HEADER]: textAttribute(redeliveryOf) }),
    },
    md5OfBody: md5(body),
    eventSource: 'aws:sqs',
    eventSourceARN: `arn:aws:sqs:${region}:${account}:${stream}`,
    awsRegion: region,
  });
}

function textAttribute(stringValue: string): object {
  return { stringValue, dataType: 'String' };
}

/** The same for the same record each time it is handed over, in the form of a UUID. */
function messageId({ shardId, sequenceNumber }: OutgoingRecord): string {
  return md5(`${shardId}:${sequenceNumber}`).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
