import type { Rotation } from './index-name.ts';

/** What differs between the two names that AWS has for the same kind of destination. */
export interface Naming {
  /** Before `DestinationConfiguration`. */
  readonly name: string;
  /** In keys and lines of what failed. */
  readonly errorType: string;
  /** How codes of what has no status begin. */
  readonly codes: 'OS' | 'ES';
  /** Where the options do not say it. */
  readonly rotation: Rotation;
}

/** Of today. Its page says no default for the rotation; the console's first choice is none. */
export const OPEN_SEARCH: Naming = {
  name: 'Amazonopensearchservice',
  errorType: 'AmazonOpenSearchService-failed',
  codes: 'OS',
  rotation: 'NoRotation',
};

/** The older one; defaults of the service model. */
export const ELASTICSEARCH: Naming = {
  name: 'Elasticsearch',
  errorType: 'elasticsearch-failed',
  codes: 'ES',
  rotation: 'OneDay',
};
