import { bufferingOf } from '../../kernel/buffering-hints.ts';
import type { Destination, FailurePath } from '../../ports/destination.ts';
import { OpenSearchDelivery } from './delivery.ts';
import { describe } from './describe.ts';
import { oneLineObject } from './document.ts';
import { noDocument } from './errors.ts';
import { indexAt } from './index-name.ts';
import { ELASTICSEARCH, OPEN_SEARCH, type Naming } from './naming.ts';
import {
  documentId,
  EMBEDDED,
  hasOwnIds,
  openSearchOptions,
  placeOf,
  RETRY_SECONDS,
  type OpenSearchOptions,
} from './options.ts';
import { problem } from './problem.ts';

/** Longest wait before the second attempt, and before later ones; AWS does not say. */
const BACKOFF = { baseMs: 1000, maxMs: 60_000 };

const NO_CLUSTER = `no cluster is named (ClusterEndpoint: ${EMBEDDED})`;

/** Documents in an index of OpenSearch. */
export const openSearch = named(OPEN_SEARCH);

/** The same by the name it had before. */
export const elasticsearch = named(ELASTICSEARCH);

function named(naming: Naming): Destination<ReturnType<typeof openSearchOptions>> {
  return {
    name: `${naming.name}DestinationConfiguration`,
    options: openSearchOptions(naming),
    buffering: ({ BufferingHints: hints }) => bufferingOf(hints),
    problem,
    urls: ({ ClusterEndpoint: url = EMBEDDED }) => (url === EMBEDDED ? [] : [url]),
    lacks: ({ ClusterEndpoint }) => (ClusterEndpoint === EMBEDDED ? NO_CLUSTER : undefined),
    describe: (options) => ({ [`${naming.name}DestinationDescription`]: describe(options, naming) }),
    failures: (options) => failures(options, naming),
    refuses: (data) => (oneLineObject(data) === undefined ? noDocument(naming) : undefined),
    // Address and names may be mended while documents are tried again; where they go stands in the place.
    usesNewestOptions: true,
    overwrites: hasOwnIds,
    open: (options, doors, environment) => new OpenSearchDelivery(options, naming, doors, environment),
  };
}

function failures(options: OpenSearchOptions, naming: Naming): FailurePath {
  const { S3Configuration, S3BackupMode, RetryOptions, TypeName } = options;
  return {
    errorType: naming.errorType,
    backup: S3Configuration,
    backupMode: S3BackupMode === 'AllDocuments' ? 'all' : 'failed',
    retryMs: (RetryOptions?.DurationInSeconds ?? RETRY_SECONDS) * 1000,
    backoff: BACKOFF,
    line: (record, place = placeOf(options, naming)) => ({
      ...(hasOwnIds(options) && { esDocumentId: documentId(record) }),
      esIndexName: indexAt(place, record.at),
      esTypeName: TypeName ?? '',
    }),
  };
}
