import { hintsInForce } from '../../kernel/buffering-hints.ts';
import type { Json } from '../../ports/catalog.ts';
import type { Naming } from './naming.ts';
import { RETRY_SECONDS, rotationOf, type OpenSearchOptions } from './options.ts';

/** Members that are described as they were given. */
const AS_GIVEN = [
  'RoleARN',
  'DomainARN',
  'ClusterEndpoint',
  'IndexName',
  'TypeName',
  'ProcessingConfiguration',
  'DocumentIdOptions',
] as const;

/** Members of AWS's description, with the defaults that hold. */
export function describe(options: OpenSearchOptions, naming: Naming): Readonly<Record<string, Json>> {
  const { BufferingHints: hints, RetryOptions: retry, CloudWatchLoggingOptions: logging } = options;
  const { IntervalInSeconds, SizeInMBs } = hintsInForce(hints);
  const given = AS_GIVEN.flatMap((name) =>
    options[name] === undefined ? [] : [[name, options[name] as Json] as const],
  );
  return {
    ...Object.fromEntries(given),
    IndexRotationPeriod: rotationOf(options, naming),
    BufferingHints: { IntervalInSeconds, SizeInMBs },
    RetryOptions: { DurationInSeconds: retry?.DurationInSeconds ?? RETRY_SECONDS },
    S3BackupMode: options.S3BackupMode ?? 'FailedDocumentsOnly',
    CloudWatchLoggingOptions: { Enabled: false, ...(logging as Record<string, Json> | undefined) },
  };
}
