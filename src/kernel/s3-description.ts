import { hintsInForce } from './buffering-hints.ts';
import type { Static, StructSchema } from './schema/declare.ts';
import type { s3Members } from './destination-shapes.ts';
import type { Json } from './json.ts';

type S3Configuration = Static<StructSchema<typeof s3Members>>;

/** AWS's `S3DestinationDescription`, with the defaults that hold. */
export function describeS3(options: S3Configuration): Readonly<Record<string, Json>> {
  const { BufferingHints: hints, CloudWatchLoggingOptions: logging, EncryptionConfiguration: encryption } = options;
  return {
    ...(options.RoleARN !== undefined && { RoleARN: options.RoleARN }),
    BucketARN: options.BucketARN.startsWith('arn:') ? options.BucketARN : `arn:aws:s3:::${options.BucketARN}`,
    ...(options.Prefix !== undefined && { Prefix: options.Prefix }),
    ...(options.ErrorOutputPrefix !== undefined && { ErrorOutputPrefix: options.ErrorOutputPrefix }),
    BufferingHints: hintsInForce(hints),
    CompressionFormat: options.CompressionFormat ?? 'UNCOMPRESSED',
    EncryptionConfiguration: (encryption as Json | undefined) ?? { NoEncryptionConfig: 'NoEncryption' },
    CloudWatchLoggingOptions: { Enabled: false, ...(logging as Record<string, Json> | undefined) },
  };
}
