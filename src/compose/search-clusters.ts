import type { OpenSearchSection } from '../config/index.ts';
import type { ClusterAccess, SearchClusters } from '../ports/search-clusters.ts';

/** A key pair of AWS's, of the environment of the process. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** What stands around the section. */
export interface ClusterSurroundings {
  /** The node's own, for hosts whose name does not tell theirs. */
  readonly region: string;
  readonly keys: AwsKeys | undefined;
}

type Entry = OpenSearchSection[string];

/** A domain of AWS, with its region. */
const AWS_HOST = /\.([a-z]{2}(?:-[a-z]+)+-\d)\.es\.amazonaws\.com(?:\.cn)?$/;
const NO_KEYS = 'its requests are to be signed, and AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set';

/** The section `opensearch` as it was read last. */
export class ConfiguredClusters implements SearchClusters {
  readonly #surroundings: ClusterSurroundings;
  #section: OpenSearchSection = {};
  /** By URL. */
  #entries: ReadonlyMap<string, Entry> = new Map();

  constructor(surroundings: ClusterSurroundings) {
    this.#surroundings = surroundings;
  }

  /** Goes by this section from now on. */
  use(section: OpenSearchSection | undefined): void {
    this.#section = section ?? {};
    this.#entries = new Map(
      Object.entries(this.#section).map(([name, entry]) => [canonical(entry.endpoint ?? name), entry]),
    );
  }

  access(url: string): ClusterAccess {
    const { keys } = this.#surroundings;
    const entry = this.#entries.get(canonical(url));
    if (entry?.username !== undefined) {
      return { kind: 'basic', username: entry.username, password: entry.password ?? '' };
    }
    if (entry?.sigv4 !== undefined) return this.#signed(url, entry.sigv4);
    // As AWS's clients do, which sign with what they find, and to nobody else's hosts.
    return keys !== undefined && AWS_HOST.test(new URL(url).hostname) ? this.#signed(url, {}) : { kind: 'none' };
  }

  endpoint(domain: string): string | undefined {
    return this.#section[domain]?.endpoint;
  }

  #signed(url: string, given: NonNullable<Entry['sigv4']>): ClusterAccess {
    const { accessKeyId, secretAccessKey, sessionToken } = given;
    const own =
      accessKeyId === undefined || secretAccessKey === undefined
        ? this.#surroundings.keys
        : { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
    if (own === undefined) return { kind: 'missing', reason: NO_KEYS };
    const region = given.region ?? AWS_HOST.exec(new URL(url).hostname)?.[1] ?? this.#surroundings.region;
    return { kind: 'sigv4', region, ...own };
  }
}

/** One spelling for each cluster. */
function canonical(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname.replace(/\/+$/, '');
}
