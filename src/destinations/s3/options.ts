import * as s from '../../kernel/schema/declare.ts';
import { processingOptions } from './processing.ts';

const MIB = 1024 * 1024;

/** AWS's defaults for S3 (service model). */
export const s3Defaults = { sizeMib: 5, intervalSeconds: 300, mib: MIB } as const;

const bucketArn = s.string({
  min: 1,
  max: 2048,
  pattern: '(arn:.*:s3:::)?[\\w\\.\\-]{1,255}',
  doc: 'The bucket: a name, or an ARN `arn:aws:s3:::NAME`.',
});

const roleArn = s.string({
  min: 1,
  max: 512,
  pattern: 'arn:.*:iam::\\d{11,13}:role/.*',
  doc: 'Kept and described; nothing needs it here.',
});

/** Shape of `ExtendedS3DestinationConfiguration` (service model 2015-08-04). */
export const s3Options = s.struct({
  RoleARN: s.optional(roleArn),
  BucketARN: bucketArn,
  Prefix: s.optional(
    s.string({
      max: 1024,
      doc:
        'Stands before the name of each object: with expressions such as `!{timestamp:yyyy/MM/dd/}` and ' +
        '`!{firehose:random-string}`, else followed by `yyyy/MM/dd/HH/`.',
    }),
  ),
  ErrorOutputPrefix: s.optional(
    s.string({
      max: 1024,
      doc:
        'Needed with expressions in Prefix; its own hold `!{firehose:error-output-type}`. ' +
        'Nothing fails to an object yet.',
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
    s.struct({
      NoEncryptionConfig: s.optional(s.string({ values: ['NoEncryption'] })),
      KMSEncryptionConfig: s.optional(s.notBuilt()),
    }),
  ),
  CloudWatchLoggingOptions: s.optional(
    s.struct(
      {
        Enabled: s.optional(s.boolean()),
        LogGroupName: s.optional(s.string({ max: 512 })),
        LogStreamName: s.optional(s.string({ max: 512 })),
      },
      { doc: 'Kept and described; errors stand in the log of the node.' },
    ),
  ),
  S3BackupMode: s.optional(s.string({ values: ['Disabled', 'Enabled'], doc: 'Disabled; Enabled is not built yet.' })),
  ProcessingConfiguration: s.optional(processingOptions),
  S3BackupConfiguration: s.optional(s.notBuilt()),
  DataFormatConversionConfiguration: s.optional(s.notBuilt()),
  DynamicPartitioningConfiguration: s.optional(s.notBuilt()),
  FileExtension: s.optional(
    s.string({
      max: 128,
      pattern: "^$|\\.[0-9a-z!\\-_.*'()]+",
      doc: 'Ends the key of each object, in place of the ending of its format.',
    }),
  ),
  CustomTimeZone: s.optional(
    s.string({
      max: 50,
      pattern: '^$|[a-zA-Z/_]+',
      doc: 'Zone of the times in keys, by its IANA name such as `Europe/Berlin`; default UTC.',
    }),
  ),
});

/** Checked options. */
export type S3Options = s.Static<typeof s3Options>;
