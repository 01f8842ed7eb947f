import {
  cloudWatchLoggingOptions,
  processingConfiguration,
  roleArn,
  s3Members,
} from '../../kernel/destination-shapes.ts';
import * as s from '../../kernel/schema/declare.ts';
import type { OutgoingRecord } from '../../ports/destination.ts';
import { ROTATIONS, type Rotation } from './index-name.ts';
import type { Naming } from './naming.ts';

/** How long documents are tried again where nobody says (AWS's page on OpenSearch). */
export const RETRY_SECONDS = 300;

/** What stands in place of a cluster's URL for the search that is part of millrace. */
export const EMBEDDED = 'embedded';

const place = {
  RoleARN: s.optional(roleArn),
  DomainARN: s.optional(
    s.string({
      min: 1,
      max: 512,
      pattern: 'arn:.*:es:[a-zA-Z0-9\\-]+:\\d{11,13}:domain/[a-z][-0-9a-z]{2,27}',
      doc: 'The domain; the section `opensearch` says where it is. This or ClusterEndpoint.',
    }),
  ),
  ClusterEndpoint: s.optional(
    s.string({
      min: 1,
      max: 512,
      pattern: 'https?:.*|embedded',
      doc:
        'URL of the cluster; `outgoing` says which are asked. With `embedded` the delivery is kept and waits, shown ' +
        'as `paused: not built`.',
    }),
  ),
  IndexName: s.string({ min: 1, max: 80, pattern: '.*', doc: 'The index, without the time that its rotation adds.' }),
  TypeName: s.optional(
    s.string({ min: 0, max: 100, pattern: '.*', doc: 'Goes only to Elasticsearch before version 7, which needs one.' }),
  ),
} as const;

const rest = {
  BufferingHints: s.optional(
    s.struct(
      {
        IntervalInSeconds: s.optional(s.integer({ min: 0, max: 900, doc: 'Seconds; default 300.' })),
        SizeInMBs: s.optional(s.integer({ min: 1, max: 100, doc: 'MiB; default 5.' })),
      },
      { doc: 'Documents leave when one of the two is reached; both or none.' },
    ),
  ),
  RetryOptions: s.optional(
    s.struct({
      DurationInSeconds: s.optional(
        s.integer({
          min: 0,
          max: 7200,
          doc: 'How long documents are tried again after they failed first, before they go to S3; default 300.',
        }),
      ),
    }),
  ),
  S3BackupMode: s.optional(
    s.string({
      values: ['FailedDocumentsOnly', 'AllDocuments'],
      doc: 'What stands in the bucket: documents that were not taken (the default), or all.',
    }),
  ),
  S3Configuration: s.struct(s3Members, { doc: 'Where documents go that were not taken.' }),
  ProcessingConfiguration: s.optional(processingConfiguration),
  CloudWatchLoggingOptions: s.optional(cloudWatchLoggingOptions),
  VpcConfiguration: s.optional(s.notBuilt()),
  DocumentIdOptions: s.optional(
    s.struct({
      DefaultDocumentIdFormat: s.string({
        values: ['FIREHOSE_DEFAULT', 'NO_DOCUMENT_ID'],
        doc:
          'FIREHOSE_DEFAULT: the record’s sequence number, so that a repeat finds the document there already. ' +
          'NO_DOCUMENT_ID: one that the engine makes, so that a repeat makes another document.',
      }),
    }),
  ),
} as const;

/**
 * Shape of `AmazonopensearchserviceDestinationConfiguration` and of `ElasticsearchDestinationConfiguration` (service
 * model 2015-08-04).
 */
export function openSearchOptions({ rotation }: Naming) {
  const IndexRotationPeriod = s.optional(
    s.string({
      values: ROTATIONS,
      doc: `How often a new index begins, by the UTC time at which records arrived; default ${rotation}.`,
    }),
  );
  return s.struct({ ...place, IndexRotationPeriod, ...rest });
}

/** Checked options. */
export type OpenSearchOptions = s.Static<ReturnType<typeof openSearchOptions>>;

/** How often a new index begins. */
export function rotationOf({ IndexRotationPeriod: period }: OpenSearchOptions, { rotation }: Naming): Rotation {
  return (period as Rotation | undefined) ?? rotation;
}

/** `gitlogs/OneDay`: records of a batch may go to several indexes, and an attempt under newer options to the same. */
export function placeOf(options: OpenSearchOptions, naming: Naming): string {
  return `${options.IndexName}/${rotationOf(options, naming)}`;
}

/** Whether documents have ids of ours. */
export function hasOwnIds({ DocumentIdOptions: ids }: OpenSearchOptions): boolean {
  return ids?.DefaultDocumentIdFormat !== 'NO_DOCUMENT_ID';
}

/** `49…730.0`: the same at each attempt (observed on AWS). */
export function documentId({ sequenceNumber, subSequenceNumber = 0 }: OutgoingRecord): string {
  return `${sequenceNumber}.${subSequenceNumber}`;
}
