import { roleArn } from '../../kernel/destination-shapes.ts';
import * as s from '../../kernel/schema/declare.ts';
import { firehoseLimits } from './limits.ts';

/** The `X-Amz-Target` prefix of all Firehose actions. */
export const TARGET = 'Firehose_20150804';

/** Shapes that several actions share; bounds and patterns are those of AWS's service model. */

/** A delivery stream's name. */
export const deliveryStreamName = s.string({
  min: 1,
  max: firehoseLimits.nameCharactersMax,
  pattern: '[a-zA-Z0-9_.-]+',
  doc: 'Name of the delivery stream.',
});

/** One record: up to 1,024,000 bytes. */
export const record = s.struct({ Data: s.blob({ min: 0, max: firehoseLimits.recordBytesMax }) }, { name: 'Record' });

/** The type of a delivery stream: what it gets records from. */
export const deliveryStreamType = s.string({
  values: ['DirectPut', 'KinesisStreamAsSource', 'MSKAsSource', 'DatabaseAsSource'],
});

/** The version of a delivery stream's configuration. */
export const versionId = s.string({ min: 1, max: 50, pattern: '[0-9]+' });
/** The one destination of a delivery stream. */
export const destinationId = s.string({ min: 1, max: 100, pattern: '[a-zA-Z0-9-]+' });
/** As AWS numbers the first destination of each delivery stream (observed). */
export const DESTINATION_ID = 'destinationId-000000000001';

/** The stream that a delivery stream reads; account ids of 11 to 13 digits are accepted. */
export const kinesisStreamSource = s.struct({
  KinesisStreamARN: s.string({
    min: 1,
    max: 512,
    pattern: 'arn:.*:kinesis:[a-zA-Z0-9\\-]+:\\d{11,13}:stream/[a-zA-Z0-9_.-]+',
  }),
  RoleARN: s.optional(roleArn),
});

/** What is expected to be put directly. */
export const directPutSource = s.struct({ ThroughputHintInMBs: s.integer({ min: 1, max: 100 }) });

/** A tag's key. */
export const tagKey = s.string({ min: 1, max: 128, pattern: '^(?!aws:)[\\p{L}\\p{Z}\\p{N}_.:\\/=+\\-@%]*$' });
/** A tag as requests and lists have it. */
export const tag = s.struct(
  {
    Key: tagKey,
    Value: s.optional(s.string({ min: 0, max: 256, pattern: '^[\\p{L}\\p{Z}\\p{N}_.:\\/=+\\-@%]*$' })),
  },
  { name: 'Tag' },
);
/** Tags of a request. */
export const tagList = s.list(tag, { min: 1, max: firehoseLimits.tagsMax });

/** The type of a key: AWS's own, or the customer's. */
export const keyType = s.string({ values: ['AWS_OWNED_CMK', 'CUSTOMER_MANAGED_CMK'] });
/** A key by its ARN; account ids of 11 to 13 digits are accepted. */
export const keyArn = s.string({
  min: 1,
  max: 512,
  pattern: 'arn:.*:kms:[a-zA-Z0-9\\-]+:\\d{11,13}:key/[a-zA-Z_0-9+=,.@\\-_/]+',
});
/** How records that are put directly are to be encrypted. */
export const encryptionInput = s.struct({ KeyARN: s.optional(keyArn), KeyType: keyType });
