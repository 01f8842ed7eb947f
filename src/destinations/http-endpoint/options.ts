import {
  cloudWatchLoggingOptions,
  processingConfiguration,
  roleArn,
  s3Members,
} from '../../kernel/destination-shapes.ts';
import { OWN_WORD } from '../../kernel/net/config-url.ts';
import * as s from '../../kernel/schema/declare.ts';

/** How long a request is tried again where nobody says; the default of AWS's console. */
export const RETRY_SECONDS = 300;

const endpoint = s.struct(
  {
    Url: s.string({
      min: 1,
      max: 1000,
      pattern: 'https?://.*',
      filePattern: `(https?://|${OWN_WORD}).*`,
      doc: 'Of the endpoint; http, and addresses that are not public, only where `outgoing` allows them.',
    }),
    Name: s.optional(s.string({ min: 1, max: 256, pattern: '^(?!\\s*$).+', doc: 'For people.' })),
    AccessKey: s.optional(
      s.string({
        min: 0,
        max: 4096,
        pattern: '.*',
        secret: true,
        doc: 'Sent with each request as `X-Amz-Firehose-Access-Key`.',
      }),
    ),
  },
  { doc: 'What is asked. Attempts go by the newest values, also those of records that wait already.' },
);

const commonAttribute = s.struct({
  AttributeName: s.string({ min: 1, max: 256, pattern: '^(?!\\s*$).+' }),
  AttributeValue: s.string({ min: 0, max: 1024, pattern: '.*' }),
});

/** Shape of `HttpEndpointDestinationConfiguration` (service model 2015-08-04). */
export const httpEndpointOptions = s.struct({
  EndpointConfiguration: endpoint,
  BufferingHints: s.optional(
    s.struct(
      {
        SizeInMBs: s.optional(s.integer({ min: 1, max: 64, doc: 'MiB; default 5.' })),
        IntervalInSeconds: s.optional(s.integer({ min: 0, max: 900, doc: 'Seconds; default 300.' })),
      },
      { doc: 'Records leave when one of the two is reached; both or none.' },
    ),
  ),
  CloudWatchLoggingOptions: s.optional(cloudWatchLoggingOptions),
  RequestConfiguration: s.optional(
    s.struct({
      ContentEncoding: s.optional(s.string({ values: ['NONE', 'GZIP'], doc: 'Of requests; default NONE.' })),
      CommonAttributes: s.optional(
        s.list(commonAttribute, { min: 0, max: 50, doc: 'Sent with each request as a header.' }),
      ),
    }),
  ),
  ProcessingConfiguration: s.optional(processingConfiguration),
  RoleARN: s.optional(roleArn),
  RetryOptions: s.optional(
    s.struct({
      DurationInSeconds: s.optional(
        s.integer({
          min: 0,
          max: 7200,
          doc:
            'How long records are tried again after they failed first, in seconds and without the time spent waiting ' +
            'for answers, before they go to S3; default 300.',
        }),
      ),
    }),
  ),
  S3BackupMode: s.optional(
    s.string({
      values: ['FailedDataOnly', 'AllData'],
      doc: 'What stands in the bucket: records that were not taken (the default), or all.',
    }),
  ),
  S3Configuration: s.struct(s3Members, { doc: 'Where records go that were not taken.' }),
  SecretsManagerConfiguration: s.optional(
    s.struct(
      {
        SecretARN: s.optional(
          s.string({
            min: 1,
            max: 2048,
            pattern: 'arn:.*:secretsmanager:[a-zA-Z0-9\\-]+:\\d{11,13}:secret:[a-zA-Z0-9\\-/_+=.@!]+',
          }),
        ),
        RoleARN: s.optional(roleArn),
        Enabled: s.boolean(),
      },
      { doc: 'Not built yet when enabled.' },
    ),
  ),
});

/** Checked options. */
export type HttpEndpointOptions = s.Static<typeof httpEndpointOptions>;
