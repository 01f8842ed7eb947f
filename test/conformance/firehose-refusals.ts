import { describe, test } from 'node:test';
import { base64, isNull, ok, refusesAll, repeated, violation, type Refusals, type Subject } from './subject.ts';

const S3 = { BucketARN: 'arn:aws:s3:::conformance-direct' };
const EXTENDED = 'extendedS3DestinationConfiguration';
const INVALID = 'InvalidArgumentException';
const NOT_FOUND = 'ResourceNotFoundException';
const WRONG = 'ValidationException';
const EXACTLY_ONE = 'Exactly one destination configuration is supported for a Firehose.';
const FORMATS = 'Member must satisfy enum value set: [ZIP, HADOOP_SNAPPY, Snappy, GZIP, UNCOMPRESSED]';
const RECORD_MAX = 1_024_000;

/** What Firehose actions refuse: type and sentence of each error. */
export function firehoseRefusalsConformance(subject: Subject): void {
  const refuse = async (table: (name: string, account: string) => Refusals): Promise<void> => {
    const name = subject.name('refusals');
    const input = { DeliveryStreamName: name, ExtendedS3DestinationConfiguration: S3 };
    const { DeliveryStreamARN } = await ok(subject.firehose('CreateDeliveryStream', input));
    const account = String(DeliveryStreamARN).split(':')[4] ?? '';
    await refusesAll(async (action, given) => await subject.firehose(action, given), table(name, account));
    await ok(subject.firehose('DeleteDeliveryStream', { DeliveryStreamName: name }));
  };
  describe('firehose: refusals, sentence by sentence', () => {
    test('of CreateDeliveryStream', async () => await refuse(ofCreation));
    test('of the other actions', async () => await refuse(ofTheRest));
  });
}

