import * as s from './schema/declare.ts';

/**
 * Shapes that several destinations of Firehose share; bounds and patterns are those of AWS's service model of
 * 2015-08-04, with account ids of 11 to 13 digits where AWS wants 12.
 */

/** A role's ARN; nothing needs one here. */
export const roleArn = s.string({
  min: 1,
  max: 512,
  pattern: 'arn:.*:iam::\\d{11,13}:role/[a-zA-Z_0-9+=,.@\\-_/]+',
  doc: 'Kept and described; nothing needs it here.',
});

/** A key of AWS's key service. */
const kmsKeyArn = s.string({
  min: 1,
  max: 512,
  pattern: 'arn:.*:kms:[a-zA-Z0-9\\-]+:\\d{11,13}:(key|alias)/[a-zA-Z_0-9+=,.@\\-_/]+',
});

const bucketArn = s.string({
  min: 1,
  max: 2048,
  pattern: 'arn:.*:s3:::[\\w\\.\\-]{1,255}',
  filePattern: '(arn:.*:s3:::)?[\\w\\.\\-]{1,255}',
  doc: 'The bucket: an ARN `arn:aws:s3:::NAME`, in a file also its name.',
});

/** Where errors of deliveries were to go on AWS. */
export const cloudWatchLoggingOptions = s.struct(
  {
    Enabled: s.optional(s.boolean()),
    LogGroupName: s.optional(s.string({ min: 0, max: 512, pattern: '[\\.\\-_/#A-Za-z0-9]*' })),
    LogStreamName: s.optional(s.string({ min: 0, max: 512, pattern: '[^:*]*' })),
  },
  { doc: 'Kept and described; errors stand in the log of the node.' },
);

const processorParameter = s.struct({
  ParameterName: s.string({
    values: [
      'LambdaArn',
      'NumberOfRetries',
      'MetadataExtractionQuery',
      'JsonParsingEngine',
      'RoleArn',
      'BufferSizeInMBs',
      'BufferIntervalInSeconds',
      'SubRecordType',
      'Delimiter',
      'CompressionFormat',
      'DataMessageExtraction',
    ],
  }),
  ParameterValue: s.string({ min: 1, max: 5120, pattern: '^(?!\\s*$).+' }),
});

/** What is done to records; which processors there are is the destination's to say. */
export const processingConfiguration = s.struct(
  {
    Enabled: s.optional(s.boolean({ doc: 'Without it nothing is processed.' })),
    Processors: s.optional(
      s.list(
        s.struct({
          Type: s.string({
            values: [
              'RecordDeAggregation',
              'Decompression',
              'CloudWatchLogProcessing',
              'Lambda',
              'MetadataExtraction',
              'AppendDelimiterToRecord',
            ],
            doc:
              'Lambda has records transformed; AppendDelimiterToRecord puts a line end behind each, in objects; the ' +
              'others are not built yet.',
          }),
          Parameters: s.optional(
            s.list(processorParameter, { doc: 'AppendDelimiterToRecord needs none; a Delimiter is `\\n`.' }),
          ),
        }),
      ),
    ),
  },
  { doc: 'What is done to records before they are delivered.' },
);

/** What AWS's model calls `S3DestinationConfiguration`: objects in a bucket, without what was added to S3 later. */
export const s3Members = {
  RoleARN: s.optional(roleArn),
  BucketARN: bucketArn,
  Prefix: s.optional(
    s.string({
      min: 0,
      max: 1024,
      pattern: '.*',
      doc:
        'Stands before the name of each object: with expressions such as `!{timestamp:yyyy/MM/dd/}` and ' +
        '`!{firehose:random-string}`, else followed by `yyyy/MM/dd/HH/`.',
    }),
  ),
  ErrorOutputPrefix: s.optional(
    s.string({
      min: 0,
      max: 1024,
      pattern: '.*',
      doc: 'Needed with expressions in Prefix; its own hold `!{firehose:error-output-type}`.',
    }),
  ),
  BufferingHints: s.optional(
    s.struct(
      {
        SizeInMBs: s.optional(s.integer({ min: 1, max: 128, doc: 'MiB before compression; default 5.' })),
        IntervalInSeconds: s.optional(s.integer({ min: 0, max: 900, doc: 'Seconds; default 300.' })),
      },
      { doc: 'An object is written when one of the two is reached; both or none.' },
    ),
  ),
  CompressionFormat: s.optional(
    s.string({
      values: ['ZIP', 'HADOOP_SNAPPY', 'Snappy', 'GZIP', 'UNCOMPRESSED'],
      doc: 'UNCOMPRESSED is the default; Snappy is the format of snappy-java, HADOOP_SNAPPY that of Hadoop’s codecs.',
    }),
  ),
  EncryptionConfiguration: s.optional(
    s.struct(
      {
        NoEncryptionConfig: s.optional(s.string({ values: ['NoEncryption'] })),
        KMSEncryptionConfig: s.optional(s.struct({ AWSKMSKeyARN: kmsKeyArn })),
      },
      { doc: 'One of the two: with a key a real S3 is asked to encrypt; folders hold plain files.' },
    ),
  ),
  CloudWatchLoggingOptions: s.optional(cloudWatchLoggingOptions),
} as const;