function ofCreation(name: string): Refusals {
  const missing = `no-${name}`;
  const s3 = (more: object): object => ({
    DeliveryStreamName: missing,
    ExtendedS3DestinationConfiguration: { ...S3, ...more },
  });
  const hints = (SizeInMBs?: number, IntervalInSeconds?: number): object =>
    s3({ BufferingHints: { SizeInMBs, IntervalInSeconds } });
  const asSource = { ...s3({}), DeliveryStreamType: 'KinesisStreamAsSource' };
  const from = (stream: string): object => ({
    KinesisStreamSourceConfiguration: { KinesisStreamARN: `arn:aws:kinesis:us-east-1:000000000000:stream/${stream}` },
  });
  const exists = new RegExp(`^Firehose ${name} .* already exists$`);
  const anyFormat = violation('SNAPPY', `${EXTENDED}.compressionFormat`, FORMATS);
  return {
    CreateDeliveryStream: [
      [{ ...s3({}), DeliveryStreamName: name }, 'ResourceInUseException', exists],
      [{ DeliveryStreamName: missing }, INVALID, EXACTLY_ONE],
      [{ ...s3({}), S3DestinationConfiguration: S3 }, INVALID, EXACTLY_ONE],
      [{ ...s3({}), DeliveryStreamName: undefined }, WRONG, isNull('deliveryStreamName')],
      [{ ...s3({}), DeliveryStreamName: 'a b' }, WRONG, /'deliveryStreamName' .* pattern: \[a-zA-Z0-9_\.-\]\+$/],
      [{ ...s3({}), DeliveryStreamName: 'a'.repeat(65) }, WRONG, /less than or equal to 64$/],
      [s3({ BucketARN: undefined }), WRONG, isNull(`${EXTENDED}.bucketARN`)],
      [s3({ CompressionFormat: 'SNAPPY' }), WRONG, anyFormat],
      [hints(0, 60), WRONG, /bufferingHints\.sizeInMBs'.* greater than or equal to 1$/],
      [hints(129, 60), WRONG, /bufferingHints\.sizeInMBs'.* less than or equal to 128$/],
      [hints(5, 901), WRONG, /bufferingHints\.intervalInSeconds'.* less than or equal to 900$/],
      [hints(5), INVALID, /BufferingHints/],
      [hints(undefined, 60), INVALID, /BufferingHints/],
      [{ ...s3({}), DeliveryStreamType: 'Direct' }, WRONG, /'deliveryStreamType'.* enum value set/],
      [asSource, INVALID, /KinesisStreamSourceConfiguration/],
      [{ ...s3({}), ...from('x') }, INVALID, /KinesisStreamSourceConfiguration/],
      [
        { DeliveryStreamName: missing, SplunkDestinationConfiguration: {} },
        INVALID,
        /^SplunkDestinationConfiguration /,
      ],
      [{ ...s3({}), Tags: [{ Key: 'aws:x' }] }, WRONG, /'tags\.1\.member\.key' .* pattern: \^\(\?!aws:\)/],
      [
        { ...s3({}), DeliveryStreamEncryptionConfigurationInput: { KeyType: 'CUSTOMER_MANAGED_CMK' } },
        INVALID,
        /KeyARN/,
      ],
      [{ ...asSource, ...from(missing) }, NOT_FOUND, new RegExp(`^Stream ${missing} .* not found\\.$`)],
    ],
  };
}

function ofTheRest(name: string, account: string): Refusals {
  const missing = { DeliveryStreamName: `no-${name}` };
  const notFound = `Firehose no-${name} under account ${account} not found.`;
  const address = { DeliveryStreamName: name };
  const update = {
    ...address,
    CurrentDeliveryStreamVersionId: '1',
    DestinationId: 'destinationId-000000000001',
    ExtendedS3DestinationUpdate: { Prefix: 'x/' },
  };
  const largest = { Data: base64(Buffer.alloc(RECORD_MAX)) };
  const tooLarge = { Data: base64(Buffer.alloc(RECORD_MAX + 1)) };
  const size = `failed to satisfy constraint: Member must have length less than or equal to ${RECORD_MAX}$`;
  const tooFew = violation('[]', 'records', 'Member must have length greater than or equal to 1');
  return {
    DescribeDeliveryStream: [
      [missing, NOT_FOUND, notFound],
      [{}, WRONG, isNull('deliveryStreamName')],
    ],
    DeleteDeliveryStream: [[missing, NOT_FOUND, notFound]],
    ListDeliveryStreams: [
      [{ Limit: 0 }, WRONG, /'limit'.* greater than or equal to 1$/],
      [{ Limit: 10_001 }, WRONG, /'limit'.* less than or equal to 10000$/],
      [{ DeliveryStreamType: 'X' }, WRONG, /'deliveryStreamType'.* enum value set/],
    ],
    UpdateDestination: [
      [{ ...update, ...missing }, NOT_FOUND, notFound],
      [
        { ...update, CurrentDeliveryStreamVersionId: '9' },
        'ConcurrentModificationException',
        /^Cannot update firehose: /,
      ],
      [{ ...update, DestinationId: undefined }, WRONG, isNull('destinationId')],
      [{ ...update, DestinationId: 'none' }, INVALID, 'Destination Id none not found'],
      [{ ...update, ExtendedS3DestinationUpdate: undefined }, INVALID, /^Exactly one destination update/],
      [{ ...update, ExtendedS3DestinationUpdate: { CompressionFormat: 'x' } }, WRONG, /Update\.compressionFormat'/],
      [{ ...update, ExtendedS3DestinationUpdate: { BufferingHints: { SizeInMBs: 5 } } }, INVALID, /BufferingHints/],
    ],
    TagDeliveryStream: [
      [{ ...missing, Tags: [{ Key: 'k' }] }, NOT_FOUND, notFound],
      [{ ...address, Tags: [] }, WRONG, /'tags' .* greater than or equal to 1$/],
      [{ ...address, Tags: [{ Value: 'v' }] }, WRONG, isNull('tags.1.member.key')],
    ],
    UntagDeliveryStream: [
      [{ ...missing, TagKeys: ['k'] }, NOT_FOUND, notFound],
      [address, WRONG, isNull('tagKeys')],
    ],
    ListTagsForDeliveryStream: [
      [missing, NOT_FOUND, notFound],
      [{ ...address, Limit: 51 }, WRONG, /'limit'.* less than or equal to 50$/],
    ],
    StartDeliveryStreamEncryption: [
      [missing, NOT_FOUND, notFound],
      [
        { ...address, DeliveryStreamEncryptionConfigurationInput: { KeyType: 'CUSTOMER_MANAGED_CMK' } },
        INVALID,
        /KeyARN/,
      ],
      [{ ...address, DeliveryStreamEncryptionConfigurationInput: {} }, WRONG, /keyType' .* must not be null$/],
    ],
    StopDeliveryStreamEncryption: [[missing, NOT_FOUND, notFound]],
    PutRecord: [
      [{ ...missing, Record: { Data: '' } }, NOT_FOUND, notFound],
      [{ ...address, Record: {} }, WRONG, isNull('record.data')],
      [address, WRONG, isNull('record')],
      [{ ...address, Record: { Data: '*' } }, 'SerializationException', /can not be converted to a Blob/],
      [{ ...address, Record: tooLarge }, WRONG, new RegExp(`'record\\.data' ${size}`)],
    ],
    PutRecordBatch: [
      [{ ...missing, Records: [{ Data: '' }] }, NOT_FOUND, notFound],
      [{ ...address, Records: [] }, WRONG, tooFew],
      [{ ...address, Records: repeated(501, { Data: '' }) }, WRONG, /'records' .* less than or equal to 500$/],
      [{ ...address, Records: [{ Data: '' }, tooLarge] }, WRONG, new RegExp(`'records\\.2\\.member\\.data' ${size}`)],
      [{ ...address, Records: repeated(5, largest) }, INVALID, 'Records size exceeds 4 MB limit'],
    ],
  };
}
